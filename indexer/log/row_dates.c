#include "row_dates.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARGUMENTS_MAX = 10 };

/* A function, asked on a connection of its own, where it is still SQLite's. */
struct date_function {
	const char *name;
	int time; /* the argument that is a time; the text "subsec" alone there is now */
	sqlite3 *inner;
	sqlite3_stmt *statement; /* with `count` arguments */
	int count;
};

static void function_free(void *reference)
{
	struct date_function *function = reference;

	sqlite3_finalize(function->statement);
	sqlite3_close(function->inner);
	free(function);
}

/* Whether an argument means the time or the place of whoever asks. */
static bool is_moving(sqlite3_value *value, bool is_time)
{
	static const char *const moving[] = {"now", "localtime", "utc"};
	const char *text;

	if (sqlite3_value_type(value) != SQLITE_TEXT && sqlite3_value_type(value) != SQLITE_BLOB)
		return false;
	text = (const char *)sqlite3_value_text(value);
	for (size_t i = 0; text && i < sizeof(moving) / sizeof(*moving); i++)
		if (sqlite3_stricmp(text, moving[i]) == 0)
			return true;
	return text && is_time &&
	       (sqlite3_stricmp(text, "subsec") == 0 || sqlite3_stricmp(text, "subsecond") == 0);
}

static int function_prepare(struct date_function *function, int count)
{
	static const char marks[] = "?,?,?,?,?,?,?,?,?,?";
	char sql[64];
	int code = SQLITE_OK;

	if (!function->inner)
		code = sqlite3_open_v2(":memory:", &function->inner,
				       SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY |
					       SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
				       NULL);
	if (code != SQLITE_OK || (function->statement && function->count == count))
		return code;
	sqlite3_finalize(function->statement);
	function->count = count;
	snprintf(sql, sizeof(sql), "SELECT %s(%.*s)", function->name, count * 2 - 1, marks);
	return sqlite3_prepare_v2(function->inner, sql, -1, &function->statement, NULL);
}

static void function_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct date_function *function = sqlite3_user_data(context);
	int code;

	if (count <= function->time) {
		sqlite3_result_error(context, "a date function without a time", -1);
		return;
	}
	if (count > ARGUMENTS_MAX) {
		sqlite3_result_error(context, "too many arguments of a date function", -1);
		return;
	}
	for (int i = 0; i < count; i++)
		if (is_moving(arguments[i], i == function->time))
			return;
	code = function_prepare(function, count);
	for (int i = 0; code == SQLITE_OK && i < count; i++)
		code = sqlite3_bind_value(function->statement, i + 1, arguments[i]);
	if (code == SQLITE_OK && sqlite3_step(function->statement) == SQLITE_ROW)
		sqlite3_result_value(context, sqlite3_column_value(function->statement, 0));
	else
		sqlite3_result_error(context, sqlite3_errmsg(function->inner), -1);
	sqlite3_reset(function->statement);
}

int row_dates_add(sqlite3 *database)
{
	static const struct {
		const char *name;
		int time;
	} dates[] = {
		{"date", 0},	  {"time", 0},	    {"datetime", 0},
		{"julianday", 0}, {"unixepoch", 0}, {"strftime", 1},
	};
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < sizeof(dates) / sizeof(*dates); i++) {
		struct date_function *function = calloc(1, sizeof(*function));

		if (!function)
			return SQLITE_NOMEM;
		function->name = dates[i].name;
		function->time = dates[i].time;
		/* It is freed by SQLite also where this fails. */
		code = sqlite3_create_function_v2(
			database, dates[i].name, -1,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, function,
			function_run, NULL, NULL, function_free);
	}
	return code;
}
