#include "job_state.h"

#include <stdlib.h>
#include <string.h>

#include "database/database_open.h"
#include "index/index_cleanup.h"

/* True if the filters of a source are those of the job. */
static bool same_filters(const struct stored_filters *stored, const struct commit_filter *filters,
			 size_t count)
{
	if (stored->count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct stored_filter *found = &stored->items[i];

		if (strcmp(found->name, filters[i].name) != 0 ||
		    strcmp(found->expression, filters[i].expression) != 0)
			return false;
	}
	return true;
}

static bool build_is_tracked(const struct job *job)
{
	return job->notes.tracked && !job->options->no_track;
}

/* Finds what a stopped job has begun, if this one would do the same and the log is as it was. */
static enum status unfinished_find(struct job *job, bool packed, struct commit_filter *filters,
				   struct stored_source *source, bool *found)
{
	sqlite3 *database = store_database(job->store);
	sqlite3 *log = NULL;
	struct stored_filters stored = {0};
	struct index_fit fit = {0};
	bool usable = false;
	enum status status = stored_unfinished_read(database, job->source.layout.table, source,
						    found, job->message);

	if (status == STATUS_OK && *found)
		status = stored_filters_read(database, "main", source->id, &stored, job->message);
	if (status == STATUS_OK && *found)
		status = database_open_moment(job->source.path, &log, job->message);
	if (status == STATUS_OK && *found)
		status = index_fit_go_on(log, &job->source, source, &fit, job->message);
	sqlite3_close(log);
	if (status == STATUS_OK && *found)
		usable = !job->options->rebuild && !fit.rebuild && source->packed == packed &&
			 source->tracked == build_is_tracked(job) &&
			 source->first_row <= source->last_row &&
			 (!source->tracked || stored_source_marked(source, job->notes.mark)) &&
			 same_filters(&stored, filters, ENCODER_BUILT_IN + job->filters.count);
	for (size_t i = 0; usable && i < stored.count; i++) {
		filters[i].id = stored.items[i].id;
		filters[i].rows = stored.items[i].rows;
	}
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

	*source = (struct stored_source){.packed = packed,
					 .inside = job->same_file,
					 .tracked = build_is_tracked(job),
					 .first_row = 1,
					 .last_row = 0};
	status = commit_source_begin(database, &job->source.layout, source, job->message);
	if (status == STATUS_OK)
		status = commit_filters_add(database, source->id, filters,
					    ENCODER_BUILT_IN + job->filters.count, job->message);
	return status;
}

enum status job_build(struct job *job)
{
	const bool sticky = job->found.source.layout.table && !job->options->rebuild;
	const bool packed = !job->options->no_headers && (!sticky || job->found.source.packed) &&
			    !job->found.was_unpacked;
	struct commit_filter *filters = job_filters(job);
	sqlite3 *database = store_database(job->store);
	struct stored_source source = {0};
	bool resumed = false;
	enum status status = filters ? STATUS_OK : message_out_of_memory(job->message);

	job->summary->built = true;
	if (status == STATUS_OK)
		status = store_tables(job->store, job->source.encoding, job->message);
	if (status == STATUS_OK)
		status = unfinished_find(job, packed, filters, &source, &resumed);
	if (status == STATUS_OK)
		status = store_clean(
			database,
			&(struct store_kept){resumed ? source.id : 0, job->source.layout.table},
			&job->gate, job->options->stop, job->message);
	if (status == STATUS_OK && !resumed)
		status = unfinished_begin(job, packed, filters, &source);
	if (status == STATUS_OK && source.tracked)
		status = job_track_mark(job, source.id);
	if (status == STATUS_OK) {
		job->summary->resumed = resumed;
		status = job_refresh(job, &source, filters);
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
		status = job_track_end(job, source.id);
	}
	stored_source_free(&source);
	free(filters);
	return status;
}
