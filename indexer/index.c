#include "index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue.h"
#include "clock.h"
#include "database.h"
#include "filter_set.h"
#include "layout.h"
#include "plan.h"
#include "source.h"
#include "store.h"
#include "stored.h"

/* Everything that a job holds, to be freed in one place. */
struct job {
	const struct index_options *options;
	struct index_summary *summary;
	struct message *message;
	const char *index_path;
	struct catalogue catalogue;
	struct layout layout;
	struct source source;
	struct filter_set filters;
	struct stored_filters stored;
	struct store *store;
	const struct program **programs;
	struct evaluation *evaluation;
	uint64_t *filter_rows;
};

/* Opens whatever index there is, to read what is stored; *exists is false without one. */
static enum status stored_open(struct job *job, sqlite3 **database, bool *exists)
{
	enum status status;

	*exists = false;
	*database = NULL;
	if (access(job->index_path, F_OK) != 0)
		return STATUS_OK;
	status = database_open(job->index_path, DATABASE_READ, database, job->message);
	if (status == STATUS_OK)
		status = stored_exists(*database, "main", exists, job->message);
	return status;
}

/*
 * Reads the stored filters. Without a catalogue the stored layout is the job's
 * layout too.
 */
static enum status stored_load(struct job *job, const char *table)
{
	struct stored_source source = {0};
	sqlite3 *database;
	bool found = false;
	enum status status = stored_open(job, &database, &found);

	if (status == STATUS_OK && found)
		status = stored_source_read(database, "main", table, &source, &found, job->message);
	if (status == STATUS_OK && found)
		status = stored_filters_read(database, "main", source.id, &job->stored,
					     job->message);
	sqlite3_close(database);
	if (status == STATUS_OK && !found && !job->options->catalogue_path)
		status = message_set(
			job->message, STATUS_USAGE,
			"%s: no index yet, so a catalogue is needed: connbits-index LOG "
			"CATALOGUE",
			job->index_path);
	if (status == STATUS_OK && found && !job->options->catalogue_path) {
		job->layout = source.layout;
		source.layout = (struct layout){0};
	}
	stored_source_free(&source);
	return status;
}

static enum status catalogue_load(struct job *job, struct diagnostics *diagnostics)
{
	enum status status;

	if (!job->options->catalogue_path)
		return STATUS_OK;
	status = catalogue_read(job->options->catalogue_path, &job->catalogue, diagnostics,
				job->message);
	if (status == STATUS_OK)
		status = filter_set_add_catalogue(&job->filters, &job->catalogue,
						  job->options->stop, diagnostics, job->message);
	diagnostics_sort(diagnostics);
	if (status != STATUS_OK || diagnostics_empty(diagnostics))
		return status;
	return message_set(job->message, STATUS_USAGE, "%s: %zu mistake%s; nothing was changed",
			   job->options->catalogue_path, diagnostics->count + diagnostics->lost,
			   diagnostics->count + diagnostics->lost == 1 ? "" : "s");
}

/* Finds the log's table: as stored if there is no catalogue, else by the log itself. */
static enum status layout_load(struct job *job)
{
	const struct index_options *options = job->options;
	sqlite3 *log;
	enum status status = database_open(options->log_path, DATABASE_READ, &log, job->message);

	if (status == STATUS_OK && job->layout.table && !options->schema)
		status = layout_check(log, "main", &job->layout, job->message);
	else if (status == STATUS_OK) {
		layout_free(&job->layout);
		status = layout_find(log, &job->catalogue.source, options->table, options->schema,
				     &job->layout, job->message);
	}
	sqlite3_close(log);
	if (status != STATUS_OK && job->catalogue.source.line) {
		struct message cause = *job->message;

		message_set(job->message, status, "%s:%zu: [source]: %.700s",
			    options->catalogue_path, job->catalogue.source.line, cause.text);
	}
	return status;
}

static enum status job_prepare(struct job *job, struct diagnostics *diagnostics)
{
	const struct index_options *options = job->options;
	enum status status;

	/* First of all, so that a wrong path is not reported behind a long compilation. */
	if (access(options->log_path, R_OK) != 0) {
		sqlite3 *none;

		status = database_open(options->log_path, DATABASE_READ, &none, job->message);
		sqlite3_close(none);
		if (status != STATUS_OK)
			return status;
	}
	if (!options->check)
		database_recover(job->index_path);
	status = catalogue_load(job, diagnostics);
	if (status == STATUS_OK && !options->catalogue_path)
		status = stored_load(job, options->table);
	if (status == STATUS_OK)
		status = layout_load(job);
	if (status == STATUS_OK && options->catalogue_path && !options->prune)
		status = stored_load(job, job->layout.table);
	if (status == STATUS_OK)
		status = filter_set_add_stored(&job->filters, &job->stored, job->message);
	if (status != STATUS_OK)
		return status;
	snprintf(job->summary->table, sizeof(job->summary->table), "%s", job->layout.table);
	snprintf(job->summary->schema, sizeof(job->summary->schema), "%s", job->layout.schema);
	job->summary->filters = job->filters.count;
	return STATUS_OK;
}

static enum status filters_store(struct job *job)
{
	size_t count = BUILD_BUILT_IN + job->filters.count;
	struct store_filter *filters = calloc(count, sizeof(*filters));
	enum status status;

	if (!filters)
		return message_out_of_memory(job->message);
	filters[BUILD_ALL] = (struct store_filter){STORED_ALL, "", "every row that has a header"};
	filters[BUILD_SKIPPED] =
		(struct store_filter){STORED_SKIPPED, "", "every row that was skipped"};
	for (size_t i = 0; i < job->filters.count; i++)
		filters[BUILD_BUILT_IN + i] = (struct store_filter){
			.name = job->filters.items[i].name,
			.expression = job->filters.items[i].expression,
			.description = job->filters.items[i].description,
		};
	status = store_begin(job->store, &job->source.layout, job->message);
	if (status == STATUS_OK)
		status = store_add_filters(job->store, filters, count, job->message);
	free(filters);
	return status;
}

static enum status sink_to_store(void *context, const struct store_bitmap *bitmaps, size_t count,
				 struct message *message)
{
	return store_put(context, bitmaps, count, message);
}

static enum status job_evaluation(struct job *job)
{
	job->programs = calloc(job->filters.count + 1, sizeof(*job->programs));
	if (!job->programs)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < job->filters.count; i++)
		job->programs[i] = &job->filters.items[i].program;
	return evaluation_new(job->options->engine, job->programs, job->filters.count,
			      job->options->stop, &job->evaluation, job->message);
}

/* Tells of filters that are right but hardly meant so, whatever the engine. */
static enum status job_warn(struct job *job)
{
	const struct plan *plan = evaluation_plan(job->evaluation);
	struct plan *own = NULL;
	enum status status = STATUS_OK;

	if (!plan)
		status = plan_make(job->programs, job->filters.count, job->options->stop, &own,
				   job->message);
	if (status != STATUS_OK)
		return status;
	plan = own ? own : plan;
	for (size_t i = 0; i < job->filters.count; i++) {
		const struct filter_entry *filter = &job->filters.items[i];

		if (filter->line && plan_never(plan, i))
			diagnostics_add(&job->summary->warnings, filter->line,
					"filter '%.255s' never matches: no header of a connection "
					"meets it",
					filter->name);
		if (filter->line && plan_always(plan, i))
			diagnostics_add(&job->summary->warnings, filter->line,
					"filter '%.255s' always matches: every header of a "
					"connection meets it",
					filter->name);
	}
	plan_free(own);
	return STATUS_OK;
}

static enum status job_build(struct job *job)
{
	struct build_options build = {
		.source = &job->source,
		.evaluation = job->evaluation,
		.program_count = job->filters.count,
		.threads = job->options->threads,
		.sink = sink_to_store,
		.sink_context = job->store,
		.progress = job->options->progress,
		.progress_context = job->options->progress_context,
		.stop = job->options->stop,
	};

	job->filter_rows = calloc(BUILD_BUILT_IN + job->filters.count, sizeof(*job->filter_rows));
	if (!job->filter_rows)
		return message_out_of_memory(job->message);
	return build_run(&build, job->filter_rows, &job->summary->result, job->message);
}

/* What was read counts only if the log is still the one that was opened. */
static enum status job_finish(struct job *job)
{
	const struct store_totals totals = {
		.filter_rows = job->filter_rows,
		.outcomes = job->summary->result.outcomes,
		.first_row = job->source.empty ? 1 : job->source.first,
		.last_row = job->source.empty ? 0 : job->source.last,
		.fingerprint = job->source.fingerprint,
	};
	enum status status = source_check(&job->source, job->message);

	if (status == STATUS_OK)
		status = store_finish(job->store, &totals, job->message);
	return status;
}

static enum status job_run(struct job *job)
{
	enum status status =
		source_open(job->options->log_path, &job->layout, &job->source, job->message);

	if (status == STATUS_OK)
		status = store_open(job->index_path, job->source.encoding, &job->store,
				    job->message);
	if (status == STATUS_OK)
		status = filters_store(job);
	if (status == STATUS_OK)
		status = job_build(job);
	if (status == STATUS_OK)
		status = job_finish(job);
	return status;
}

enum status index_run(const struct index_options *options, struct index_summary *summary,
		      struct diagnostics *diagnostics, struct message *message)
{
	struct job job = {
		.options = options,
		.summary = summary,
		.message = message,
		.index_path = options->index_path ? options->index_path : options->log_path,
	};
	double start = clock_seconds();
	enum status status;

	*summary = (struct index_summary){0};
	status = job_prepare(&job, diagnostics);
	if (status == STATUS_OK)
		status = job_evaluation(&job);
	if (status == STATUS_OK)
		status = job_warn(&job);
	if (status == STATUS_OK && !options->check)
		status = job_run(&job);
	summary->seconds = clock_seconds() - start;
	store_close(job.store);
	source_free(&job.source);
	layout_free(&job.layout);
	evaluation_free(job.evaluation);
	filter_set_free(&job.filters);
	stored_filters_free(&job.stored);
	catalogue_free(&job.catalogue);
	free((void *)job.programs);
	free(job.filter_rows);
	return status;
}
