/* Whether an index stands for its log: what a job goes on from, and what a question is answered
 * from. */
#include "unit.h"

#include <string.h>

#include "index/index_fit.h"
#include "job/job.h"
#include "paths.h"

struct fit_case {
	const char *sql;	/* what became of the log */
	const char *go_on;	/* why a job builds anew; NULL where it goes on */
	const char *answer;	/* why a question is refused; NULL where it is answered */
	const char *tracked[2]; /* the same of a log that is tracked */
};

static const struct fit_case cases[] = {
	{"SELECT 1", NULL, NULL, {NULL, NULL}},
	{"INSERT INTO connections (connection) VALUES (200)", NULL, NULL, {NULL, NULL}},
	{"DELETE FROM connections WHERE connection <= 50", NULL, NULL, {NULL, NULL}},
	{"DELETE FROM connections", "empty now", "id 1 is gone", {"empty now", "id 1 is gone"}},
	{"DELETE FROM connections WHERE connection <= 100; INSERT INTO connections (connection) "
	 "VALUES "
	 "(300)",
	 "none of the rows",
	 "none of the rows",
	 {"none of the rows", "none of the rows"}},
	{"INSERT INTO connections (connection) VALUES (0)",
	 "ahead of the first",
	 "ahead of the first",
	 {"ahead of all others", "id 0 was changed"}},
	{"DELETE FROM connections WHERE connection > 90",
	 "the log ends at row id 90",
	 "is gone",
	 {NULL, "was changed or deleted"}},
	{"UPDATE connections SET local_port = 1 WHERE connection = 100",
	 "100 is not",
	 "100 is not",
	 {NULL, "id 100 was changed"}},
	{"DROP TRIGGER IF EXISTS connbits_delete_connections",
	 NULL,
	 NULL,
	 {"gone or not as they were", "noted its changes are gone"}},
	{"ALTER TABLE connections RENAME COLUMN local_port TO port",
	 "other columns",
	 "local_port",
	 {"other columns", "local_port"}},
};

static void index_build(const struct paths *paths, bool tracked)
{
	const struct job_options options = {.log_path = paths->log,
					    .catalogue_path = paths->catalogue,
					    .index_path = paths->index,
					    .track = tracked,
					    .threads = 1};
	struct job_summary summary;
	struct diagnostics diagnostics = {0};
	struct message message;

	assert_int_equal(job_run(&options, &summary, &diagnostics, &message), STATUS_OK);
	diagnostics_free(&summary.warnings);
	diagnostics_free(&diagnostics);
}

static void expect(const char *wanted, enum status status, const struct index_fit *fit,
		   const struct message *message, const char *what)
{
	const char *why = status == STATUS_OK ? fit->rebuild_why : message->text;

	if (!wanted && (status != STATUS_OK || fit->rebuild))
		fail_msg("%s: does not fit: %s", what, why);
	if (wanted && (!strstr(why, wanted) || (status == STATUS_OK && !fit->rebuild)))
		fail_msg("%s: '%s' where '%s' is expected", what, why, wanted);
}

static void compare(const struct fit_case *fit_case, bool tracked)
{
	struct paths paths;
	struct index_source indexed;
	struct index_fit fit;
	struct layout layout = {0};
	struct log log = {0};
	struct message message;
	sqlite3 *database;
	char *attach;
	bool found;
	enum status status;

	paths_make(&paths);
	must_write(paths.catalogue, "[filter smb]\nexpression = tcp dst port 445\n");
	database = must_make(
		paths.log,
		"CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
		"connection_transport, local_host, local_port, remote_host, remote_port);"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
		"INSERT "
		"INTO connections SELECT i, 'accept', 'tcp', '10.0.0.1', i, '10.0.0.2', 9 FROM n");
	index_build(&paths, tracked);
	must_run(database, fit_case->sql);
	sqlite3_close(database);

	database = must_make(paths.log, "");
	attach = sqlite3_mprintf("ATTACH %Q AS idx", paths.index);
	must_run(database, attach);
	sqlite3_free(attach);
	assert_int_equal(index_source_read(database, "idx", NULL, &indexed, &found, &message),
			 STATUS_OK);
	assert_true(found);
	/* As a job finds it: other columns are the new layout's. */
	assert_int_equal(layout_copy(&indexed.layout, &layout, &message), STATUS_OK);
	if (strstr(fit_case->sql, "RENAME COLUMN"))
		assert_true(layout_set_text(&layout.columns[ROLE_SOURCE_PORT], "port"));
	must_run(database, "BEGIN");
	assert_int_equal(log_describe(database, paths.log, &layout, &log, &message), STATUS_OK);
	status = index_fit_go_on(database, &log, &indexed, &fit, &message);
	expect(tracked ? fit_case->tracked[0] : fit_case->go_on, status, &fit, &message,
	       fit_case->sql);
	status = index_fit_answer(database, "main", &indexed, &fit, &message);
	expect(tracked ? fit_case->tracked[1] : fit_case->answer, status, &fit, &message,
	       fit_case->sql);
	log_free(&log);
	index_source_free(&indexed);
	sqlite3_close(database);
	paths_remove(&paths);
}

static void each_change_has_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		compare(&cases[i], false);
}

static void a_tracked_log_tells_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		compare(&cases[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_has_its_reason),
		cmocka_unit_test(a_tracked_log_tells_more),
	};

	return cmocka_run_group_tests_name("index_fit", tests, NULL, NULL);
}
