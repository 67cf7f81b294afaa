#include "log_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "database/database.h"

struct source_reader {
	const struct source *source;
	sqlite3 *log;
	sqlite3_stmt *rows;  /* the rows from ?1 to ?2 */
	sqlite3_stmt *first; /* the first row id from ?1 on */
};

static enum status bounds_read(sqlite3 *log, struct source *source, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status;

	/* Two look-ups, not min() and max() in one SELECT: that would scan the table. */
	status = database_prepare(log, &statement, message,
				  "SELECT (SELECT min(%s) FROM main.\"%w\"), "
				  "(SELECT max(%s) FROM main.\"%w\")",
				  source->layout.rowid, source->layout.table, source->layout.rowid,
				  source->layout.table);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK) {
		source->empty = sqlite3_column_type(statement, 0) == SQLITE_NULL;
		source->first = sqlite3_column_int64(statement, 0);
		source->last = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return status;
}

static bool file_identify(const char *path, uint64_t *device, uint64_t *inode)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return false;
	*device = (uint64_t)file.st_dev;
	*inode = (uint64_t)file.st_ino;
	return true;
}

enum status source_open(const char *path, struct layout *layout,
			const struct stored_source *indexed, struct source *source,
			struct message *message)
{
	sqlite3 *log;
	enum status status;

	*source = (struct source){.path = path, .layout = *layout};
	*layout = (struct layout){0};
	status = database_open(path, DATABASE_READ, &log, message);
	if (status == STATUS_OK)
		status = database_execute(log, "BEGIN", message);
	if (status == STATUS_OK)
		status = layout_check(log, "main", &source->layout, message);
	if (status == STATUS_OK)
		status = bounds_read(log, source, message);
	if (status == STATUS_OK)
		status =
			database_encoding(log, source->encoding, sizeof(source->encoding), message);
	if (status == STATUS_OK && indexed)
		status = change_find(log, &source->layout, source->empty, source->first,
				     source->last, indexed, &source->change, message);
	if (status == STATUS_OK && !source->empty)
		status = fingerprint_take(log, "main", &source->layout, source->first, source->last,
					  &source->fingerprint, message);
	sqlite3_close(log);
	source->text_is_utf8 = strcmp(source->encoding, "UTF-8") == 0;
	if (status == STATUS_OK && !file_identify(path, &source->device, &source->inode))
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	return status;
}

enum status source_compare(const struct source *source, const struct stored_source *indexed,
			   struct change *change, struct message *message)
{
	sqlite3 *log;
	enum status status = database_open(source->path, DATABASE_READ, &log, message);

	if (status == STATUS_OK)
		status = database_execute(log, "BEGIN", message);
	if (status == STATUS_OK)
		status = change_find(log, &source->layout, source->empty, source->first,
				     source->last, indexed, change, message);
	sqlite3_close(log);
	return status;
}

enum status source_check(const struct source *source, bool tracked, struct message *message)
{
	struct message cause;
	uint64_t device;
	uint64_t inode;
	sqlite3 *log;
	enum status status;

	if (!file_identify(source->path, &device, &inode) || device != source->device ||
	    inode != source->inode)
		return message_set(message, STATUS_FAILED,
				   "%s: another file has taken its place while it was read; run "
				   "again",
				   source->path);
	cause.text[0] = '\0';
	status = database_open(source->path, DATABASE_READ, &log, message);
	if (status == STATUS_OK && !source->empty)
		status = fingerprint_check(log, "main", &source->layout, &source->fingerprint,
					   tracked, &cause, message);
	if (status == STATUS_OK && *cause.text)
		status = message_set(
			message, STATUS_FAILED,
			"%s: was renumbered or replaced while it was read (%.300s); run "
			"again",
			source->path, cause.text);
	sqlite3_close(log);
	return status;
}

void source_free(struct source *source)
{
	layout_free(&source->layout);
}

enum status source_reader_open(const struct source *source, struct source_reader **reader,
			       struct message *message)
{
	const struct layout *layout = &source->layout;
	struct source_reader *opened = calloc(1, sizeof(*opened));
	char *columns = layout_select_list(layout);
	enum status status;

	*reader = NULL;
	if (!opened || !columns) {
		status = message_out_of_memory(message);
		goto cleanup;
	}
	opened->source = source;
	status = database_open(source->path, DATABASE_READ, &opened->log, message);
	if (status == STATUS_OK)
		status = database_prepare(opened->log, &opened->rows, message,
					  "SELECT %s FROM main.\"%w\" WHERE %s BETWEEN ?1 AND ?2 "
					  "ORDER BY %s",
					  columns, layout->table, layout->rowid, layout->rowid);
	if (status == STATUS_OK)
		status = database_prepare(
			opened->log, &opened->first, message,
			"SELECT min(%s) FROM main.\"%w\" WHERE %s BETWEEN ?1 AND ?2", layout->rowid,
			layout->table, layout->rowid);
	if (status == STATUS_OK) {
		*reader = opened;
		opened = NULL;
	}
cleanup:
	sqlite3_free(columns);
	source_reader_close(opened);
	return status;
}

enum status source_next_segment(struct source_reader *reader, int64_t from, int64_t *number,
				bool *found, struct message *message)
{
	sqlite3_stmt *statement = reader->first;
	int row;
	enum status status;

	*found = false;
	if (reader->source->empty || from > segment_of(reader->source->last))
		return STATUS_OK;
	sqlite3_bind_int64(statement, 1, segment_first_row(from));
	sqlite3_bind_int64(statement, 2, reader->source->last);
	status = database_step(statement, &row, message);
	if (status == STATUS_OK && row && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
		*number = segment_of(sqlite3_column_int64(statement, 0));
		*found = true;
	}
	sqlite3_reset(statement);
	return status;
}

/*
 * In a UTF-8 file sqlite3_column_blob gives the text where it lies, while
 * sqlite3_column_text first copies it to add a terminator that nobody needs.
 */
static bool field_read(sqlite3_stmt *statement, int column, bool text_is_utf8, struct field *field)
{
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_NULL:
		field->kind = FIELD_NULL;
		return true;
	case SQLITE_INTEGER:
		field->kind = FIELD_INTEGER;
		field->integer = sqlite3_column_int64(statement, column);
		return true;
	case SQLITE_TEXT:
		field->kind = FIELD_TEXT;
		field->text = text_is_utf8 ? sqlite3_column_blob(statement, column)
					   : (const char *)sqlite3_column_text(statement, column);
		field->length = (size_t)sqlite3_column_bytes(statement, column);
		return field->text || field->length == 0;
	case SQLITE_BLOB:
		field->kind = FIELD_BLOB;
		field->text = sqlite3_column_blob(statement, column);
		field->length = (size_t)sqlite3_column_bytes(statement, column);
		return field->text || field->length == 0;
	default:
		field->kind = FIELD_OTHER;
		return true;
	}
}

/* The row on which the statement stands. */
static enum status row_read(struct source_reader *reader, enum outcome *outcome,
			    struct connection *connection, struct message *message)
{
	const struct layout *layout = &reader->source->layout;
	struct field fields[ROLE_COUNT];

	for (int role = 0; role < ROLE_COUNT; role++) {
		fields[role].kind = FIELD_NULL;
		if (layout->columns[role] &&
		    !field_read(reader->rows, role + 1, reader->source->text_is_utf8,
				&fields[role]))
			return message_out_of_memory(message);
	}
	*outcome = connection_read(fields, &layout->reading, connection);
	return STATUS_OK;
}

static void rows_bind(struct source_reader *reader, int64_t first, int64_t last)
{
	if (last > reader->source->last)
		last = reader->source->last;
	sqlite3_bind_int64(reader->rows, 1, first);
	sqlite3_bind_int64(reader->rows, 2, last);
}

enum status source_read_segment(struct source_reader *reader, int64_t number,
				struct segment *segment, struct message *message)
{
	int64_t first = segment_first_row(number);
	enum status status;

	segment_reset(segment, number);
	rows_bind(reader, first, first + (SEGMENT_ROWS - 1));
	for (;;) {
		struct connection connection;
		enum outcome outcome;
		int row;

		status = database_step(reader->rows, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = row_read(reader, &outcome, &connection, message);
		if (status != STATUS_OK)
			break;
		segment_append(segment,
			       (uint16_t)((uint64_t)sqlite3_column_int64(reader->rows, 0) & 0xffff),
			       outcome, &connection);
	}
	sqlite3_reset(reader->rows);
	return status;
}

enum status source_read_row(struct source_reader *reader, int64_t from, bool *found, int64_t *rowid,
			    enum outcome *outcome, struct connection *connection,
			    struct message *message)
{
	int row;
	enum status status;

	rows_bind(reader, from, INT64_MAX);
	status = database_step(reader->rows, &row, message);
	*found = status == STATUS_OK && row;
	if (*found) {
		*rowid = sqlite3_column_int64(reader->rows, 0);
		status = row_read(reader, outcome, connection, message);
	}
	sqlite3_reset(reader->rows);
	return status;
}

void source_reader_close(struct source_reader *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->rows);
	sqlite3_finalize(reader->first);
	sqlite3_close(reader->log);
	free(reader);
}
