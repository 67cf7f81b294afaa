#include "rb_argument.h"

#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "result.h"
#include "set/row_set_blob.h"
#include "set/row_set_builder.h"

/* What SQLite 3.45 and later wants to be told of functions that make JSON. */
#ifndef SQLITE_RESULT_SUBTYPE
#define SQLITE_RESULT_SUBTYPE 0
#endif

int rb_functions_register(sqlite3 *database, const struct rb_function *functions, size_t count)
{
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < count; i++)
		code = sqlite3_create_function_v2(
			database, functions[i].name, functions[i].arguments,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_RESULT_SUBTYPE |
				(functions[i].grows ? 0 : SQLITE_INNOCUOUS),
			(void *)&functions[i], functions[i].function, NULL, NULL, NULL);
	return code;
}

bool rb_any_null(int count, sqlite3_value **arguments)
{
	for (int i = 0; i < count; i++)
		if (sqlite3_value_type(arguments[i]) == SQLITE_NULL)
			return true;
	return false;
}

static enum status json_fail(struct message *message)
{
	return message_set(message, STATUS_USAGE,
			   "a bitmap as text is a JSON array of integers: [1,2,3]");
}

/* The numbers of a JSON array, one by one from SQLite's own reader of JSON. */
static enum status numbers_read(sqlite3_stmt *statement, struct row_set_builder *builder,
				struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		const int code = sqlite3_step(statement);

		if (code == SQLITE_NOMEM || code == SQLITE_INTERRUPT)
			return database_failed(sqlite3_db_handle(statement), message);
		if (code == SQLITE_DONE)
			break;
		if (code != SQLITE_ROW || sqlite3_column_type(statement, 0) != SQLITE_INTEGER)
			return json_fail(message);
		status = row_set_builder_add(builder, sqlite3_column_int64(statement, 0), message);
	}
	return status;
}

static enum status json_read(sqlite3 *database, sqlite3_value *value, struct row_set *set,
			     struct message *message)
{
	const char *text = (const char *)sqlite3_value_text(value);
	struct row_set_builder builder = {0};
	sqlite3_stmt *statement;
	enum status status;

	if (!text)
		return message_out_of_memory(message);
	if (text[strspn(text, " \t\r\n")] != '[')
		return json_fail(message);
	status = database_prepare(database, &statement, message,
				  "SELECT iif(type = 'integer', value, NULL) FROM json_each(?1)");
	if (status == STATUS_OK && sqlite3_bind_value(statement, 1, value) != SQLITE_OK)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = numbers_read(statement, &builder, message);
	if (status == STATUS_OK)
		status = row_set_builder_finish(&builder, set, message);
	row_set_builder_free(&builder);
	sqlite3_finalize(statement);
	return status;
}

enum status rb_set_read(sqlite3 *database, sqlite3_value *value, struct row_set *set,
			struct message *message)
{
	const void *bytes;

	*set = (struct row_set){0};
	switch (sqlite3_value_type(value)) {
	case SQLITE_BLOB:
		bytes = sqlite3_value_blob(value);
		return row_set_import(bytes, bytes ? (size_t)sqlite3_value_bytes(value) : 0, set,
				      message);
	case SQLITE_TEXT:
		return json_read(database, value, set, message);
	default:
		return message_set(message, STATUS_USAGE,
				   "a bitmap is a blob, or a JSON array of integers");
	}
}

struct shared_set *rb_set(sqlite3_context *context, sqlite3_value **arguments, int number)
{
	struct shared_set *answer = sqlite3_get_auxdata(context, number);
	struct message message;
	enum status status;

	if (answer) {
		answer->references++;
		return answer;
	}
	answer = shared_set_new();
	if (!answer) {
		sqlite3_result_error_nomem(context);
		return NULL;
	}
	status = rb_set_read(sqlite3_context_db_handle(context), arguments[number], &answer->rows,
			     &message);
	if (status != STATUS_OK) {
		shared_set_release(answer);
		result_failure(context, &message);
		return NULL;
	}
	answer->references++;
	sqlite3_set_auxdata(context, number, answer, (void (*)(void *))shared_set_release);
	return answer;
}

bool rb_integer(sqlite3_context *context, sqlite3_value *value, int64_t *integer)
{
	if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER) {
		*integer = sqlite3_value_int64(value);
		return true;
	}
	sqlite3_result_error(context, "an argument is no integer", -1);
	return false;
}

void rb_result_set(sqlite3_context *context, struct row_set *set)
{
	result_set_blob(context, set);
	row_set_free(set);
}
