#include "row_steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"
#include "packet/instant.h"
#include "row_field.h"

/* Rows that are looked at for one to tell of. */
enum { LOOKED_AT_MAX = 200000 };

/* Where a row ends for which an expression of [source] fails. */
#define OUTCOME_EXPRESSION_FAILED OUTCOME_ADDRESS

struct row_steps {
	const struct log *log;
	struct row_connection *connection;
	sqlite3_stmt *rows;	/* the rows from ?1 to ?2, with their times */
	sqlite3_stmt *compared; /* the same, of one row */
	sqlite3_stmt *single;	/* the same without: what fails is no time */
	sqlite3_stmt *first;	/* the first row id from ?1 on */
	sqlite3_stmt *time;	/* of the row ?1; NULL where the log has none */
};

static enum status time_prepare(struct row_steps *reader, struct message *message)
{
	const struct layout *layout = &reader->log->layout;
	sqlite3_str *list;
	char *column;
	enum status status;

	if (!layout->timestamp)
		return STATUS_OK;
	list = sqlite3_str_new(NULL);
	layout_column_append(list, layout->timestamp);
	column = sqlite3_str_finish(list);
	if (!column)
		return message_out_of_memory(message);
	status = database_prepare(row_connection_database(reader->connection), &reader->time,
				  message, "SELECT %s FROM main.\"%w\" WHERE %s = ?1", column,
				  layout->table, layout->rowid);
	sqlite3_free(column);
	return status;
}

static enum status rows_prepare(struct row_steps *reader, bool with_time, sqlite3_stmt **rows,
				struct message *message)
{
	const struct layout *layout = &reader->log->layout;
	char *columns = layout_select_list(layout, with_time);
	enum status status;

	if (!columns)
		return message_out_of_memory(message);
	status = database_prepare(
		row_connection_database(reader->connection), rows, message,
		"SELECT %s FROM main.\"%w\" WHERE %s BETWEEN ?1 AND ?2 ORDER BY %s", columns,
		layout->table, layout->rowid, layout->rowid);
	sqlite3_free(columns);
	return status;
}

enum status row_steps_open(const struct log *log, struct row_steps **reader,
			   struct message *message)
{
	const struct layout *layout = &log->layout;
	struct row_steps *opened = calloc(1, sizeof(*opened));
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->log = log;
	status = row_connection_open(log->path, layout, &opened->connection, message);
	if (status == STATUS_OK)
		status = row_connection_check(opened->connection, layout, message);
	if (status == STATUS_OK)
		status = rows_prepare(opened, true, &opened->rows, message);
	if (status == STATUS_OK)
		status = rows_prepare(opened, true, &opened->compared, message);
	if (status == STATUS_OK)
		status = rows_prepare(opened, false, &opened->single, message);
	if (status == STATUS_OK)
		status = database_prepare(
			row_connection_database(opened->connection), &opened->first, message,
			"SELECT min(%s) FROM main.\"%w\" WHERE %s BETWEEN ?1 AND ?2", layout->rowid,
			layout->table, layout->rowid);
	if (status == STATUS_OK)
		status = time_prepare(opened, message);
	if (status == STATUS_OK) {
		*reader = opened;
		opened = NULL;
	}
	row_steps_close(opened);
	return status;
}

enum status row_steps_next_segment(struct row_steps *reader, int64_t from, int64_t *number,
				   bool *found, struct message *message)
{
	sqlite3_stmt *statement = reader->first;
	int row;
	enum status status;

	*found = false;
	if (reader->log->empty || from > segment_of(reader->log->last))
		return STATUS_OK;
	sqlite3_bind_int64(statement, 1, segment_first_row(from));
	sqlite3_bind_int64(statement, 2, reader->log->last);
	status = row_connection_step(reader->connection, statement, &row, message);
	if (status == STATUS_OK && row && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
		*number = segment_of(sqlite3_column_int64(statement, 0));
		*found = true;
	}
	sqlite3_reset(statement);
	return status;
}

/* The row on which one of both statements stands. */
static enum status row_read(struct row_steps *reader, sqlite3_stmt *row, enum outcome *outcome,
			    struct connection *connection, struct message *message)
{
	const struct layout *layout = &reader->log->layout;
	struct field fields[ROLE_COUNT];

	for (int role = 0; role < ROLE_COUNT; role++) {
		fields[role].kind = FIELD_NULL;
		if (layout->columns[role] &&
		    !row_field_read(row, role + 1, reader->log->text_is_utf8, &fields[role]))
			return message_out_of_memory(message);
	}
	*outcome = connection_read(fields, &layout->reading, connection);
	return STATUS_OK;
}

static enum status time_field(const struct row_steps *reader, sqlite3_stmt *row, int column,
			      int64_t *time, struct message *message)
{
	struct field field;

	if (!row_field_read(row, column, reader->log->text_is_utf8, &field))
		return message_out_of_memory(message);
	if (!instant_read(&field, time))
		*time = INSTANT_NONE;
	return STATUS_OK;
}

static void rows_bind(const struct row_steps *reader, sqlite3_stmt *rows, int64_t first,
		      int64_t last)
{
	if (last > reader->log->last)
		last = reader->log->last;
	sqlite3_bind_int64(rows, 1, first);
	sqlite3_bind_int64(rows, 2, last);
}

static int64_t rowid_behind(int64_t rowid)
{
	return rowid < INT64_MAX ? rowid + 1 : rowid;
}

/* The row for which an expression failed: the first one that the statement did not come by. */
static enum status failed_row_find(struct row_steps *reader, int64_t from, int64_t last,
				   int64_t *rowid, struct message *message)
{
	struct message cause = *message;
	int row;
	enum status status;

	sqlite3_reset(reader->rows);
	sqlite3_reset(reader->single);
	/* The table itself may have changed, and then no row is at fault. */
	status = row_connection_check(reader->connection, &reader->log->layout, message);
	if (status != STATUS_OK)
		return status;
	sqlite3_bind_int64(reader->first, 1, from);
	sqlite3_bind_int64(reader->first, 2, last < reader->log->last ? last : reader->log->last);
	status = row_connection_step(reader->connection, reader->first, &row, message);
	if (status == STATUS_OK && sqlite3_column_type(reader->first, 0) == SQLITE_NULL) {
		*message = cause;
		status = STATUS_FAILED;
	}
	if (status == STATUS_OK)
		*rowid = sqlite3_column_int64(reader->first, 0);
	sqlite3_reset(reader->first);
	return status;
}

/* Takes the row on which one of both statements stands. */
static enum status row_take(struct row_steps *reader, sqlite3_stmt *row, struct segment *segment,
			    struct message *message)
{
	const uint16_t low = segment_place(sqlite3_column_int64(row, 0));
	struct connection connection;
	enum outcome outcome;
	enum status status = row_read(reader, row, &outcome, &connection, message);

	if (status == STATUS_OK && segment->timed) {
		segment->times[low] = INSTANT_NONE;
		if (row == reader->rows)
			status =
				time_field(reader, row, LAYOUT_TIME, &segment->times[low], message);
	}
	if (status == STATUS_OK)
		segment_append(segment, low, outcome, &connection);
	return status;
}

/* Reads the rows from *from on, up to the last or to one that fails, at which *from then is. */
static enum status rows_read(struct row_steps *reader, int64_t *from, int64_t last,
			     struct segment *segment, struct message *message)
{
	int row = 1;
	enum status status = STATUS_OK;

	rows_bind(reader, reader->rows, *from, last);
	while (status == STATUS_OK) {
		int64_t rowid;

		status = row_connection_step(reader->connection, reader->rows, &row, message);
		if (status != STATUS_OK || !row)
			break;
		rowid = sqlite3_column_int64(reader->rows, 0);
		if (rowid < *from)
			return message_set(
				message, STATUS_FAILED,
				"%.300s: row %lld of the table '%.100s' stands behind a "
				"higher one: it is damaged; PRAGMA integrity_check has more",
				reader->log->path, (long long)rowid, reader->log->layout.table);
		status = row_take(reader, reader->rows, segment, message);
		*from = rowid < last ? rowid + 1 : rowid;
	}
	return status;
}

struct row_connection *row_steps_connection(const struct row_steps *reader)
{
	return reader->connection;
}

enum status row_steps_begin(struct row_steps *reader, int64_t first, int64_t last, bool *found,
			    int64_t *rowid, struct message *message)
{
	int row = 0;
	enum status status;

	rows_bind(reader, reader->rows, first, last);
	status = row_connection_step(reader->connection, reader->rows, &row, message);
	*found = status == STATUS_OK && row;
	if (*found)
		*rowid = sqlite3_column_int64(reader->rows, 0);
	else
		sqlite3_reset(reader->rows);
	return status;
}

void row_steps_rest(struct row_steps *reader)
{
	sqlite3_reset(reader->rows);
}

static bool field_same(const struct field *a, const struct field *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case FIELD_NULL:
		return true;
	case FIELD_INTEGER:
	case FIELD_REAL:
		/* Real numbers bit for bit: they share the union. */
		return a->integer == b->integer;
	default:
		return a->length == b->length &&
		       (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
	}
}

/* Whether the row on which a statement stands has that id and those values. */
static enum status row_hold(const struct row_steps *reader, sqlite3_stmt *row, int64_t rowid,
			    const struct field *fields, const struct field *time, bool *same,
			    struct message *message)
{
	*same = sqlite3_column_int64(row, 0) == rowid;
	for (int column = 1; *same && column <= LAYOUT_TIME; column++) {
		struct field field;

		if (!row_field_read(row, column, reader->log->text_is_utf8, &field))
			return message_out_of_memory(message);
		*same = field_same(&field, column == LAYOUT_TIME ? time : &fields[column - 1]);
	}
	return STATUS_OK;
}

enum status row_steps_next(struct row_steps *reader, bool *found, struct message *message)
{
	int row = 0;
	enum status status = row_connection_step(reader->connection, reader->rows, &row, message);

	*found = status == STATUS_OK && row;
	return status;
}

enum status row_steps_hold(struct row_steps *reader, int64_t rowid, const struct field *fields,
			   const struct field *time, bool *same, struct message *message)
{
	return row_hold(reader, reader->rows, rowid, fields, time, same, message);
}

enum status row_steps_compare(struct row_steps *reader, int64_t rowid, const struct field *fields,
			      const struct field *time, bool *same, struct message *message)
{
	sqlite3_stmt *row = reader->compared;
	int found = 0;
	enum status status;

	sqlite3_bind_int64(row, 1, rowid);
	sqlite3_bind_int64(row, 2, rowid);
	status = row_connection_step(reader->connection, row, &found, message);
	*same = false;
	if (status == STATUS_OK && found)
		status = row_hold(reader, row, rowid, fields, time, same, message);
	sqlite3_reset(row);
	return status;
}

/* A row for which something fails: if that is its time, it has a header all the same. */
static enum status failed_row_read(struct row_steps *reader, int64_t rowid, struct segment *segment,
				   struct message *message)
{
	int row;
	enum status status;

	rows_bind(reader, reader->single, rowid, rowid);
	status = row_connection_step(reader->connection, reader->single, &row, message);
	if (status == STATUS_OK && row)
		status = row_take(reader, reader->single, segment, message);
	if (status != STATUS_OK && row_connection_row_failed(reader->connection)) {
		segment_append(segment, segment_place(rowid), OUTCOME_EXPRESSION_FAILED, NULL);
		status = STATUS_OK;
	}
	sqlite3_reset(reader->single);
	return status;
}

/* Reads on behind rows that fail. */
static enum status segment_read(struct row_steps *reader, int64_t number, struct segment *segment,
				struct message *message)
{
	const int64_t last = segment_last_row(number);
	int64_t from = segment_first_row(number);
	int64_t failed = 0;
	enum status status = rows_read(reader, &from, last, segment, message);

	while (status != STATUS_OK && row_connection_row_failed(reader->connection)) {
		status = failed_row_find(reader, from, last, &failed, message);
		if (status == STATUS_OK)
			status = failed_row_read(reader, failed, segment, message);
		if (status != STATUS_OK || failed == last)
			break;
		from = failed + 1;
		status = rows_read(reader, &from, last, segment, message);
	}
	sqlite3_reset(reader->rows);
	return status;
}

enum status row_steps_segment(struct row_steps *reader, int64_t number, struct segment *segment,
			      struct message *message)
{
	sqlite3 *database = row_connection_database(reader->connection);
	/* Which row has failed is asked of the moment in which it failed. */
	const bool may_fail = layout_has_expressions(&reader->log->layout);
	enum status status = STATUS_OK;

	if (may_fail)
		status = database_execute(database, "BEGIN", message);
	if (status == STATUS_OK)
		status = segment_read(reader, number, segment, message);
	if (may_fail)
		sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
	return status;
}

enum status row_steps_row(struct row_steps *reader, int64_t from, bool *found, int64_t *rowid,
			  enum outcome *outcome, struct connection *connection,
			  struct message *message)
{
	int row;
	enum status status;

	rows_bind(reader, reader->single, from, INT64_MAX);
	status = row_connection_step(reader->connection, reader->single, &row, message);
	*found = status == STATUS_OK && row;
	if (status != STATUS_OK && row_connection_row_failed(reader->connection)) {
		status = failed_row_find(reader, from, INT64_MAX, rowid, message);
		*found = status == STATUS_OK;
		*outcome = OUTCOME_EXPRESSION_FAILED;
	} else if (*found) {
		*rowid = sqlite3_column_int64(reader->single, 0);
		status = row_read(reader, reader->single, outcome, connection, message);
	}
	sqlite3_reset(reader->single);
	return status;
}

/* As much of a value as tells what is wrong with it. */
static void value_print(sqlite3_stmt *row, int column, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	switch (sqlite3_column_type(row, column)) {
	case SQLITE_TEXT:
		snprintf(out, size, "'%.40s'", text ? text : "");
		break;
	case SQLITE_BLOB:
		snprintf(out, size, "%d bytes", sqlite3_column_bytes(row, column));
		break;
	default:
		snprintf(out, size, "%.40s", text ? text : "NULL");
	}
}

/* The values of the row on which the statement stands that decide about an outcome. */
static void skipped_print(struct row_steps *reader, enum outcome outcome, char *values, size_t size)
{
	static const enum role roles[OUTCOME_COUNT][2] = {
		[OUTCOME_TYPE] = {ROLE_TYPE, ROLE_TYPE},
		[OUTCOME_TRANSPORT] = {ROLE_TRANSPORT, ROLE_PROTOCOL},
		[OUTCOME_ADDRESS] = {ROLE_SOURCE_HOST, ROLE_DESTINATION_HOST},
		[OUTCOME_FAMILY] = {ROLE_SOURCE_HOST, ROLE_DESTINATION_HOST},
		[OUTCOME_PORT] = {ROLE_SOURCE_PORT, ROLE_DESTINATION_PORT},
	};
	size_t used = 0;

	*values = '\0';
	for (int i = 0; i < 2 && used < size; i++) {
		const enum role role = roles[outcome][i];

		if (!reader->log->layout.columns[role] || (i && role == roles[outcome][0]))
			continue;
		if (used) {
			snprintf(values + used, size - used, ", ");
			used = strlen(values);
		}
		value_print(reader->single, (int)role + 1, values + used, size - used);
		used = strlen(values);
	}
}

enum status row_steps_skipped(struct row_steps *reader, enum outcome wanted, bool *found,
			      int64_t *rowid, char *values, size_t size, struct message *message)
{
	int64_t from = INT64_MIN;
	int row = 1;
	enum status status = STATUS_OK;

	*found = false;
	rows_bind(reader, reader->single, from, INT64_MAX);
	for (int i = 0; status == STATUS_OK && row && !*found && i < LOOKED_AT_MAX; i++) {
		struct connection connection;
		enum outcome outcome = OUTCOME_HEADER;

		status = row_connection_step(reader->connection, reader->single, &row, message);
		if (status != STATUS_OK && row_connection_row_failed(reader->connection)) {
			status = failed_row_find(reader, from, INT64_MAX, rowid, message);
			from = rowid_behind(*rowid);
			row = *rowid < INT64_MAX;
			rows_bind(reader, reader->single, from, INT64_MAX);
			continue;
		}
		if (status != STATUS_OK || !row)
			break;
		status = row_read(reader, reader->single, &outcome, &connection, message);
		*rowid = sqlite3_column_int64(reader->single, 0);
		from = rowid_behind(*rowid);
		*found = status == STATUS_OK && outcome == wanted;
		if (*found)
			skipped_print(reader, outcome, values, size);
	}
	sqlite3_reset(reader->single);
	return status;
}

enum status row_steps_failed(struct row_steps *reader, int64_t from, bool *found, int64_t *rowid,
			     char *reason, size_t size, struct message *message)
{
	int row = 1;
	enum status status = STATUS_OK;

	*found = false;
	rows_bind(reader, reader->single, from, INT64_MAX);
	for (int i = 0; status == STATUS_OK && row && i < LOOKED_AT_MAX; i++) {
		status = row_connection_step(reader->connection, reader->single, &row, message);
		if (status == STATUS_OK && row)
			from = rowid_behind(sqlite3_column_int64(reader->single, 0));
	}
	if (status != STATUS_OK && row_connection_row_failed(reader->connection)) {
		snprintf(reason, size, "%s",
			 sqlite3_errmsg(row_connection_database(reader->connection)));
		status = failed_row_find(reader, from, INT64_MAX, rowid, message);
		*found = status == STATUS_OK;
	}
	sqlite3_reset(reader->single);
	return status;
}

enum status row_steps_time(struct row_steps *reader, int64_t rowid, int64_t *time,
			   struct message *message)
{
	sqlite3_stmt *statement = reader->time;
	int row;
	enum status status;

	*time = INSTANT_NONE;
	if (!statement)
		return STATUS_OK;
	sqlite3_bind_int64(statement, 1, rowid);
	status = row_connection_step(reader->connection, statement, &row, message);
	if (status == STATUS_OK && row)
		status = time_field(reader, statement, 0, time, message);
	/* A time that cannot be evaluated is one that cannot be read. */
	else if (status != STATUS_OK && row_connection_row_failed(reader->connection))
		status = STATUS_OK;
	sqlite3_reset(statement);
	return status;
}

sqlite3_stmt *row_steps_statement(struct row_steps *reader)
{
	return reader->rows;
}

void row_steps_close(struct row_steps *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->rows);
	sqlite3_finalize(reader->compared);
	sqlite3_finalize(reader->single);
	sqlite3_finalize(reader->first);
	sqlite3_finalize(reader->time);
	row_connection_close(reader->connection);
	free(reader);
}
