#include "insert_loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "database/database.h"
#include "database/database_open.h"

struct loop_value {
	int type; /* SQLite's */
	int size; /* bytes of a text or blob */
	union {
		int64_t integer;
		double real;
		char *bytes;
	};
};

/* A table in memory. */
struct loop_rows {
	struct loop_value *values;
	size_t columns;
	size_t count; /* of values */
	size_t capacity;
	char *create; /* the table's SQL */
	int page_size;
};

static enum status value_take(sqlite3_stmt *row, int column, struct loop_value *value,
			      struct message *message)
{
	const void *bytes;

	value->type = sqlite3_column_type(row, column);
	switch (value->type) {
	case SQLITE_INTEGER:
		value->integer = sqlite3_column_int64(row, column);
		return STATUS_OK;
	case SQLITE_FLOAT:
		value->real = sqlite3_column_double(row, column);
		return STATUS_OK;
	case SQLITE_NULL:
		return STATUS_OK;
	default:
		bytes = sqlite3_column_blob(row, column);
		value->size = sqlite3_column_bytes(row, column);
		value->bytes = malloc((size_t)value->size + 1);
		if (!value->bytes || (!bytes && value->size))
			return message_out_of_memory(message);
		if (value->size)
			memcpy(value->bytes, bytes, (size_t)value->size);
		return STATUS_OK;
	}
}

static enum status row_take(sqlite3_stmt *row, struct loop_rows *rows, struct message *message)
{
	enum status status = STATUS_OK;

	if (rows->capacity - rows->count < rows->columns) {
		const size_t capacity = (rows->capacity + rows->columns) * 2;
		struct loop_value *larger = realloc(rows->values, capacity * sizeof(*rows->values));

		if (!larger)
			return message_out_of_memory(message);
		rows->values = larger;
		rows->capacity = capacity;
	}
	for (size_t i = 0; status == STATUS_OK && i < rows->columns; i++) {
		struct loop_value *value = &rows->values[rows->count++];

		*value = (struct loop_value){.type = SQLITE_NULL};
		status = value_take(row, (int)i, value, message);
	}
	return status;
}

/* The table's SQL and the file's page size. */
static enum status shape_read(sqlite3 *log, const char *table, struct loop_rows *rows,
			      struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status =
		database_prepare(log, &statement, message,
				 "SELECT sql, page_size FROM sqlite_master, pragma_page_size "
				 "WHERE type = 'table' AND name = %Q",
				 table);

	if (status != STATUS_OK)
		return status;
	status = database_step(statement, &row, message);
	if (status == STATUS_OK && !row)
		status = message_set(message, STATUS_FAILED, "there is no table '%.200s'", table);
	if (status == STATUS_OK) {
		const char *sql = (const char *)sqlite3_column_text(statement, 0);

		rows->create = sql ? strdup(sql) : NULL;
		rows->page_size = sqlite3_column_int(statement, 1);
		if (!rows->create)
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status rows_read(const char *log_path, const char *table, struct loop_rows *rows,
			     struct message *message)
{
	sqlite3_stmt *statement = NULL;
	sqlite3 *log;
	int row;
	enum status status = database_open(log_path, DATABASE_READ, &log, message);

	if (status == STATUS_OK)
		status = shape_read(log, table, rows, message);
	if (status == STATUS_OK)
		status = database_prepare(log, &statement, message, "SELECT * FROM \"%w\"", table);
	if (status == STATUS_OK)
		rows->columns = (size_t)sqlite3_column_count(statement);
	while (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = row_take(statement, rows, message);
	}
	sqlite3_finalize(statement);
	sqlite3_close(log);
	return status;
}

static int value_bind(sqlite3_stmt *insert, int place, const struct loop_value *value)
{
	switch (value->type) {
	case SQLITE_INTEGER:
		return sqlite3_bind_int64(insert, place, value->integer);
	case SQLITE_FLOAT:
		return sqlite3_bind_double(insert, place, value->real);
	case SQLITE_TEXT:
		return sqlite3_bind_text(insert, place, value->bytes, value->size, SQLITE_STATIC);
	case SQLITE_BLOB:
		return sqlite3_bind_blob(insert, place, value->bytes, value->size, SQLITE_STATIC);
	default:
		return sqlite3_bind_null(insert, place);
	}
}

static sqlite3_stmt *insert_prepare(sqlite3 *database, const char *table, size_t columns)
{
	sqlite3_str *sql = sqlite3_str_new(database);
	sqlite3_stmt *insert = NULL;
	char *text;

	sqlite3_str_appendf(sql, "INSERT INTO \"%w\" VALUES (?", table);
	for (size_t i = 1; i < columns; i++)
		sqlite3_str_appendall(sql, ", ?");
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	if (text)
		sqlite3_prepare_v2(database, text, -1, &insert, NULL);
	sqlite3_free(text);
	return insert;
}

/* The loop itself. */
static enum status rows_insert(sqlite3 *database, const char *table, const struct loop_rows *rows,
			       struct message *message)
{
	sqlite3_stmt *insert;
	enum status status = database_begin(database, message);
	int code = SQLITE_OK;

	if (status != STATUS_OK)
		return status;
	insert = insert_prepare(database, table, rows->columns);
	if (!insert)
		code = SQLITE_ERROR;
	for (size_t i = 0; code == SQLITE_OK && i < rows->count; i += rows->columns) {
		for (size_t j = 0; code == SQLITE_OK && j < rows->columns; j++)
			code = value_bind(insert, (int)j + 1, &rows->values[i + j]);
		sqlite3_step(insert);
		if (code == SQLITE_OK)
			code = sqlite3_reset(insert);
	}
	if (code != SQLITE_OK)
		status = database_failed(database, message);
	sqlite3_finalize(insert);
	return database_end(database, status, message);
}

static void rows_free(struct loop_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->values[i].type == SQLITE_TEXT || rows->values[i].type == SQLITE_BLOB)
			free(rows->values[i].bytes);
	free(rows->values);
	free(rows->create);
}

enum status insert_loop_measure(const char *log_path, const char *table, const char *scratch,
				double *seconds, uint64_t *count, struct message *message)
{
	struct loop_rows rows = {0};
	sqlite3 *database = NULL;
	sqlite3_stmt *statement;
	double start;
	int row;
	enum status status = rows_read(log_path, table, &rows, message);

	if (status == STATUS_OK)
		status = database_open(scratch, DATABASE_CREATE, &database, message);
	if (status == STATUS_OK)
		status = database_prepare(database, &statement, message, "PRAGMA page_size = %d",
					  rows.page_size);
	if (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		sqlite3_finalize(statement);
	}
	start = clock_seconds();
	if (status == STATUS_OK)
		status = database_execute(database, rows.create, message);
	if (status == STATUS_OK)
		status = rows_insert(database, table, &rows, message);
	*seconds = clock_seconds() - start;
	*count = rows.columns ? rows.count / rows.columns : 0;
	sqlite3_close(database);
	rows_free(&rows);
	return status;
}
