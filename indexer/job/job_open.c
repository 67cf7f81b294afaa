#include "job_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rowid.h"
#include "database/database.h"
#include "database/database_open.h"
#include "index/bitmap_reader.h"
#include "index/index_cleanup.h"
#include "index/index_format.h"
#include "log/layout_find.h"
#include "log/notes_writer.h"

/*
 * Which table the job is about, as far as it can be told before the index is
 * read: the one that the user names, or that the log is found to have. Where
 * none is found job_source will say why.
 */
static enum status table_find(struct job *job)
{
	const struct index_options *options = job->options;
	struct message ignored;
	sqlite3 *log;
	enum status status;

	/* A catalogue with mistakes says nothing that can be relied on. */
	if (options->catalogue_path && !options->table && !diagnostics_empty(job->diagnostics))
		return STATUS_OK;
	if (!options->catalogue_path || options->table) {
		job->table = options->table ? strdup(options->table) : NULL;
		return options->table && !job->table ? message_out_of_memory(job->message)
						     : STATUS_OK;
	}
	status = database_open(options->log_path, DATABASE_READ, &log, &ignored);
	if (status == STATUS_OK)
		status = layout_find(log, &job->catalogue.source, NULL, options->schema,
				     &job->layout, &ignored);
	sqlite3_close(log);
	if (status != STATUS_OK) {
		layout_free(&job->layout);
		return STATUS_OK;
	}
	job->table = strdup(job->layout.table);
	return job->table ? STATUS_OK : message_out_of_memory(job->message);
}

static enum status stored_read(struct job *job, sqlite3 *database)
{
	bool found;
	enum status status;

	if (!job->table && job->options->catalogue_path)
		return STATUS_OK;
	status = stored_source_read(database, "main", job->table, &job->stored, &found,
				    job->message);

	if (status == STATUS_OK && found)
		status = stored_filters_read(database, "main", job->stored.id, &job->stored_filters,
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
			status = stored_format(database, "main", &format, job->message);
		if (status == STATUS_OK && format == STORED_FORMAT)
			status = stored_read(job, database);
	}
	sqlite3_close(database);
	return status;
}

enum status job_open(struct job *job)
{
	enum status status;

	gate_init(&job->gate);
	status = table_find(job);
	if (status != STATUS_OK)
		return status;
	if (job->options->check)
		return stored_look(job);
	status = store_open(job->index_path, &job->store, job->message);
	if (status != STATUS_OK)
		return status;
	job->same_file = database_same_file(job->index_path, job->options->log_path);
	if (store_format(job->store) == STORED_FORMAT)
		status = stored_read(job, store_database(job->store));
	else if (store_format(job->store))
		stored_format_inherit(store_database(job->store), job->table, &job->was_tracked,
				      &job->was_unpacked);
	/* What is damaged beyond reading can still be built anew. */
	if (status != STATUS_OK && job->options->rebuild && job->options->catalogue_path) {
		stored_source_free(&job->stored);
		stored_filters_free(&job->stored_filters);
		status = STATUS_OK;
	}
	if (status == STATUS_OK && !job->stored.layout.table && job->options->forget)
		status = message_set(job->message, STATUS_FAILED,
				     "%s: has no index of the table '%.200s'", job->index_path,
				     job->table);
	else if (status == STATUS_OK && !job->stored.layout.table && !job->options->catalogue_path)
		status = message_set(
			job->message, STATUS_USAGE,
			"%s: %s, so a catalogue is needed: connbits-index LOG CATALOGUE",
			job->index_path,
			store_format(job->store) == 0 || store_format(job->store) == STORED_FORMAT
				? "no index yet"
				: "the index is of an earlier format");
	return status;
}

/* Finds the log's table: as stored if there is no catalogue, else by the log itself. */
static enum status layout_load(struct job *job)
{
	const struct index_options *options = job->options;
	const struct layout *stored = &job->stored.layout;
	sqlite3 *log;
	enum status status = database_open(options->log_path, DATABASE_READ, &log, job->message);

	if (status == STATUS_OK && !options->catalogue_path && !options->schema)
		status = layout_copy(stored, &job->layout, job->message);
	if (status == STATUS_OK && job->layout.table)
		status = layout_check(log, "main", &job->layout, job->message);
	else if (status == STATUS_OK)
		status = layout_find(log, &job->catalogue.source,
				     options->table ? options->table : stored->table,
				     options->schema, &job->layout, job->message);
	sqlite3_close(log);
	if (status != STATUS_OK && job->catalogue.source.line) {
		struct message cause = *job->message;

		return message_set(job->message, status, "%s:%zu: [source]: %.700s",
				   options->catalogue_path, job->catalogue.source.line, cause.text);
	}
	return status;
}

static enum status source_load(struct job *job)
{
	struct layout layout;
	sqlite3 *connection = NULL;
	enum status status = layout_copy(&job->layout, &layout, job->message);

	if (status == STATUS_OK)
		status = database_open_moment(job->options->log_path, &connection, job->message);
	if (status == STATUS_OK)
		status = source_describe(connection, job->options->log_path, &layout, &job->source,
					 job->message);
	if (status == STATUS_OK && job->stored.layout.table)
		status = index_fit_go_on(connection, &job->source, &job->stored, &job->fit,
					 job->message);
	sqlite3_close(connection);
	layout_free(&layout);
	return status;
}

/* SQLite attaches only files of one text encoding, and that of a file with tables is fixed. */
static enum status encoding_check(struct job *job)
{
	char encoding[16];
	enum status status;

	if (job->same_file || store_format(job->store) == 0)
		return STATUS_OK;
	status = database_encoding(store_database(job->store), encoding, sizeof(encoding),
				   job->message);
	if (status != STATUS_OK || strcmp(encoding, job->source.encoding) == 0)
		return status;
	return message_set(job->message, STATUS_FAILED,
			   "%s: its text is %s and the log's is %s, so that SQLite could not read "
			   "both at once; remove it and run again",
			   job->index_path, encoding, job->source.encoding);
}

enum status job_source(struct job *job)
{
	const struct index_options *options = job->options;
	enum status status = layout_load(job);

	if (status != STATUS_OK)
		return status;
	/* Before the log is described: what changes from then on is for the next job. */
	job->tracked = options->track || job->stored.tracked || job->was_tracked;
	if (job->tracked && !options->check)
		status = job_track_begin(job);
	if (status == STATUS_OK)
		status = source_load(job);
	if (status != STATUS_OK)
		return status;
	snprintf(job->summary->table, sizeof(job->summary->table), "%s", job->layout.table);
	snprintf(job->summary->schema, sizeof(job->summary->schema), "%s", job->layout.schema);
	job->summary->rows_move = job->layout.rows_move;
	if (options->check)
		return STATUS_OK;
	status = encoding_check(job);
	if (status == STATUS_OK && job->tracked)
		status = job_track_notes(job);
	return status;
}

static bool any_new(const struct job *job)
{
	for (size_t i = 0; i < job->filters.count; i++)
		if (filter_entry_is_new(&job->filters.items[i]))
			return true;
	return false;
}

static void build_because(struct job *job, const char *reason)
{
	snprintf(job->summary->rebuild, sizeof(job->summary->rebuild), "%s", reason);
}

/*
 * Every run looks at what it would go on from: the last chunk of every filter.
 * *damage says what is wrong with it.
 */
static enum status last_chunk_check(struct job *job, struct message *damage)
{
	const int64_t chunk = chunk_of_row(job->stored.last_row);
	struct stored_bitmaps *cursor;
	enum status status =
		stored_bitmaps_open(store_database(job->store), "main", &cursor, job->message);

	damage->text[0] = '\0';
	for (size_t i = 0; status == STATUS_OK && i < job->stored_filters.count; i++) {
		roaring_bitmap_t *bits;
		int64_t found;

		stored_bitmaps_seek(cursor, job->stored_filters.items[i].id, chunk, chunk);
		if (stored_bitmaps_next(cursor, &found, &bits, damage) != STATUS_OK)
			break;
		damage->text[0] = '\0';
		if (bits)
			roaring_bitmap_free(bits);
	}
	stored_bitmaps_close(cursor);
	return status;
}

enum status job_must_build(struct job *job, bool *build)
{
	const struct index_options *options = job->options;
	struct message damage;
	enum status status;

	*build = true;
	if (!job->stored.layout.table) {
		if (store_format(job->store) && store_format(job->store) < STORED_FORMAT)
			build_because(job, "the index was of an earlier format");
		return STATUS_OK;
	}
	if (options->rebuild)
		build_because(job, "--rebuild");
	else if (job->stored.first_row > job->stored.last_row &&
		 outcomes_total(job->stored.outcomes) > 0)
		build_because(job, "the index was damaged: it had rows, but no row ids");
	else if (*job->untracked)
		build_because(job, job->untracked);
	else if (job->fit.rebuild)
		build_because(job, job->fit.rebuild_why);
	else if (!job->stored.packed && any_new(job))
		build_because(job, "a filter is new, and the index has no stored headers");
	else if (!job->stored.packed && options->recompute)
		build_because(job, "--recompute, and the index has no stored headers");
	if (*job->summary->rebuild)
		return STATUS_OK;
	status = last_chunk_check(job, &damage);
	if (status == STATUS_OK && *damage.text)
		build_because(job, damage.text);
	*build = *job->summary->rebuild != '\0';
	return status;
}

enum status job_drop(struct job *job, const char *table)
{
	const struct layout layout = {.table = (char *)table};
	enum status status = commit_source_forget(store_database(job->store), table, job->message);

	/* Its triggers too: nobody would deal with what they note. */
	if (status == STATUS_OK)
		status = track_remove(job->options->log_path, &layout, job->options->stop,
				      job->message);
	return status;
}

enum status job_forget(struct job *job)
{
	struct index_tables tables = {0};
	sqlite3 *log = NULL;
	enum status status =
		index_tables_read(store_database(job->store), true, &tables, job->message);

	if (status == STATUS_OK)
		status = database_open(job->options->log_path, DATABASE_READ, &log, job->message);
	for (size_t i = 0; status == STATUS_OK && i < tables.count; i++) {
		bool exists;

		status = database_asks(log, &exists, job->message,
				       "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND "
				       "name = %Q COLLATE NOCASE",
				       tables.names[i]);
		if (status == STATUS_OK && !exists)
			status = job_drop(job, tables.names[i]);
	}
	sqlite3_close(log);
	index_tables_free(&tables);
	return status;
}

void job_clear_up(struct job *job)
{
	const struct store_kept kept = {.table =
						job->layout.table ? job->layout.table : job->table};
	struct message ignored;

	/* The index is complete; what cannot be removed now is removed by the next job. */
	store_clean(store_database(job->store), &kept, &job->gate, job->options->stop, &ignored);
}

void job_free(struct job *job)
{
	store_close(job->store);
	source_free(&job->source);
	layout_free(&job->layout);
	filter_set_free(&job->filters);
	stored_filters_free(&job->stored_filters);
	stored_source_free(&job->stored);
	catalogue_free(&job->catalogue);
	free(job->noted);
	free(job->table);
	gate_destroy(&job->gate);
}
