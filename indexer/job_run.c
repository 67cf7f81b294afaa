#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "backfill.h"
#include "clock.h"
#include "plan.h"
#include "refresh.h"
#include "track.h"

/* The mistakes found so far as a status: of the catalogue nothing is used then. */
static enum status mistakes(struct job *job)
{
	const struct diagnostics *diagnostics = job->diagnostics;
	const size_t count = diagnostics->count + diagnostics->lost;

	diagnostics_sort(job->diagnostics);
	if (diagnostics_empty(diagnostics))
		return STATUS_OK;
	return message_set(job->message, STATUS_USAGE, "%s: %zu mistake%s; nothing was changed",
			   job->options->catalogue_path, count, count == 1 ? "" : "s");
}

/* Tells of new filters that are right but hardly meant so, whatever the engine. */
static enum status warn(struct job *job, bool all)
{
	const size_t count = job->filters.count;
	const struct program **programs = calloc(count + 1, sizeof(*programs));
	struct plan *plan = NULL;
	size_t checked = 0;
	enum status status = STATUS_OK;

	if (!programs)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < count; i++)
		if (job->filters.items[i].line &&
		    (all || filter_entry_is_new(&job->filters.items[i])))
			programs[checked++] = &job->filters.items[i].program;
	if (checked)
		status = plan_make(programs, checked, job->options->stop, &plan, job->message);
	checked = 0;
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const struct filter_entry *filter = &job->filters.items[i];

		if (!filter->line || !(all || filter_entry_is_new(filter)))
			continue;
		if (plan_never(plan, checked))
			diagnostics_add(&job->summary->warnings, filter->line,
					"filter '%.255s' never matches: no header of a connection "
					"meets it",
					filter->name);
		if (plan_always(plan, checked))
			diagnostics_add(&job->summary->warnings, filter->line,
					"filter '%.255s' always matches: every header of a "
					"connection meets it",
					filter->name);
		checked++;
	}
	plan_free(plan);
	free((void *)programs);
	return status;
}

enum status job_compile(struct job *job, bool all)
{
	const double start = clock_seconds();
	enum status status = filter_set_compile(&job->filters, !all, job->options->stop,
						job->diagnostics, job->message);

	if (status == STATUS_OK)
		status = mistakes(job);
	if (status == STATUS_OK && !job->warned)
		status = warn(job, all);
	job->warned = true;
	job->summary->compile_seconds += clock_seconds() - start;
	return status;
}

/* The programs of the chosen entries made ready for the engine. */
static enum status evaluation_make(struct job *job, const struct filter_entry *const *entries,
				   size_t count, const struct program ***programs,
				   struct evaluation **evaluation)
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

static struct commit_filter filter_of(const struct filter_entry *entry, size_t place)
{
	return (struct commit_filter){
		.name = entry->name,
		.expression = entry->expression,
		.description = entry->description,
		.position = (int64_t)(ENCODER_BUILT_IN + place),
	};
}

/* Every filter of the index, @all and @skipped first; ids and rows are left to the caller. */
static struct commit_filter *filters_list(const struct job *job)
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
		filters[ENCODER_BUILT_IN + i] = filter_of(&job->filters.items[i], i);
	return filters;
}

static const struct stored_filter *stored_find(const struct stored_filters *stored,
					       const char *name)
{
	for (size_t i = 0; i < stored->count; i++)
		if (strcmp(stored->items[i].name, name) == 0)
			return &stored->items[i];
	return NULL;
}

static uint64_t rows_of(const uint64_t outcomes[static OUTCOME_COUNT])
{
	uint64_t rows = 0;

	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		rows += outcomes[outcome];
	return rows;
}

static void seconds_add(struct build_result *total, const struct build_result *part)
{
	for (int stage = 0; stage < BUILD_STAGES; stage++)
		total->seconds[stage] += part->seconds[stage];
}

/* Brings the rows of `indexed`, whose filters are given with ids and rows, up to date. */
static enum status rows_refresh(struct job *job, struct stored_source *indexed,
				struct commit_filter *filters)
{
	const uint64_t before = rows_of(indexed->outcomes);
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
		.threads = job->options->threads,
		.stop = job->options->stop,
		.progress = job->options->progress,
		.progress_context = job->options->progress_context,
		.gate = &job->gate,
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
			status = evaluation_make(job, entries, job->filters.count, &programs,
						 &evaluation);
		refresh.evaluation = evaluation;
		if (status == STATUS_OK)
			status = refresh_run(&refresh, job->message);
	}
	seconds_add(&job->summary->result, &result);
	job->summary->bitmap_bytes += refresh.bitmap_bytes;
	job->summary->header_bytes += refresh.header_bytes;
	job->summary->rows_read = rows_of(result.outcomes);
	job->summary->rows_removed = refresh.removed_rows;
	memcpy(job->summary->outcomes, indexed->outcomes, sizeof(indexed->outcomes));
	if (rows_of(indexed->outcomes) + refresh.removed_rows > before)
		job->summary->rows_new = rows_of(indexed->outcomes) + refresh.removed_rows - before;
	evaluation_free(evaluation);
	free((void *)programs);
	free((void *)entries);
	return status;
}

/* True if the filters of a source are those of the job; gives theirs ids and rows. */
static bool same_filters(const struct stored_filters *stored, struct commit_filter *filters,
			 size_t count)
{
	if (stored->count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct stored_filter *found = &stored->items[i];

		if (strcmp(found->name, filters[i].name) != 0 ||
		    strcmp(found->expression, filters[i].expression) != 0)
			return false;
		filters[i].id = found->id;
		filters[i].rows = found->rows;
	}
	return true;
}

/* Finds what a stopped job has begun, if this one would do the same and the log is as it was. */
static enum status unfinished_find(struct job *job, bool packed, struct commit_filter *filters,
				   struct stored_source *source, bool *found)
{
	sqlite3 *database = store_database(job->store);
	struct stored_filters stored = {0};
	struct change change = {0};
	bool usable = false;
	enum status status = stored_unfinished_read(database, job->source.layout.table, source,
						    found, job->message);

	if (status == STATUS_OK && *found)
		status = stored_filters_read(database, "main", source->id, &stored, job->message);
	if (status == STATUS_OK && *found)
		status = source_compare(&job->source, source, &change, job->message);
	if (status == STATUS_OK && *found)
		usable = !job->options->rebuild && !change.rebuild && source->packed == packed &&
			 source->tracked == job->tracked && source->first_row <= source->last_row &&
			 same_filters(&stored, filters, ENCODER_BUILT_IN + job->filters.count);
	if (*found && !usable)
		stored_source_free(source);
	*found = status == STATUS_OK && usable;
	stored_filters_free(&stored);
	return status;
}

static enum status unfinished_begin(struct job *job, bool packed, struct commit_filter *filters,
				    struct stored_source *source)
{
	sqlite3 *database = store_database(job->store);
	enum status status;

	*source = (struct stored_source){
		.packed = packed, .tracked = job->tracked, .first_row = 1, .last_row = 0};
	status = commit_source_begin(database, &job->source.layout, packed, job->tracked,
				     &source->id, job->message);
	if (status == STATUS_OK)
		status = commit_filters_add(database, source->id, filters,
					    ENCODER_BUILT_IN + job->filters.count, job->message);
	return status;
}

/* What the job has dealt with need not be noted any more; what is left over is removed. */
static void job_clear_up(struct job *job)
{
	struct message ignored;

	/* The index is complete; what cannot be removed now is removed by the next job. */
	store_clean(job->store, 0, &ignored);
}

enum status job_build(struct job *job)
{
	const bool sticky = job->stored.layout.table && !job->options->rebuild;
	const bool packed = !job->options->no_headers && (!sticky || job->stored.packed);
	struct commit_filter *filters = filters_list(job);
	struct stored_source source = {0};
	bool resumed = false;
	enum status status = filters ? STATUS_OK : message_out_of_memory(job->message);

	job->summary->built = true;
	if (status == STATUS_OK)
		status = store_tables(job->store, job->source.encoding, job->message);
	if (status == STATUS_OK)
		status = unfinished_find(job, packed, filters, &source, &resumed);
	if (status == STATUS_OK)
		status = store_clean(job->store, resumed ? source.id : 0, job->message);
	if (status == STATUS_OK && !resumed)
		status = unfinished_begin(job, packed, filters, &source);
	if (status == STATUS_OK) {
		job->summary->resumed = resumed;
		status = rows_refresh(job, &source, filters);
		/* The next job goes on with it. */
		if (status != STATUS_OK && job->options->stop && *job->options->stop &&
		    source.first_row <= source.last_row)
			store_keep(job->store);
	}
	if (status == STATUS_OK)
		status = commit_source_publish(store_database(job->store), source.id,
					       job->source.layout.table, job->message);
	if (status == STATUS_OK) {
		store_keep(job->store);
		job_clear_up(job);
		if (job->tracked)
			status = track_release(job->options->log_path, &job->source.layout,
					       job->message);
	}
	stored_source_free(&source);
	free(filters);
	return status;
}

/* What of the filters has to be written: each filter of the job is in one of the lists. */
struct filter_changes {
	struct commit_filter *pending;	     /* new, changed, or evaluated again */
	const struct filter_entry **entries; /* of the pending ones */
	size_t pending_count;
	struct commit_filter *kept;
	size_t kept_count;
	int64_t *removed; /* ids */
	size_t removed_count;
	bool described; /* a description or a place in the catalogue is another */
};

static bool filter_changes_alloc(struct filter_changes *changes, const struct job *job)
{
	changes->pending = calloc(job->filters.count + 1, sizeof(*changes->pending));
	changes->entries = calloc(job->filters.count + 1, sizeof(*changes->entries));
	changes->kept = calloc(job->filters.count + 1, sizeof(*changes->kept));
	changes->removed = calloc(job->stored_filters.count + 1, sizeof(*changes->removed));
	return changes->pending && changes->entries && changes->kept && changes->removed;
}

static void filter_changes_free(struct filter_changes *changes)
{
	free(changes->pending);
	free((void *)changes->entries);
	free(changes->kept);
	free(changes->removed);
}

/* Stored filters that no entry stands for are pruned. */
static void filters_prune(struct job *job, struct filter_changes *changes)
{
	for (size_t i = 0; i < job->stored_filters.count; i++) {
		const struct stored_filter *stored = &job->stored_filters.items[i];
		bool wanted = stored->name[0] == '@';

		for (size_t j = 0; !wanted && j < job->filters.count; j++)
			wanted = job->filters.items[j].stored == stored;
		if (wanted)
			continue;
		changes->removed[changes->removed_count++] = stored->id;
		job->summary->filters_removed++;
	}
}

static void filter_changes_find(struct job *job, struct filter_changes *changes)
{
	for (size_t i = 0; i < job->filters.count; i++) {
		const struct filter_entry *entry = &job->filters.items[i];
		struct commit_filter filter = filter_of(entry, i);
		const bool is_new = filter_entry_is_new(entry);

		job->summary->filters_new += !entry->stored;
		job->summary->filters_changed += entry->stored && is_new;
		if (is_new || job->options->recompute) {
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

static enum status pending_fill(struct job *job, struct filter_changes *changes)
{
	struct build_result result = {0};
	const struct program **programs = NULL;
	struct evaluation *evaluation = NULL;
	struct backfill backfill = {
		.database = store_database(job->store),
		.index_path = job->index_path,
		.indexed = &job->stored,
		.filters = changes->pending,
		.filter_count = changes->pending_count,
		.threads = job->options->threads,
		.stop = job->options->stop,
		.progress = job->options->progress,
		.progress_context = job->options->progress_context,
		.gate = &job->gate,
		.result = &result,
	};
	enum status status = job_compile(job, job->options->recompute);

	if (status == STATUS_OK)
		status = evaluation_make(job, changes->entries, changes->pending_count, &programs,
					 &evaluation);
	if (status == STATUS_OK)
		status = commit_filters_add(store_database(job->store),
					    commit_pending(job->stored.id), changes->pending,
					    changes->pending_count, job->message);
	backfill.evaluation = evaluation;
	if (status == STATUS_OK)
		status = backfill_run(&backfill, job->message);
	seconds_add(&job->summary->result, &result);
	job->summary->bitmap_bytes += backfill.bitmap_bytes;
	evaluation_free(evaluation);
	free((void *)programs);
	return status;
}

static enum status filters_update(struct job *job, struct filter_changes *changes)
{
	enum status status = STATUS_OK;

	if (changes->pending_count)
		status = pending_fill(job, changes);
	if (status == STATUS_OK &&
	    (changes->pending_count || changes->removed_count || changes->described))
		status = commit_filters_publish(store_database(job->store), job->stored.id,
						changes->removed, changes->removed_count,
						changes->pending, changes->pending_count,
						changes->kept, changes->kept_count, job->message);
	return status;
}

/* All filters with the ids and rows that they have now. */
static enum status filters_joined(struct job *job, const struct filter_changes *changes,
				  struct commit_filter **filters)
{
	static const char *const built_in[ENCODER_BUILT_IN] = {STORED_ALL, STORED_SKIPPED};
	size_t pending = 0;
	size_t kept = 0;

	*filters = filters_list(job);
	if (!*filters)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < ENCODER_BUILT_IN; i++) {
		const struct stored_filter *stored = stored_find(&job->stored_filters, built_in[i]);

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
static enum status kind_update(struct job *job)
{
	const bool packed = job->stored.packed && !job->options->no_headers;

	if (packed == job->stored.packed && job->tracked == job->stored.tracked)
		return STATUS_OK;
	job->stored.packed = packed;
	job->stored.tracked = job->tracked;
	return commit_source_kind(store_database(job->store), job->stored.id, packed, job->tracked,
				  job->message);
}

enum status job_update(struct job *job)
{
	struct filter_changes changes = {0};
	struct commit_filter *filters = NULL;
	enum status status = filter_changes_alloc(&changes, job)
				     ? STATUS_OK
				     : message_out_of_memory(job->message);

	if (status == STATUS_OK)
		status = store_clean(job->store, 0, job->message);
	if (status == STATUS_OK) {
		filter_changes_find(job, &changes);
		status = filters_update(job, &changes);
	}
	if (status == STATUS_OK)
		status = kind_update(job);
	if (status == STATUS_OK)
		status = filters_joined(job, &changes, &filters);
	if (status == STATUS_OK)
		status = rows_refresh(job, &job->stored, filters);
	if (status == STATUS_OK && job->tracked)
		status = track_release(job->options->log_path, &job->source.layout, job->message);
	if (status == STATUS_OK)
		job_clear_up(job);
	free(filters);
	filter_changes_free(&changes);
	return status;
}
