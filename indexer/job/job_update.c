#include "job_state.h"

#include <stdlib.h>
#include <string.h>

#include "index/index_cleanup.h"
#include "pipeline/filter_backfill.h"

static const struct index_filter *stored_find(const struct index_filters *stored, const char *name)
{
	for (size_t i = 0; i < stored->count; i++)
		if (strcmp(stored->items[i].name, name) == 0)
			return &stored->items[i];
	return NULL;
}

/* What of the filters has to be written: each filter of the job is in one of the lists. */
struct filter_changes {
	struct index_write_filter *pending;  /* new, changed, or evaluated again */
	const struct filter_entry **entries; /* of the pending ones */
	size_t pending_count;
	struct index_write_filter *kept;
	size_t kept_count;
	int64_t *removed; /* ids */
	size_t removed_count;
	struct job_set_writes sets;
	bool described; /* a description or a place in the catalogue is another */
};

static bool filter_changes_alloc(struct filter_changes *changes, const struct job *job)
{
	changes->pending = calloc(job->filters.count + 1, sizeof(*changes->pending));
	changes->entries = calloc(job->filters.count + 1, sizeof(*changes->entries));
	changes->kept = calloc(job->filters.count + 1, sizeof(*changes->kept));
	changes->removed = calloc(job->found.filters.count + 1, sizeof(*changes->removed));
	return changes->pending && changes->entries && changes->kept && changes->removed &&
	       job_set_writes_make(&job->sets, &changes->sets);
}

static void filter_changes_free(struct filter_changes *changes)
{
	free(changes->pending);
	free((void *)changes->entries);
	free(changes->kept);
	free(changes->removed);
	job_set_writes_free(&changes->sets);
}

/* Stored filters that no entry stands for are pruned. */
static void filters_prune(struct job *job, struct filter_changes *changes)
{
	for (size_t i = 0; i < job->found.filters.count; i++) {
		const struct index_filter *stored = &job->found.filters.items[i];
		bool wanted = stored->name[0] == '@';

		for (size_t j = 0; !wanted && j < job->filters.count; j++)
			wanted = job->filters.items[j].stored == stored;
		if (wanted)
			continue;
		changes->removed[changes->removed_count++] = stored->id;
		job->summary->filters_removed++;
	}
}

static void moved_tell(struct job *job, const struct filter_entry *entry)
{
	/* The summary has what became of a set. */
	if (entry->kind == FILTER_ROWS)
		return;
	if (*entry->stored->digest)
		diagnostics_add(
			&job->summary->warnings, entry->line,
			"filter '%.255s' no longer means what it did when it was indexed (a "
			"name stands for another address or number): it is evaluated again "
			"over all rows",
			entry->name);
	else
		diagnostics_add(&job->summary->warnings, entry->line,
				"filter '%.255s': its names are found again: it is evaluated over "
				"all rows",
				entry->name);
}

static void filter_changes_find(struct job *job, struct filter_changes *changes)
{
	for (size_t i = 0; i < job->filters.count; i++) {
		const struct filter_entry *entry = &job->filters.items[i];
		struct index_write_filter filter = job_filter(entry, i);
		const bool is_new = filter_entry_is_new(entry);

		job->summary->filters_new += !entry->stored;
		job->summary->filters_changed += entry->stored && is_new;
		if (filter_entry_has_moved(entry))
			moved_tell(job, entry);
		if (is_new || (job->options->recompute && !entry->unresolved)) {
			if (entry->kind == FILTER_ROWS && entry->stored)
				filter.replaces = entry->stored->id;
			changes->entries[changes->pending_count] = entry;
			changes->pending[changes->pending_count++] = filter;
			if (entry->stored)
				changes->removed[changes->removed_count++] = entry->stored->id;
			continue;
		}
		filter.id = entry->stored->id;
		filter.rows = entry->stored->rows;
		changes->described |= entry->stored->position != filter.position ||
				      strcmp(entry->stored->description, filter.description) != 0;
		changes->kept[changes->kept_count++] = filter;
	}
	if (job->options->prune)
		filters_prune(job, changes);
}

/* The filters that are made now have their places, the others are as they are stored. */
static enum status bitmaps_place(struct job *job, const struct filter_changes *changes,
				 struct job_bitmaps *bitmaps)
{
	const struct index_filter *all = stored_find(&job->found.filters, INDEX_ALL);
	const struct index_filter *skipped = stored_find(&job->found.filters, INDEX_SKIPPED);

	*bitmaps = (struct job_bitmaps){.helpers = changes->pending_count};
	bitmaps->places = calloc(job->filters.count + 1, sizeof(*bitmaps->places));
	if (!bitmaps->places)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < job->filters.count; i++)
		bitmaps->places[i] = JOB_BITMAP_STORED;
	for (size_t i = 0; i < changes->pending_count; i++)
		bitmaps->places[changes->entries[i] - job->filters.items] = i;
	bitmaps->built_in[ENCODER_ALL] = all ? all->id : 0;
	bitmaps->built_in[ENCODER_SKIPPED] = skipped ? skipped->id : 0;
	return STATUS_OK;
}

/* Whether anything has to be read of stored columns. */
static bool columns_are_asked(const struct filter_changes *changes,
			      const struct job_derived *derived)
{
	bool asked = derived->helper_count + derived->question_count > 0;

	for (size_t i = 0; !asked && i < changes->pending_count; i++)
		asked = !changes->pending[i].derived;
	return asked;
}

static enum status pending_fill(struct job *job, struct filter_changes *changes)
{
	struct workers_result result = {0};
	const struct program **programs = NULL;
	struct evaluation *evaluation = NULL;
	struct job_bitmaps bitmaps = {0};
	struct job_derived derived = {0};
	struct filter_backfill backfill = {
		.database = index_file_database(job->file),
		.index_path = job->index_path,
		.indexed = &job->found.source,
		.timed = job->log.layout.timestamp != NULL,
		.filters = changes->pending,
		.filter_count = changes->pending_count,
		.derived = &derived.filters,
		.control = job_control(job),
		.result = &result,
	};
	enum status status = job_compile(job, job->options->recompute ? COMPILE_ALL : COMPILE_NEW);

	if (status == STATUS_OK)
		status = bitmaps_place(job, changes, &bitmaps);
	if (status == STATUS_OK)
		status = job_derived_make(job, &bitmaps, &derived);
	if (status == STATUS_OK)
		status = job_evaluation(job, changes->entries, changes->pending_count, &derived,
					&programs, &evaluation);
	backfill.helper_count = derived.helper_count;
	backfill.questions = derived.questions;
	backfill.question_count = derived.question_count;
	backfill.reads_columns = columns_are_asked(changes, &derived);
	backfill.all = bitmaps.built_in[ENCODER_ALL];
	backfill.skipped = bitmaps.built_in[ENCODER_SKIPPED];
	if (status == STATUS_OK)
		status = index_write_filters_add(
			index_file_database(job->file), index_write_pending(job->found.source.id),
			changes->pending, changes->pending_count, job->message);
	backfill.evaluation = evaluation;
	if (status == STATUS_OK)
		status = filter_backfill_run(&backfill, job->message);
	job_seconds(&job->summary->result, &result);
	job->summary->bitmap_bytes += backfill.bitmap_bytes;
	evaluation_free(evaluation);
	free((void *)programs);
	free(bitmaps.places);
	job_derived_free(&derived);
	return status;
}

static bool sets_change(const struct filter_changes *changes)
{
	return changes->sets.sets.written_count + changes->sets.sets.removed_count > 0;
}

static enum status filters_update(struct job *job, struct filter_changes *changes)
{
	enum status status = STATUS_OK;

	if (changes->pending_count)
		status = pending_fill(job, changes);
	if (status == STATUS_OK && (changes->pending_count || changes->removed_count ||
				    changes->described || sets_change(changes)))
		status = index_write_filters_publish(
			index_file_database(job->file), job->found.source.id, changes->removed,
			changes->removed_count, changes->pending, changes->pending_count,
			changes->kept, changes->kept_count, &changes->sets.sets, job->message);
	return status;
}

/* All filters with the ids and rows that they have now. */
static enum status filters_joined(struct job *job, const struct filter_changes *changes,
				  struct index_write_filter **filters)
{
	static const char *const built_in[ENCODER_BUILT_IN] = {INDEX_ALL, INDEX_SKIPPED};
	size_t pending = 0;
	size_t kept = 0;

	*filters = job_filters(job);
	if (!*filters)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < ENCODER_BUILT_IN; i++) {
		const struct index_filter *stored = stored_find(&job->found.filters, built_in[i]);

		if (!stored)
			return message_set(job->message, STATUS_FAILED,
					   "%s: the index is damaged (no %s); build it again with "
					   "--rebuild",
					   job->index_path, built_in[i]);
		(*filters)[i].id = stored->id;
		(*filters)[i].rows = stored->rows;
	}
	for (size_t i = 0; i < job->filters.count; i++) {
		const bool was_pending = pending < changes->pending_count &&
					 changes->entries[pending] == &job->filters.items[i];

		(*filters)[ENCODER_BUILT_IN + i] =
			was_pending ? changes->pending[pending++] : changes->kept[kept++];
	}
	return STATUS_OK;
}

/* Options that the index remembers. */
static enum status kind_update(struct job *job, bool packed, bool tracked)
{
	if (packed == job->found.source.packed && tracked == job->found.source.tracked)
		return STATUS_OK;
	job->found.source.packed = packed;
	job->found.source.tracked = tracked;
	return index_write_source_kind(index_file_database(job->file), job->found.source.id, packed,
				       tracked, job->message);
}

enum status job_update(struct job *job)
{
	struct filter_changes changes = {0};
	struct index_write_filter *filters = NULL;
	enum status status = filter_changes_alloc(&changes, job)
				     ? STATUS_OK
				     : message_out_of_memory(job->message);

	if (status == STATUS_OK)
		status = index_cleanup_run(index_file_database(job->file), job->index_path,
					   &(struct index_kept){.table = job->log.layout.table},
					   &job->gate, job->options->stop, job->message);
	if (status == STATUS_OK) {
		filter_changes_find(job, &changes);
		job->summary->described = changes.described;
		job->summary->headers_dropped =
			job->found.source.packed && job->options->no_headers;
		job->summary->untracked = job->found.source.tracked && job->options->no_track;
		status = filters_update(job, &changes);
	}
	if (status == STATUS_OK)
		status = job_sets_note(job);
	if (status == STATUS_OK)
		status = job_sets_report(job, changes.pending, changes.entries,
					 changes.pending_count);
	if (status == STATUS_OK)
		status = kind_update(job, job->found.source.packed && !job->options->no_headers,
				     job->found.source.tracked);
	if (status == STATUS_OK)
		status = filters_joined(job, &changes, &filters);
	if (status == STATUS_OK)
		status = job_rows_refresh(job, &job->found.source, filters);
	/* Triggers that are no longer asked for go last, once all their notes were read. */
	if (status == STATUS_OK)
		status = kind_update(job, job->found.source.packed,
				     job->found.source.tracked && !job->options->no_track);
	if (status == STATUS_OK)
		status = job_notes_end(job, job->found.source.id);
	if (status == STATUS_OK)
		job_clear_up(job);
	free(filters);
	filter_changes_free(&changes);
	return status;
}
