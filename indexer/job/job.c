#include "job.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "database/database_open.h"
#include "job_state.h"
#include "pipeline/row_refresh.h"

/* First of all, so that a wrong path is not reported behind a long compilation. */
static enum status log_is_readable(struct job *job)
{
	sqlite3 *none;
	enum status status;

	if (access(job->options->log_path, R_OK) == 0)
		return STATUS_OK;
	status = database_open(job->options->log_path, DATABASE_READ, &none, job->message);
	sqlite3_close(none);
	return status;
}

static enum status catalogue_load(struct job *job)
{
	const char *path = job->options->catalogue_path;
	enum status status;

	if (!path)
		return STATUS_OK;
	status = catalogue_read(path, &job->catalogue, job->diagnostics, job->message);
	if (status == STATUS_OK)
		status = filter_set_take_catalogue(&job->filters, &job->catalogue, job->message);
	return status;
}

/* The stored filters that the catalogue does not name stay, unless they are pruned. */
static enum status stored_take(struct job *job)
{
	return filter_set_take_stored(&job->filters, &job->found.filters, !job->options->prune,
				      job->message);
}

/* Spoken of also where there is nothing to evaluate. */
static enum status engine_check(struct job *job)
{
	struct evaluation *evaluation;
	enum status status =
		evaluation_new(job->options->engine, NULL, 0, NULL, &evaluation, job->message);

	evaluation_free(evaluation);
	return status;
}

static bool rows_have_changed(const struct job *job)
{
	const struct index_source *indexed = &job->found.source;

	return indexed->layout.table && !job->fit.rebuild &&
	       row_refresh_has_work(indexed, &job->log, job->notes.segment_count);
}

static enum status run(struct job *job)
{
	const struct job_options *options = job->options;
	bool build = false;
	int64_t last;
	enum status status = engine_check(job);

	if (status == STATUS_OK)
		status = log_is_readable(job);
	if (status == STATUS_OK && !options->check)
		database_recover(job->index_path);
	if (status == STATUS_OK)
		status = catalogue_load(job);
	if (status == STATUS_OK)
		status = job_open(job);
	if (status == STATUS_OK && options->forget) {
		status = job_drop_table(job, job->found.source.layout.table);
		job_clear_up(job);
		return status;
	}
	/* A job that was killed while it wrote to the log has left a journal there. */
	if (status == STATUS_OK && !options->check &&
	    (options->track || options->no_track || job->found.source.tracked))
		database_recover(options->log_path);
	if (status == STATUS_OK)
		status = job_sets_load(job);
	if (status == STATUS_OK)
		status = stored_take(job);
	/* Mistakes come before whatever else may be wrong. */
	if (status == STATUS_OK)
		status = job_compile(job, options->check || options->rebuild ? COMPILE_TO_BUILD
									     : COMPILE_NEW);
	if (status == STATUS_OK)
		status = job_describe_log(job);
	if (status != STATUS_OK || options->check)
		return status;
	/* Where rows are to be evaluated it counts whether each filter still means the same. */
	if (rows_have_changed(job) || options->recompute)
		status = job_compile(job, COMPILE_ALL);
	if (status == STATUS_OK)
		status = job_must_build(job, &build);
	job->summary->sets = job->sets.count;
	last = job->found.source.last_row;
	if (status == STATUS_OK)
		status = build ? job_build_anew(job) : job_update(job);
	if (status == STATUS_OK && options->count_behind)
		status = log_count_since(&job->log, &job->summary->rows_behind, job->message);
	if (status == STATUS_OK)
		job_skipped_warn(job, build || last == INT64_MAX ? INT64_MIN : last + 1);
	if (status == STATUS_OK && options->prune) {
		status = job_drop_missing(job);
		job_clear_up(job);
	}
	return status;
}

static void job_free(struct job *job)
{
	index_file_close(job->file);
	log_free(&job->log);
	layout_free(&job->layout);
	filter_set_free(&job->filters);
	job_sets_free(&job->sets);
	index_filters_free(&job->found.filters);
	index_source_free(&job->found.source);
	catalogue_free(&job->catalogue);
	free(job->notes.segments);
	free(job->table);
	reader_gate_destroy(&job->gate);
}

enum status job_run(const struct job_options *options, struct job_summary *summary,
		    struct diagnostics *diagnostics, struct message *message)
{
	struct job job = {
		.options = options,
		.summary = summary,
		.diagnostics = diagnostics,
		.message = message,
		.index_path = options->index_path ? options->index_path : options->log_path,
	};
	double start = clock_seconds();
	enum status status;

	*summary = (struct job_summary){0};
	status = job_reading_end(&job, run(&job));
	summary->seconds = clock_seconds() - start;
	job_free(&job);
	return status;
}
