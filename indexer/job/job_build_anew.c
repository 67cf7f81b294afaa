#include "job_state.h"

#include <stdlib.h>
#include <string.h>

#include "database/database_open.h"
#include "index/index_cleanup.h"

/* True if the filters of a source are those of the job. */
static bool same_filters(const struct index_filters *stored,
			 const struct index_write_filter *filters, size_t count)
{
	if (stored->count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct index_filter *found = &stored->items[i];

		if (found->kind != filters[i].kind || strcmp(found->name, filters[i].name) != 0 ||
		    strcmp(found->expression, filters[i].expression) != 0 ||
		    strcmp(found->digest, filters[i].digest ? filters[i].digest : "") != 0)
			return false;
	}
	return true;
}

static bool build_is_tracked(const struct job *job)
{
	return job->notes.tracked && !job->options->no_track;
}

/* Finds what a stopped job has begun, if this one would do the same and the log is as it was. */
static enum status unfinished_find(struct job *job, bool packed, struct index_write_filter *filters,
				   struct index_source *source, bool *found)
{
	sqlite3 *database = index_file_database(job->file);
	sqlite3 *log = NULL;
	struct index_filters stored = {0};
	struct index_fit fit = {0};
	bool usable = false;
	enum status status = index_source_read_unfinished(database, job->log.layout.table, source,
							  found, job->message);

	if (status == STATUS_OK && *found)
		status = index_filters_read(database, "main", source->id, &stored, job->message);
	if (status == STATUS_OK && *found)
		status = database_open_moment(job->log.path, &log, job->message);
	if (status == STATUS_OK && *found)
		status = index_fit_go_on(log, &job->log, source, &fit, job->message);
	sqlite3_close(log);
	if (status == STATUS_OK && *found && source->reading != INDEX_READING_ANY)
		job_reading_settle(job, source->reading);
	if (status == STATUS_OK && *found)
		usable = !job->options->rebuild && !fit.rebuild && source->packed == packed &&
			 source->reading == job->reading &&
			 source->tracked == build_is_tracked(job) &&
			 source->first_row <= source->last_row &&
			 (!source->tracked || index_source_marked(source, job->notes.mark)) &&
			 same_filters(&stored, filters, ENCODER_BUILT_IN + job->filters.count);
	for (size_t i = 0; usable && i < stored.count; i++) {
		filters[i].id = stored.items[i].id;
		filters[i].rows = stored.items[i].rows;
	}
	if (*found && !usable)
		index_source_free(source);
	*found = status == STATUS_OK && usable;
	index_filters_free(&stored);
	return status;
}

static enum status unfinished_begin(struct job *job, bool packed,
				    struct index_write_filter *filters, struct index_source *source)
{
	sqlite3 *database = index_file_database(job->file);
	enum status status;

	*source = (struct index_source){.packed = packed,
					.inside = job->same_file,
					.tracked = build_is_tracked(job),
					.reading = job->reading,
					.first_row = 1,
					.last_row = 0};
	status = index_write_source_begin(database, &job->log.layout, source, job->message);
	if (status == STATUS_OK)
		status = index_write_filters_add(database, source->id, filters,
						 ENCODER_BUILT_IN + job->filters.count,
						 job->message);
	return status;
}

/* A source that nobody reads yet gets all sets. */
static enum status sets_store(struct job *job, int64_t source)
{
	struct job_set_writes writes = {0};
	enum status status = job_sets_keep(job);

	if (status == STATUS_OK && !job_set_writes_make(&job->sets, &writes))
		status = message_out_of_memory(job->message);
	if (status == STATUS_OK)
		status = index_write_sets_add(index_file_database(job->file), source, &writes.sets,
					      job->message);
	job_set_writes_free(&writes);
	return status;
}

enum status job_build_anew(struct job *job)
{
	const bool sticky = job->found.source.layout.table && !job->options->rebuild;
	const bool packed = !job->options->no_headers && (!sticky || job->found.source.packed) &&
			    !job->found.was_unpacked;
	struct index_write_filter *filters = NULL;
	struct index_source source = {0};
	bool resumed = false;
	enum status status = job_compile(job, COMPILE_TO_BUILD);

	job->summary->built = true;
	if (status == STATUS_OK && !(filters = job_filters(job)))
		status = message_out_of_memory(job->message);
	if (status == STATUS_OK)
		status = index_file_tables(job->file, job->log.encoding, job->message);
	if (status == STATUS_OK)
		status = unfinished_find(job, packed, filters, &source, &resumed);
	if (status == STATUS_OK)
		status = index_cleanup_run(
			index_file_database(job->file), job->index_path,
			&(struct index_kept){resumed ? source.id : 0, job->log.layout.table},
			&job->gate, job->options->stop, job->message);
	if (status == STATUS_OK && !resumed)
		status = unfinished_begin(job, packed, filters, &source);
	if (status == STATUS_OK)
		status = sets_store(job, source.id);
	if (status == STATUS_OK)
		status = job_sets_report(job, NULL, NULL, 0);
	if (status == STATUS_OK && source.tracked)
		status = job_notes_mark(job, source.id);
	if (status == STATUS_OK) {
		job->summary->resumed = resumed;
		status = job_rows_refresh(job, &source, filters);
		/* The next job goes on with it. */
		if (status != STATUS_OK && job->options->stop && *job->options->stop &&
		    source.first_row <= source.last_row)
			index_file_keep(job->file);
	}
	if (status == STATUS_OK)
		status = index_write_source_publish(index_file_database(job->file), source.id,
						    job->log.layout.table, job->message);
	if (status == STATUS_OK) {
		index_file_keep(job->file);
		job_clear_up(job);
		status = job_notes_end(job, source.id);
	}
	index_source_free(&source);
	free(filters);
	return status;
}
