#include "rb_build.h"

#include <inttypes.h>
#include <stdlib.h>

#include "rb_argument.h"
#include "result.h"
#include "set/row_set_blob.h"
#include "set/row_set_builder.h"
#include "set/row_set_cursor.h"
#include "set_table.h"

enum { JSON_SUBTYPE = 'J' }; /* by which SQLite's JSON functions know their own */

static void rb_build_numbers(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct row_set_builder builder = {0};
	struct row_set set = {0};
	struct message message;
	enum status status = STATUS_OK;

	for (int i = 0; status == STATUS_OK && i < count; i++) {
		int64_t number;

		if (!rb_integer(context, arguments[i], &number))
			goto cleanup;
		status = row_set_builder_add(&builder, number, &message);
	}
	if (status == STATUS_OK)
		status = row_set_builder_finish(&builder, &set, &message);
	if (status == STATUS_OK)
		rb_result_set(context, &set);
	else
		result_failure(context, &message);
cleanup:
	row_set_builder_free(&builder);
}

static void rb_build(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct message message;
	struct row_set set;
	const int type = count == 1 ? sqlite3_value_type(arguments[0]) : SQLITE_INTEGER;

	if (rb_any_null(count, arguments))
		return;
	if (type != SQLITE_TEXT && type != SQLITE_BLOB)
		rb_build_numbers(context, count, arguments);
	else if (rb_set_read(sqlite3_context_db_handle(context), arguments[0], &set, &message) ==
		 STATUS_OK)
		rb_result_set(context, &set);
	else
		result_failure(context, &message);
}

/* Makes text the result, and frees it; SQLite's own limit on its length counts. */
static void result_json(sqlite3_context *context, sqlite3_str *text)
{
	const int code = sqlite3_str_errcode(text);
	char *json = sqlite3_str_finish(text);

	if (code == SQLITE_TOOBIG) {
		sqlite3_free(json);
		sqlite3_result_error_toobig(context);
	} else if (!json) {
		sqlite3_result_error_nomem(context);
	} else {
		sqlite3_result_text(context, json, -1, sqlite3_free);
		sqlite3_result_subtype(context, JSON_SUBTYPE);
	}
}

/* Appends all numbers, as far as the text may go. */
static enum status numbers_append(sqlite3_str *text, const struct row_set *set,
				  struct message *message)
{
	struct row_set_cursor cursor = {0};
	const char *comma = "";
	enum status status =
		row_set_cursor_start(&cursor, set, INT64_MIN, INT64_MAX, false, message);

	while (status == STATUS_OK && !cursor.at_end && sqlite3_str_errcode(text) == SQLITE_OK) {
		sqlite3_str_appendf(text, "%s%lld", comma, (long long)cursor.rowid);
		comma = ",";
		status = row_set_cursor_next(&cursor, message);
	}
	row_set_cursor_free(&cursor);
	return status;
}

static void rb_to_array(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct shared_set *answer;
	struct message message;
	sqlite3_str *text;
	enum status status;

	if (rb_any_null(count, arguments) || !(answer = rb_set(context, arguments, 0)))
		return;
	/* A digit and a comma for each number at least: what is too long is known before. */
	if (answer->rows.rows >
	    (uint64_t)sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1) /
		    2) {
		shared_set_release(answer);
		sqlite3_result_error_toobig(context);
		return;
	}
	text = sqlite3_str_new(sqlite3_context_db_handle(context));
	sqlite3_str_appendall(text, "[");
	status = numbers_append(text, &answer->rows, &message);
	sqlite3_str_appendall(text, "]");
	shared_set_release(answer);
	if (status == STATUS_OK) {
		result_json(context, text);
	} else {
		sqlite3_free(sqlite3_str_finish(text));
		result_failure(context, &message);
	}
}

static void append_bound(sqlite3_str *text, const char *name, bool any, int64_t value)
{
	if (any)
		sqlite3_str_appendf(text, ",\"%s\":%lld", name, (long long)value);
	else
		sqlite3_str_appendf(text, ",\"%s\":null", name);
}

static void rb_statistics(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct shared_set *answer;
	struct row_set_kinds kinds;
	uint64_t containers;
	sqlite3_str *text;
	int64_t first = 0;
	int64_t last = 0;
	bool any;

	if (rb_any_null(count, arguments) || !(answer = rb_set(context, arguments, 0)))
		return;
	row_set_kinds_count(&answer->rows, &kinds);
	containers = kinds.arrays + kinds.runs + kinds.bitsets;
	any = row_set_first(&answer->rows, &first) && row_set_last(&answer->rows, &last);
	text = sqlite3_str_new(sqlite3_context_db_handle(context));
	sqlite3_str_appendf(text,
			    "{\"cardinality\":%llu,\"bytes\":%d,\"bits\":%d,\"containers\":%llu,"
			    "\"arrays\":%llu,\"runs\":%llu,\"bitsets\":%llu",
			    (unsigned long long)answer->rows.rows,
			    sqlite3_value_bytes(arguments[0]),
			    any && (first < 0 || last > UINT32_MAX) ? 64 : 32,
			    (unsigned long long)containers, (unsigned long long)kinds.arrays,
			    (unsigned long long)kinds.runs, (unsigned long long)kinds.bitsets);
	append_bound(text, "min", any, first);
	append_bound(text, "max", any, last);
	sqlite3_str_appendall(text, "}");
	shared_set_release(answer);
	result_json(context, text);
}

static enum status iterate_get(void *context, sqlite3_value *const *arguments,
			       struct shared_set **answer, struct message *message)
{
	enum status status;

	*answer = shared_set_new();
	if (!*answer)
		return message_out_of_memory(message);
	status = rb_set_read(context, arguments[0], &(*answer)->rows, message);
	if (status != STATUS_OK) {
		shared_set_release(*answer);
		*answer = NULL;
	}
	return status;
}

/* As little is known as of any other table-valued function. */
static double iterate_guess(void *context)
{
	(void)context;
	return 1000;
}

static int iterate_register(sqlite3 *database)
{
	static const struct set_table_kind kind = {
		.name = "rb_iterate",
		.innocuous = true,
		.declaration = "CREATE TABLE rb_iterate (value INTEGER, bitmap HIDDEN)",
		.arguments = 1,
		.missing = "rb_iterate() needs a bitmap: rb_iterate(rb_build(1, 2, 3))",
		.get = iterate_get,
		.guess = iterate_guess,
	};

	return set_table_register(database, &kind, database, NULL);
}

int rb_build_register(sqlite3 *database)
{
	static const struct rb_function functions[] = {
		{"rb_build", -1, 0, false, rb_build},
		{"rb_to_array", 1, 0, true, rb_to_array},
		{"rb_statistics", 1, 0, false, rb_statistics},
	};

	const int code =
		rb_functions_register(database, functions, sizeof(functions) / sizeof(*functions));

	return code == SQLITE_OK ? iterate_register(database) : code;
}
