/* The rows by which a log is known again: which changes they show, and which they have to let pass.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/little_endian.h"
#include "log/fingerprint.h"
#include "log/layout_find.h"
#include "paths.h"
#include "random.h"

/* A log in memory with `count` rows, `step` row ids apart, the first of them `first`. */
struct log_case {
	sqlite3 *database;
	struct layout layout;
	struct fingerprint taken;
	int64_t first;
	int64_t last;
};

static void case_make(struct log_case *log, int64_t first, int64_t count, int64_t step)
{
	char sql[1024];
	struct message message;

	*log = (struct log_case){.first = first, .last = first + (count - 1) * step};
	snprintf(
		sql, sizeof(sql),
		"CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
		"connection_transport, local_host, local_port, remote_host, remote_port, note);"
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %lld - "
		"1) "
		"INSERT INTO connections SELECT %lld + i * %lld, 'accept', 'tcp', '10.0.0.1', i %% "
		"60000, '192.0.2.' || i %% 250, 1000, NULL FROM n",
		(long long)count, (long long)first, (long long)step);
	log->database = must_make(":memory:", sql);
	assert_int_equal(layout_find(log->database, NULL, NULL, NULL, &log->layout, NULL, &message),
			 STATUS_OK);
	assert_int_equal(fingerprint_take(log->database, "main", &log->layout, log->first,
					  log->last, &log->taken, &message),
			 STATUS_OK);
}

static void case_free(struct log_case *log)
{
	layout_free(&log->layout);
	sqlite3_close(log->database);
}

static int64_t sampled(const struct log_case *log, size_t place)
{
	return (int64_t)read_little_endian_64(log->taken.bytes + place * FINGERPRINT_BYTES);
}

/* What does not fit after the SQL, whose change is then taken back. */
static const char *cause_after(struct log_case *log, const char *sql, struct message *cause)
{
	struct message message;

	must_run(log->database, "BEGIN");
	must_run(log->database, sql);
	assert_int_equal(fingerprint_check(log->database, "main", &log->layout, &log->taken, false,
					   cause, &message),
			 STATUS_OK);
	must_run(log->database, "ROLLBACK");
	return cause->text;
}

static void samples_ascend_from_the_first_row_to_the_last(void **state)
{
	static const struct {
		int64_t first, count, step;
		size_t samples;
	} cases[] = {{1, 1, 1, 1},
		     {1, 2, 1, 2},
		     {-30, 64, 1, 64},
		     {1, 5000, 1, 64},
		     {-5000, 900, 7, 64},
		     {INT64_C(1) << 40, 3, 1 << 20, 3},
		     {INT64_MAX - 10, 11, 1, 11}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct log_case log;

		case_make(&log, cases[i].first, cases[i].count, cases[i].step);
		assert_int_equal(log.taken.count, cases[i].samples);
		assert_true(sampled(&log, 0) == log.first);
		assert_true(sampled(&log, log.taken.count - 1) == log.last);
		for (size_t sample = 1; sample < log.taken.count; sample++)
			assert_true(sampled(&log, sample) > sampled(&log, sample - 1));
		case_free(&log);
	}
}

static void samples_leave_no_wide_gap(void **state)
{
	struct log_case log;

	(void)state;
	case_make(&log, 1, 20000, 1);
	for (size_t i = 1; i < log.taken.count; i++)
		assert_true(sampled(&log, i) - sampled(&log, i - 1) <= 20000 / 32);
	case_free(&log);
}

static void new_rows_and_retention_let_it_fit(void **state)
{
	struct log_case log;
	struct message cause;

	(void)state;
	case_make(&log, 1, 1000, 1);
	assert_string_equal(cause_after(&log, "SELECT 1", &cause), "");
	assert_string_equal(
		cause_after(&log, "INSERT INTO connections (connection) VALUES (5000)", &cause),
		"");
	assert_string_equal(
		cause_after(&log, "DELETE FROM connections WHERE connection <= 700", &cause), "");
	assert_string_equal(cause_after(&log, "UPDATE connections SET note = 'read'", &cause), "");
	case_free(&log);
}

static void other_rows_under_the_ids_are_seen(void **state)
{
	static const struct {
		const char *sql, *cause;
	} changes[] = {
		{"DELETE FROM connections", "id 1 is gone"},
		{"UPDATE connections SET connection = -connection", "id 1 is gone"},
		{"DELETE FROM connections WHERE connection = 1000", "1000 is gone"},
		{"DELETE FROM connections WHERE connection > 500", "is gone"},
		{"UPDATE connections SET local_port = '445' WHERE connection = 1", "id 1 is not"},
		{"UPDATE connections SET local_port = CAST(local_port AS TEXT)", "is not the one"},
		{"UPDATE connections SET remote_host = NULL WHERE connection = 1000",
		 "1000 is not"},
		{"INSERT INTO connections (connection) VALUES (0)", "row id 0 stands ahead"},
	};
	struct log_case log;
	struct message cause;

	(void)state;
	case_make(&log, 1, 1000, 1);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		if (!strstr(cause_after(&log, changes[i].sql, &cause), changes[i].cause))
			fail_msg("%s: '%s' where '%s' is expected", changes[i].sql, cause.text,
				 changes[i].cause);
	case_free(&log);
}

/* A renumbering that moves every row shows, whatever the numbers are. */
static void renumbered_rows_are_seen(void **state)
{
	uint64_t seed = 3;
	struct log_case log;
	struct message cause;

	(void)state;
	case_make(&log, 100, 400, 3);
	for (size_t i = 0; i < random_rounds(50); i++) {
		char sql[256];
		const int by = 1 + (int)random_below(&seed, 500);

		snprintf(sql, sizeof(sql),
			 "CREATE TEMP TABLE moved AS SELECT * FROM connections; DELETE FROM "
			 "connections; "
			 "UPDATE moved SET connection = connection + %d;"
			 "INSERT INTO connections SELECT * FROM moved; DROP TABLE moved",
			 by);
		assert_true(*cause_after(&log, sql, &cause) != '\0');
	}
	case_free(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_ascend_from_the_first_row_to_the_last),
		cmocka_unit_test(samples_leave_no_wide_gap),
		cmocka_unit_test(new_rows_and_retention_let_it_fit),
		cmocka_unit_test(other_rows_under_the_ids_are_seen),
		cmocka_unit_test(renumbered_rows_are_seen),
	};

	return cmocka_run_group_tests_name("fingerprint", tests, NULL, NULL);
}
