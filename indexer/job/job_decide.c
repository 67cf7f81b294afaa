#include "job_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/rowid.h"
#include "database/database.h"
#include "database/database_open.h"
#include "database/table.h"
#include "index/bitmap_reader.h"
#include "index/index_fit.h"
#include "index/index_format.h"
#include "log/column_expression.h"
#include "log/layout_find.h"

/* The line of [source] that names a column which the table does not have; else its first. */
static size_t mistake_line(const struct job *job, sqlite3 *log)
{
	const struct source_section *section = &job->catalogue.source;
	const char *table = job->layout.table ? job->layout.table : section->table;
	struct message ignored;
	enum table_kind kind = TABLE_MISSING;
	bool has;

	if (!log || !table || table_find(log, "main", table, &kind, NULL, &ignored) != STATUS_OK ||
	    kind == TABLE_MISSING)
		return section->line;
	if (section->timestamp && !column_expression_is(section->timestamp) &&
	    table_has_column(log, "main", table, section->timestamp, &has, &ignored) == STATUS_OK &&
	    !has)
		return section->timestamp_line;
	for (int role = 0; role < ROLE_COUNT; role++) {
		const char *column = section->columns[role];

		if (column && !column_expression_is(column) &&
		    table_has_column(log, "main", table, column, &has, &ignored) == STATUS_OK &&
		    !has)
			return section->column_lines[role];
	}
	return section->line;
}

/* Finds the log's table: as stored if there is no catalogue, else by the log itself. */
static enum status layout_load(struct job *job)
{
	const struct job_options *options = job->options;
	const struct layout *stored = &job->found.source.layout;
	struct message ignored;
	struct stat file;
	bool alone = false;
	size_t line;
	sqlite3 *log;
	enum status status = database_open(options->log_path, DATABASE_READ, &log, job->message);

	if (status == STATUS_OK && !options->catalogue_path && !options->schema)
		status = layout_copy(stored, &job->layout, job->message);
	if (status == STATUS_OK && job->layout.table)
		status = layout_check(log, "main", &job->layout, job->message);
	else if (status == STATUS_OK)
		status = layout_find(log, &job->catalogue.source,
				     options->table ? options->table : stored->table,
				     options->schema, &job->layout, job->diagnostics, job->message);
	if (status != STATUS_OK && log &&
	    index_format_is_alone(log, &alone, &ignored) == STATUS_OK && alone)
		message_set(job->message, status,
			    "%s: is an index and has no log in it; write connbits-index LOG.sqlite "
			    "CATALOGUE --into %s",
			    options->log_path, options->log_path);
	if (!log)
		return status;
	if (status == STATUS_FAILED && stat(options->log_path, &file) == 0 &&
	    S_ISREG(file.st_mode) && file.st_size == 0)
		message_set(job->message, status, "%s: is empty, not a log", options->log_path);
	line = mistake_line(job, log);
	sqlite3_close(log);
	if (status != STATUS_OK && !alone && job->catalogue.source.line) {
		struct message cause = *job->message;

		return message_set(job->message, status, "%s:%zu: [source]: %.700s",
				   options->catalogue_path, line, cause.text);
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
		status = log_describe(connection, job->options->log_path, &layout, &job->log,
				      job->message);
	if (status == STATUS_OK && job->found.source.layout.table)
		status = index_fit_go_on(connection, &job->log, &job->found.source, &job->fit,
					 job->message);
	sqlite3_close(connection);
	layout_free(&layout);
	job_reading_settle(job, job->found.source.layout.table ? job->found.source.reading
							       : INDEX_READING_ANY);
	return status;
}

/* SQLite attaches only files of one text encoding, and that of a file with tables is fixed. */
static enum status encoding_check(struct job *job)
{
	char encoding[16];
	enum status status;

	if (job->same_file || index_file_format(job->file) == 0)
		return STATUS_OK;
	status = database_encoding(index_file_database(job->file), encoding, sizeof(encoding),
				   job->message);
	if (status != STATUS_OK || strcmp(encoding, job->log.encoding) == 0)
		return status;
	return message_set(job->message, STATUS_FAILED,
			   "%s: its text is %s and the log's is %s, so that SQLite could not read "
			   "both at once; remove it and run again",
			   job->index_path, encoding, job->log.encoding);
}

/* What is read of other rows changes without a note of the row that it is read for. */
static enum status track_check(struct job *job)
{
	const struct job_options *options = job->options;
	const char *role = layout_reads_rows(&job->layout);
	const bool tracked = options->track || job->found.source.tracked || job->found.was_tracked;

	if (!role || !tracked || options->no_track)
		return STATUS_OK;
	return message_set(job->message, STATUS_USAGE,
			   "the expression for '%s' reads other rows than its own, and no trigger "
			   "notes for which rows these count: such a log is indexed %s",
			   role, options->track ? "without --track" : "with --no-track");
}

enum status job_describe_log(struct job *job)
{
	const struct job_options *options = job->options;
	enum status status = layout_load(job);

	if (status != STATUS_OK)
		return status;
	status = track_check(job);
	if (status != STATUS_OK)
		return status;
	/* Before the log is described: what changes from then on is for the next job. */
	job->notes.tracked = options->track || job->found.source.tracked || job->found.was_tracked;
	if (job->notes.tracked && !options->check)
		status = job_notes_begin(job);
	if (status == STATUS_OK)
		status = source_load(job);
	if (status != STATUS_OK)
		return status;
	snprintf(job->summary->table, sizeof(job->summary->table), "%s", job->layout.table);
	snprintf(job->summary->schema, sizeof(job->summary->schema), "%s", job->layout.schema);
	job->summary->rows_move = job->layout.rows_move;
	if (job->layout.rowid_taken)
		snprintf(job->summary->rowid, sizeof(job->summary->rowid), "%s", job->layout.rowid);
	if (options->check)
		return STATUS_OK;
	status = encoding_check(job);
	if (status == STATUS_OK && job->notes.tracked)
		status = job_notes_read(job);
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
	snprintf(job->summary->rebuild_why, sizeof(job->summary->rebuild_why), "%s", reason);
}

/*
 * Every run looks at what it would go on from: the last chunk of every filter.
 * *damage says what is wrong with it.
 */
static enum status last_chunk_check(struct job *job, struct message *damage)
{
	const int64_t chunk = chunk_of_row(job->found.source.last_row);
	struct bitmap_reader *cursor;
	enum status status =
		bitmap_reader_open(index_file_database(job->file), "main", &cursor, job->message);

	damage->text[0] = '\0';
	for (size_t i = 0; status == STATUS_OK && i < job->found.filters.count; i++) {
		struct stored_chunk stored;

		bitmap_reader_seek(cursor, job->found.filters.items[i].id, chunk, chunk);
		if (bitmap_reader_next(cursor, &stored, damage) != STATUS_OK)
			break;
		damage->text[0] = '\0';
	}
	bitmap_reader_close(cursor);
	return status;
}

enum status job_must_build(struct job *job, bool *build)
{
	const struct job_options *options = job->options;
	struct message damage;
	enum status status;

	*build = true;
	if (!job->found.source.layout.table) {
		if (index_file_damaged(job->file))
			build_because(job, "--rebuild, and the tables of the index were damaged");
		else if (index_file_format(job->file) &&
			 index_file_format(job->file) < INDEX_FORMAT)
			build_because(job, "the index was of an earlier format");
		return STATUS_OK;
	}
	if (options->rebuild)
		build_because(job, "--rebuild");
	else if (job->found.source.first_row > job->found.source.last_row &&
		 outcomes_total(job->found.source.outcomes) > 0)
		build_because(job, "the index was damaged: it had rows, but no row ids");
	else if (*job->notes.missed_why)
		build_because(job, job->notes.missed_why);
	else if (job->found.source.reading == INDEX_READING_DIFFERED)
		build_because(job, "a row of the log once read differently by page than through "
				   "SQLite");
	else if (job->fit.rebuild)
		build_because(job, job->fit.rebuild_why);
	else if (!job->found.source.packed && any_new(job))
		build_because(job, "a filter is new or means something else, and the index has no "
				   "stored headers");
	else if (!job->found.source.packed && options->recompute)
		build_because(job, "--recompute, and the index has no stored headers");
	if (*job->summary->rebuild_why)
		return STATUS_OK;
	status = last_chunk_check(job, &damage);
	if (status == STATUS_OK && *damage.text)
		build_because(job, damage.text);
	*build = *job->summary->rebuild_why != '\0';
	return status;
}
