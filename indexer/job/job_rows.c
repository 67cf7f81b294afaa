#include "job_state.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/row_refresh.h"

/* The programs of the chosen entries made ready for the engine. */
enum status job_evaluation(struct job *job, const struct filter_entry *const *entries, size_t count,
			   const struct program ***programs, struct evaluation **evaluation)
{
	*evaluation = NULL;
	*programs = calloc(count + 1, sizeof(**programs));
	if (!*programs)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < count; i++)
		(*programs)[i] = &entries[i]->program;
	return evaluation_new(job->options->engine, *programs, count, job->options->stop,
			      evaluation, job->message);
}

struct commit_filter job_filter(const struct filter_entry *entry, size_t place)
{
	return (struct commit_filter){
		.name = entry->name,
		.expression = entry->expression,
		.description = entry->description,
		.position = (int64_t)(ENCODER_BUILT_IN + place),
	};
}

/* Every filter of the index, @all and @skipped first; ids and rows are left to the caller. */
struct commit_filter *job_filters(const struct job *job)
{
	struct commit_filter *filters =
		calloc(ENCODER_BUILT_IN + job->filters.count, sizeof(*filters));

	if (!filters)
		return NULL;
	filters[ENCODER_ALL] = (struct commit_filter){.name = STORED_ALL,
						      .expression = "",
						      .description = "every row that has a header",
						      .position = ENCODER_ALL};
	filters[ENCODER_SKIPPED] =
		(struct commit_filter){.name = STORED_SKIPPED,
				       .expression = "",
				       .description = "every row that was skipped",
				       .position = ENCODER_SKIPPED};
	for (size_t i = 0; i < job->filters.count; i++)
		filters[ENCODER_BUILT_IN + i] = job_filter(&job->filters.items[i], i);
	return filters;
}

struct build_control job_control(struct job *job)
{
	return (struct build_control){
		.threads = job->options->threads,
		.progress = job->options->progress,
		.progress_context = job->options->progress_context,
		.stop = job->options->stop,
		.gate = &job->gate,
	};
}

void job_seconds(struct build_result *total, const struct build_result *part)
{
	for (int stage = 0; stage < BUILD_STAGES; stage++)
		total->seconds[stage] += part->seconds[stage];
}

/* Brings the rows of `indexed`, whose filters are given with ids and rows, up to date. */
enum status job_refresh(struct job *job, struct stored_source *indexed,
			struct commit_filter *filters)
{
	const uint64_t before = outcomes_total(indexed->outcomes);
	const struct filter_entry **entries = calloc(job->filters.count + 1, sizeof(*entries));
	const struct program **programs = NULL;
	struct evaluation *evaluation = NULL;
	struct build_result result = {0};
	struct refresh refresh = {
		.database = store_database(job->store),
		.source = &job->source,
		.indexed = indexed,
		.filters = filters,
		.program_count = job->filters.count,
		.noted = job->noted,
		.noted_count = job->noted_count,
		.control = job_control(job),
		.same_file = job->same_file,
		.result = &result,
	};
	enum status status = STATUS_OK;

	if (!entries)
		return message_out_of_memory(job->message);
	if (refresh_needed(&refresh)) {
		status = job_compile(job, true);
		for (size_t i = 0; i < job->filters.count; i++)
			entries[i] = &job->filters.items[i];
		if (status == STATUS_OK)
			status = job_evaluation(job, entries, job->filters.count, &programs,
						&evaluation);
		refresh.evaluation = evaluation;
		if (status == STATUS_OK && indexed->tracked && !job->marked)
			status = job_track_mark(job, indexed->id);
		if (status == STATUS_OK)
			status = refresh_run(&refresh, job->message);
	}
	job_seconds(&job->summary->result, &result);
	job->summary->bitmap_bytes += refresh.bitmap_bytes;
	job->summary->header_bytes += refresh.header_bytes;
	job->summary->rows_read = outcomes_total(result.outcomes);
	job->summary->rows_removed = refresh.removed_rows;
	memcpy(job->summary->outcomes, indexed->outcomes, sizeof(indexed->outcomes));
	if (outcomes_total(indexed->outcomes) + refresh.removed_rows > before)
		job->summary->rows_new =
			outcomes_total(indexed->outcomes) + refresh.removed_rows - before;
	evaluation_free(evaluation);
	free((void *)programs);
	free((void *)entries);
	return status;
}
