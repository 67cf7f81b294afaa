#include "job_state.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/row_refresh.h"

struct workers_control job_control(struct job *job)
{
	return (struct workers_control){
		.threads = job->options->threads,
		.progress = job->options->progress,
		.progress_context = job->options->progress_context,
		.stop = job->options->stop,
		.gate = &job->gate,
	};
}

void job_seconds(struct workers_result *total, const struct workers_result *part)
{
	for (int stage = 0; stage < WORKERS_STAGES; stage++)
		total->seconds[stage] += part->seconds[stage];
}

/* Filters that mean nothing tonight keep what they have, and lack what comes. */
static enum status unresolved_leave(struct job *job, struct index_write_filter *filters)
{
	int64_t *ids = calloc(job->filters.count + 1, sizeof(*ids));
	size_t count = 0;
	enum status status = STATUS_OK;

	if (!ids)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < job->filters.count; i++) {
		struct index_write_filter *filter = &filters[ENCODER_BUILT_IN + i];

		filter->stays = job->filters.items[i].unresolved;
		if (filter->stays)
			ids[count++] = filter->id;
	}
	if (count)
		status = index_write_filters_stale(index_file_database(job->file), ids, count,
						   job->message);
	free(ids);
	return status;
}

/* Rows that came are those behind the last one; what is missing then has gone. */
static void rows_account(struct job_summary *summary, uint64_t before, uint64_t behind)
{
	const uint64_t now = outcomes_total(summary->outcomes);
	const uint64_t due = before + behind;

	summary->rows_new = now > due ? behind + (now - due) : behind;
	summary->rows_removed = due > now ? due - now : 0;
}

/* What the filters are evaluated with. */
struct rows_evaluation {
	const struct filter_entry **entries;
	const struct program **programs;
	struct evaluation *evaluation;
	struct job_bitmaps bitmaps;
	struct job_derived derived;
};

static enum status rows_evaluation_make(struct job *job, struct rows_evaluation *made)
{
	const size_t count = job->filters.count;
	enum status status;

	made->bitmaps =
		(struct job_bitmaps){.places = calloc(count + 1, sizeof(*made->bitmaps.places)),
				     .built_in_made = true,
				     .helpers = ENCODER_BUILT_IN + count};
	made->entries = calloc(count + 1, sizeof(*made->entries));
	if (!made->entries || !made->bitmaps.places)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < count; i++) {
		made->entries[i] = &job->filters.items[i];
		made->bitmaps.places[i] = ENCODER_BUILT_IN + i;
	}
	status = job_derived_make(job, &made->bitmaps, &made->derived);
	if (status == STATUS_OK)
		status = job_evaluation(job, made->entries, count, &made->derived, &made->programs,
					&made->evaluation);
	return status;
}

static void rows_evaluation_free(struct rows_evaluation *made)
{
	evaluation_free(made->evaluation);
	free((void *)made->programs);
	free((void *)made->entries);
	free(made->bitmaps.places);
	job_derived_free(&made->derived);
}

/* Evaluates the rows that came, changed or went. */
static enum status rows_evaluate(struct job *job, struct row_refresh *refresh)
{
	struct index_source *indexed = refresh->indexed;
	struct rows_evaluation made = {0};
	enum status status = job_compile(job, COMPILE_ALL);

	if (status == STATUS_OK)
		status = unresolved_leave(job, refresh->filters);
	if (status == STATUS_OK)
		status = rows_evaluation_make(job, &made);
	refresh->evaluation = made.evaluation;
	refresh->helper_count = made.derived.helper_count;
	refresh->questions = made.derived.questions;
	refresh->question_count = made.derived.question_count;
	refresh->derived = &made.derived.filters;
	if (status == STATUS_OK && indexed->tracked && !job->notes.marked)
		status = job_notes_mark(job, indexed->id);
	if (status == STATUS_OK)
		status = row_refresh_run(refresh, job->message);
	refresh->derived = NULL;
	rows_evaluation_free(&made);
	return status;
}

enum status job_rows_refresh(struct job *job, struct index_source *indexed,
			     struct index_write_filter *filters)
{
	const uint64_t before = outcomes_total(indexed->outcomes);
	const bool is_first = indexed->first_row > indexed->last_row;
	const int64_t last = is_first ? INT64_MIN : indexed->last_row;
	uint64_t behind = 0;
	struct workers_result result = {0};
	struct row_refresh refresh = {
		.database = index_file_database(job->file),
		.log = &job->log,
		.indexed = indexed,
		.filters = filters,
		.program_count = job->filters.count,
		.noted = job->notes.segments,
		.noted_count = job->notes.segment_count,
		.control = job_control(job),
		.same_file = job->same_file,
		.result = &result,
	};
	enum status status = STATUS_OK;

	if (row_refresh_has_work(indexed, &job->log, job->notes.segment_count)) {
		if (!is_first)
			status = log_count_behind(&job->log, last, &behind, job->message);
		if (status != STATUS_OK)
			return status;
		status = rows_evaluate(job, &refresh);
	}
	/* All of them came, and need not be counted first. */
	if (is_first)
		behind = outcomes_total(result.outcomes);
	job_seconds(&job->summary->result, &result);
	job->summary->bitmap_bytes += refresh.bitmap_bytes;
	job->summary->header_bytes += refresh.header_bytes;
	job->summary->rows_read = outcomes_total(result.outcomes);
	job->summary->reading = result.reading;
	memcpy(job->summary->outcomes, indexed->outcomes, sizeof(indexed->outcomes));
	rows_account(job->summary, before, behind);
	return status;
}
