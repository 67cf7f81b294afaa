/* A time is the same time, however a log writes it. */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "database/sqlite.h"
#include "packet/instant.h"
#include "paths.h"
#include "random.h"

#define MOMENT INT64_C(1700000000250000) /* 2023-11-14 22:13:20.25 */

static bool text_read(const char *text, int64_t *microseconds)
{
	const struct field field = {.kind = FIELD_TEXT, .text = text, .length = strlen(text)};

	return instant_read(&field, microseconds);
}

static void expect_text(const char *text, int64_t expected)
{
	int64_t microseconds;

	if (!text_read(text, &microseconds))
		fail_msg("'%s' is not read", text);
	if (microseconds != expected)
		fail_msg("'%s' is %" PRId64 ", not %" PRId64, text, microseconds, expected);
}

static void expect_integer(int64_t number, int64_t expected)
{
	const struct field field = {.kind = FIELD_INTEGER, .integer = number};
	char text[32];
	int64_t microseconds;

	assert_true(instant_read(&field, &microseconds));
	assert_true(microseconds == expected);
	snprintf(text, sizeof(text), "%" PRId64, number);
	expect_text(text, expected);
}

static void expect_real(double number, int64_t expected)
{
	const struct field field = {.kind = FIELD_REAL, .real = number};
	char text[32];
	int64_t microseconds;

	assert_true(instant_read(&field, &microseconds));
	assert_true(microseconds == expected);
	snprintf(text, sizeof(text), "%.17g", number);
	expect_text(text, expected);
	snprintf(text, sizeof(text), "%.17e", number);
	expect_text(text, expected);
}

static void a_numbers_magnitude_is_its_unit(void **state)
{
	(void)state;
	expect_integer(0, 0);
	expect_integer(1700000000, INT64_C(1700000000000000));
	expect_integer(1700000000250, MOMENT);
	expect_integer(1700000000250000, MOMENT);
	expect_integer(1700000000250000999, MOMENT);
	expect_integer(99999999999, INT64_C(99999999999000000));
	expect_integer(100000000000, INT64_C(100000000000000));
	expect_integer(99999999999999, INT64_C(99999999999999000));
	expect_integer(100000000000000, INT64_C(100000000000000));
	expect_integer(99999999999999999, INT64_C(99999999999999999));
	expect_integer(100000000000000000, INT64_C(100000000000000));
	expect_integer(INT64_MIN + 1, INT64_C(-9223372036854776));
	expect_integer(-1, -1000000);
}

static void a_number_with_a_fraction_too(void **state)
{
	(void)state;
	expect_real(1700000000.25, MOMENT);
	expect_real(1700000000250.0, MOMENT);
	expect_real(1700000000250000.0, MOMENT);
	expect_real(1.70000000025e18, MOMENT);
	expect_text("1700000000.250000", MOMENT);
	expect_text("1.70000000025e+09", MOMENT);
	expect_text("+1700000000.25", MOMENT);
	expect_text(" 1700000000.25 ", MOMENT);
}

static void a_date_without_a_zone_is_utc(void **state)
{
	(void)state;
	expect_text("2023-11-14 22:13:20.25", MOMENT);
	expect_text("2023-11-14T22:13:20.250", MOMENT);
	expect_text("2023-11-14T22:13:20,250", MOMENT);
	expect_text("2023-11-14 22:13:20.250000999", MOMENT);
	expect_text("20231114T221320.25", MOMENT);
	expect_text("2023-11-14 22:13:20", MOMENT - 250000);
	expect_text("2023-11-14 22:13", MOMENT - 20250000);
	expect_text("2023-11-14", INT64_C(1699920000000000));
	expect_text("20231114", INT64_C(1699920000000000));
	expect_text("20231314", INT64_C(20231314000000));
	expect_text("2024-02-29", INT64_C(1709164800000000));
	expect_text("2000-02-29", INT64_C(951782400000000));
	expect_text("1969-12-31T23:59:59.5", -500000);
	expect_text("2016-12-31T23:59:60Z", INT64_C(1483228800000000));
}

static void a_zone_counts(void **state)
{
	(void)state;
	expect_text("2023-11-14T22:13:20.25Z", MOMENT);
	expect_text("2023-11-14T22:13:20.25z", MOMENT);
	expect_text("20231114T221320.25Z", MOMENT);
	expect_text("2023-11-14T23:13:20.25+01:00", MOMENT);
	expect_text("2023-11-14T23:13:20.25+0100", MOMENT);
	expect_text("2023-11-14T23:13:20.25+01", MOMENT);
	expect_text("2023-11-14 16:43:20.25 -05:30", MOMENT);
	expect_text("2023-11-14 22:13:20.25 UTC", MOMENT);
	expect_text("2023-11-15 04:06:48.25+05:53:28", MOMENT);
}

static void what_go_prints_is_read(void **state)
{
	(void)state;
	expect_text("2023-11-14 22:13:20.25 +0000 UTC", MOMENT);
	expect_text("2023-11-14 23:13:20.25 +0100 CET", MOMENT);
	expect_text("2023-11-15 01:13:20.25 +0300 +03", MOMENT);
	expect_text("2023-11-14 23:13:20.25 +0100 CET m=+0.000012345", MOMENT);
	expect_text("2023-11-14 22:13:20.250000123 +0000 m=-0.5", MOMENT);
}

static void what_is_no_time_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"never",
		"-",
		".",
		"e9",
		"1e",
		"now",
		"12:30",
		"2023-",
		"2023-11",
		"2023-11-1",
		"2023-13-01",
		"2023-00-10",
		"2023-02-29",
		"2023-11-31",
		"1900-02-29",
		"0000-01-01",
		"2023-11-14T",
		"2023-11-14 24:00",
		"2023-11-14 22:60",
		"2023-11-14 22:13:61",
		"2023-11-14 22:13:20.",
		"2023-11-14 22:13:20 CET",
		"2023-11-14 22:13:20+",
		"2023-11-14 22:13:20+24:00",
		"2023-11-14 22:13:20+01:60",
		"2023-11-14 22:13:20Z Z",
		"2023-11-1422:13:20",
		"2023-1114",
		"20231114T22:13:20",
		"2023-11-14x",
		"1700000000x",
		"0x10",
		"inf",
		"nan",
		"1e400",
		"99999999999999999999",
		"9223372036854775807",
		"Tue Nov 14 22:13:20 2023",
	};
	int64_t microseconds;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (text_read(texts[i], &microseconds))
			fail_msg("'%s' is read as %" PRId64, texts[i], microseconds);
	assert_false(instant_read(&(struct field){.kind = FIELD_NULL}, &microseconds));
	assert_false(instant_read(&(struct field){.kind = FIELD_BLOB, .text = "1", .length = 1},
				  &microseconds));
	assert_false(
		instant_read(&(struct field){.kind = FIELD_REAL, .real = 1e300}, &microseconds));
}

/* SQLite knows the formats of its own functions. */
static void dates_are_what_sqlite_reads(void **state)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
					      "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	static const char *const zones[] = {"", "Z", "+01:00", " -11:30"};
	uint64_t random = 15;
	sqlite3 *database = must_make(":memory:", "");
	sqlite3_stmt *statement;

	(void)state;
	must(database, sqlite3_prepare_v2(database, "SELECT CAST(strftime('%s', ?1) AS INTEGER)",
					  -1, &statement, NULL));
	for (int round = 0; round < 20000; round++) {
		const time_t seconds =
			(time_t)random_below(&random, UINT32_C(4000000000)) * 60 - 30000000000;
		const size_t format = random_below(&random, 4);
		char text[64];
		struct tm parts;
		int64_t microseconds;

		gmtime_r(&seconds, &parts);
		strftime(text, 40, formats[format], &parts);
		if (format < 3)
			strcat(text, zones[random_below(&random, 4)]);
		sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
		if (!text_read(text, &microseconds))
			fail_msg("'%s' is not read", text);
		assert_true(microseconds == sqlite3_column_int64(statement, 0) * 1000000);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	sqlite3_close(database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_numbers_magnitude_is_its_unit),
		cmocka_unit_test(a_number_with_a_fraction_too),
		cmocka_unit_test(a_date_without_a_zone_is_utc),
		cmocka_unit_test(a_zone_counts),
		cmocka_unit_test(what_go_prints_is_read),
		cmocka_unit_test(what_is_no_time_is_none),
		cmocka_unit_test(dates_are_what_sqlite_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
