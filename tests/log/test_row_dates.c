/* Date functions in the place of SQLite's own: the same results, but for what is another one later.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log/row_dates.h"

static sqlite3 *must_open(bool own)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
	if (own)
		assert_int_equal(row_dates_add(database), SQLITE_OK);
	return database;
}

/* The value with its type; NULL where the statement fails. */
static char *ask(sqlite3 *database, const char *call)
{
	char *sql = sqlite3_mprintf("SELECT typeof(x) || quote(x) FROM (SELECT %s AS x)", call);
	sqlite3_stmt *statement = NULL;
	char *answer = NULL;

	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		answer = strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_free(sql);
	return answer;
}

static void results_are_those_of_sqlite(void **state)
{
	static const char *const calls[] = {
		"date('2026-11-27')",
		"date(1700000000, 'unixepoch', '+1 day', 'start of month')",
		"datetime('2023-11-14T22:13:20Z')",
		"datetime(2460263.5)",
		"time('22:13:20.5')",
		"julianday('2023-11-14 22:13')",
		"unixepoch('2023-11-14 22:13:20')",
		"strftime('%Y/%m %s %f', 1700000000.25, 'unixepoch')",
		"strftime('now', '2023-11-14')",
		"date('no date')",
		"date(NULL)",
		"date(x'323032332d31312d3134')",
		"date('2023-11-14', 'weekday 0', '+1 year', '-2 months', '+3 hours')",
	};
	sqlite3 *own = must_open(true);
	sqlite3 *plain = must_open(false);

	(void)state;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
			char *expected = ask(plain, calls[i]);
			char *actual = ask(own, calls[i]);

			/* A format that reads as a time is no time. */
			if (strstr(calls[i], "strftime('now'"))
				assert_string_equal(actual, "nullNULL");
			else
				assert_string_equal(actual, expected);
			free(expected);
			free(actual);
		}
	sqlite3_close(own);
	sqlite3_close(plain);
}

static void what_is_another_later_is_null(void **state)
{
	static const char *const calls[] = {
		"date('now')",
		"julianday('NOW')",
		"unixepoch('no' || 'w')",
		"unixepoch('subsec')",
		"strftime('%s', 'now')",
		"datetime('2023-11-14', 'localtime')",
		"date('2023-11-14', 'u' || 'tc')",
	};
	sqlite3 *own = must_open(true);

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		char *actual = ask(own, calls[i]);

		if (!actual || strcmp(actual, "nullNULL") != 0)
			fail_msg("%s is %s", calls[i], actual ? actual : "an error");
		free(actual);
	}
	assert_null(ask(own, "date()"));
	assert_null(ask(own, "strftime('%s')"));
	assert_null(ask(own, "julianday(*)"));
	assert_null(ask(own, "date('2023-11-14','+1 day','+1 day','+1 day','+1 day','+1 day','+1 "
			     "day','+1 day','+1 day','+1 day','+1 day')"));
	sqlite3_close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_those_of_sqlite),
		cmocka_unit_test(what_is_another_later_is_null),
	};

	return cmocka_run_group_tests_name("row_dates", tests, NULL, NULL);
}
