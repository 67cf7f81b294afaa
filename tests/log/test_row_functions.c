/* Functions in the place of SQLite's own: the same results, in time by the sum of what they are
 * given.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/row_functions.h"
#include "random.h"

enum { ROUNDS = 20000 };

static sqlite3 *must_open(bool own)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
	if (own)
		assert_int_equal(row_functions_add(database), SQLITE_OK);
	return database;
}

/* A literal of any type, short and of few characters, so that parts are often found. */
static void value_write(uint64_t *random, char *out, size_t size)
{
	static const char *const parts[] = {"a", "b", "ab", "\xc3\xa4", "\xe2\x82\xac", "/32", " "};
	static const char *const others[] = {"NULL", "1",     "-20",	 "1.5",
					     "x''",  "x'61'", "x'6162'", "x'c3a4'"};
	size_t used = 1;

	if (random_below(random, 4) == 0) {
		snprintf(out, size, "%s", others[random_below(random, 8)]);
		return;
	}
	out[0] = '\'';
	for (unsigned count = random_below(random, 7); count > 0; count--) {
		const char *part = parts[random_below(random, 7)];

		memcpy(out + used, part, strlen(part));
		used += strlen(part);
	}
	snprintf(out + used, size - used, "'");
}

static char *must_ask(sqlite3 *database, const char *call)
{
	char *sql = sqlite3_mprintf("SELECT typeof(%s) || quote(%s)", call, call);
	sqlite3_stmt *statement;
	char *answer;

	assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	answer = strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_free(sql);
	return answer;
}

static void results_are_those_of_sqlite(void **state)
{
	static const char *const names[] = {"instr", "replace", "trim", "ltrim", "rtrim"};
	sqlite3 *own = must_open(true);
	sqlite3 *plain = must_open(false);
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const char *name = names[random_below(&random, 5)];
		char values[3][64];
		char call[256];
		char *expected;
		char *actual;

		for (int i = 0; i < 3; i++)
			value_write(&random, values[i], sizeof(values[i]));
		snprintf(call, sizeof(call), "%s(%s, %s%s%s)", name, values[0], values[1],
			 strcmp(name, "replace") == 0 ? ", " : "",
			 strcmp(name, "replace") == 0 ? values[2] : "");
		expected = must_ask(plain, call);
		actual = must_ask(own, call);
		if (strcmp(expected, actual) != 0)
			fail_msg("%s is %s, not %s", call, expected, actual);
		free(expected);
		free(actual);
	}
	sqlite3_close(own);
	sqlite3_close(plain);
}

/* By the product it would take minutes. */
static void long_texts_take_no_time_of_their_product(void **state)
{
	static const char *const calls[] = {
		"instr(printf('%.*c', 4000000, 'a'), printf('%.*c', 2000000, 'a') || 'b')",
		"length(replace(printf('%.*c', 4000000, 'a'), printf('%.*c', 2000000, 'a'), 'c'))",
		"length(trim(printf('%.*c', 4000000, 'a'), 'bcdefga'))",
	};
	sqlite3 *own = must_open(true);

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		free(must_ask(own, calls[i]));
	sqlite3_close(own);
}

static void what_has_no_bound_is_an_error(void **state)
{
	static const char *const calls[] = {
		"SELECT trim('a', printf('%.*c', 257, 'a'))",
		"SELECT unhex('61', 'x')",
	};
	sqlite3 *own = must_open(true);

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		assert_int_equal(sqlite3_exec(own, calls[i], NULL, NULL, NULL), SQLITE_ERROR);
	sqlite3_limit(own, SQLITE_LIMIT_LENGTH, 1000);
	assert_int_equal(sqlite3_exec(own, "SELECT replace(printf('%.*c', 900, 'a'), 'a', 'bbbb')",
				      NULL, NULL, NULL),
			 SQLITE_TOOBIG);
	sqlite3_close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_those_of_sqlite),
		cmocka_unit_test(long_texts_take_no_time_of_their_product),
		cmocka_unit_test(what_has_no_bound_is_an_error),
	};

	return cmocka_run_group_tests_name("row_functions", tests, NULL, NULL);
}
