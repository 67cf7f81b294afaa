#include "job_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/database.h"
#include "database/database_open.h"
#include "index/index_format.h"
#include "log/layout_find.h"

/*
 * Which table the job is about, as far as it can be told before the index is
 * read: the one that the user names, or that the log is found to have. Where
 * none is found job_describe_log will say why; what is wrong in [source] stands
 * beside the mistakes of filters.
 */
static enum status table_find(struct job *job)
{
	const struct job_options *options = job->options;
	struct message ignored;
	sqlite3 *log;
	enum status status;

	job->table = options->table ? strdup(options->table) : NULL;
	if (options->table && !job->table)
		return message_out_of_memory(job->message);
	/* A catalogue with mistakes says nothing that can be relied on. */
	if (!options->catalogue_path || !diagnostics_empty(job->diagnostics))
		return STATUS_OK;
	status = database_open(options->log_path, DATABASE_READ, &log, &ignored);
	if (status == STATUS_OK)
		status = layout_find(log, &job->catalogue.source, options->table, options->schema,
				     &job->layout, job->diagnostics, &ignored);
	sqlite3_close(log);
	if (status != STATUS_OK) {
		layout_free(&job->layout);
		return STATUS_OK;
	}
	if (!job->table)
		job->table = strdup(job->layout.table);
	return job->table ? STATUS_OK : message_out_of_memory(job->message);
}

static enum status stored_read(struct job *job, sqlite3 *database)
{
	bool found;
	enum status status;

	if (!job->table && job->options->catalogue_path)
		return STATUS_OK;
	status = index_source_read(database, "main", job->table, &job->found.source, &found,
				   job->message);

	if (status == STATUS_OK && found)
		status = index_filters_read(database, "main", job->found.source.id,
					    &job->found.filters, job->message);
	if (status == STATUS_OK && found)
		status = index_sets_read(database, "main", job->found.source.id, &job->sets.found,
					 job->message);
	return status;
}

/* --check changes nothing, not even the file's lock. */
static enum status stored_look(struct job *job)
{
	sqlite3 *database = NULL;
	int format = 0;
	enum status status = STATUS_OK;

	if (access(job->index_path, F_OK) == 0) {
		status = database_open(job->index_path, DATABASE_READ, &database, job->message);
		if (status == STATUS_OK)
			status = index_format_read(database, "main", &format, job->message);
		if (status == STATUS_OK && format == INDEX_FORMAT)
			status = stored_read(job, database);
	}
	sqlite3_close(database);
	return status;
}

enum status job_open(struct job *job)
{
	enum status status;

	reader_gate_init(&job->gate);
	status = table_find(job);
	if (status != STATUS_OK)
		return status;
	if (job->options->check)
		return stored_look(job);
	status = index_file_open(job->index_path, &job->file, job->message);
	if (status != STATUS_OK)
		return status;
	job->same_file = database_same_file(job->index_path, job->options->log_path);
	if (index_file_damaged(job->file) && !job->options->rebuild)
		return message_set(job->message, STATUS_FAILED,
				   "%s: the table %s of the index is missing or not as it was "
				   "made; build the index again with --rebuild and a catalogue",
				   job->index_path, index_file_damaged(job->file));
	if (index_file_format(job->file) == INDEX_FORMAT)
		status = stored_read(job, index_file_database(job->file));
	else if (index_file_format(job->file))
		index_format_inherit(index_file_database(job->file), job->table,
				     &job->found.was_tracked, &job->found.was_unpacked);
	/* What is damaged beyond reading can still be built anew. */
	if (status != STATUS_OK && job->options->rebuild && job->options->catalogue_path) {
		index_source_free(&job->found.source);
		index_filters_free(&job->found.filters);
		index_sets_free(&job->sets.found);
		status = STATUS_OK;
	}
	if (status == STATUS_OK && !job->found.source.layout.table && job->options->forget)
		status = message_set(job->message, STATUS_FAILED,
				     "%s: has no index of the table '%.200s'", job->index_path,
				     job->table);
	else if (status == STATUS_OK && !job->found.source.layout.table &&
		 !job->options->catalogue_path)
		status = message_set(
			job->message, STATUS_USAGE,
			"%s: %s, so a catalogue is needed: connbits-index LOG CATALOGUE",
			job->index_path,
			index_file_format(job->file) == 0 ||
					index_file_format(job->file) == INDEX_FORMAT
				? "no index yet"
			: index_file_damaged(job->file) ? "the index is damaged"
							: "the index is of an earlier format");
	return status;
}
