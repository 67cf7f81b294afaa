/* What --verify notices. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "job/job.h"
#include "job/verify.h"
#include "paths.h"

static void verification_finds_one_wrong_bit(void **state)
{
	struct paths paths;
	struct job_options options;
	struct job_summary summary;
	struct verify_summary verified;
	struct diagnostics diagnostics = {0};
	struct message message;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(
		paths.log,
		"CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
		"connection_transport, local_host, remote_host, local_port, remote_port);"
		"INSERT INTO connections VALUES (1, 'accept', 'tcp', '10.0.0.1', '10.0.0.2', 445, "
		"9), "
		"(5, 'accept', 'tcp', '10.0.0.1', '10.0.0.2', 445, 9)");
	must_write(paths.catalogue, "[filter smb]\nexpression = tcp dst port 445\n");
	options = (struct job_options){
		.log_path = paths.log, .catalogue_path = paths.catalogue, .threads = 1};
	assert_int_equal(job_run(&options, &summary, &diagnostics, &message), STATUS_OK);
	diagnostics_free(&summary.warnings);
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, LOG_READ_BEST,
				    &verified, &message),
			 STATUS_OK);
	assert_int_equal(verified.rows, 2);
	/* Row 5 becomes row 4 in the array container of smb, which is still well formed. */
	must_run(database, "UPDATE connbits_bitmap SET bitmap = "
			   "x'3a30000001000000000001001000000001000400' WHERE filter = "
			   "(SELECT id FROM connbits_filter WHERE name = 'smb')");
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, LOG_READ_BEST,
				    &verified, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "'smb', row id 5"));
	sqlite3_close(database);
	diagnostics_free(&diagnostics);
	paths_remove(&paths);
}

static void verification_finds_a_wrong_bit_of_the_last_of_many_filters(void **state)
{
	enum { FILTERS = 1100 };
	static char text[FILTERS * 64];
	struct paths paths;
	struct job_options options;
	struct job_summary summary;
	struct verify_summary verified;
	struct diagnostics diagnostics = {0};
	struct message message;
	size_t size = 0;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(
		paths.log,
		"CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
		"connection_transport, local_host, remote_host, local_port, remote_port);"
		"INSERT INTO connections VALUES (1, 'accept', 'tcp', '10.0.0.1', '10.0.0.2', 445, "
		"9), (5, 'accept', 'tcp', '10.0.0.1', '10.0.0.2', 446, 9)");
	for (int i = 1; i <= FILTERS; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size,
					 "[filter p%d]\nexpression = tcp port %d\n", i, i);
	must_write(paths.catalogue, text);
	options = (struct job_options){
		.log_path = paths.log, .catalogue_path = paths.catalogue, .threads = 1};
	assert_int_equal(job_run(&options, &summary, &diagnostics, &message), STATUS_OK);
	diagnostics_free(&summary.warnings);
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, LOG_READ_BEST,
				    &verified, &message),
			 STATUS_OK);
	assert_int_equal(verified.rows, 2);
	assert_int_equal(verified.comparisons, 2 * (FILTERS + 2));
	must_run(database,
		 "INSERT INTO connbits_bitmap SELECT (SELECT id FROM connbits_filter WHERE name = "
		 "'p1100'), chunk, rows, bitmap FROM connbits_bitmap WHERE filter = (SELECT id "
		 "FROM connbits_filter WHERE name = 'p445')");
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, LOG_READ_BEST,
				    &verified, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "'p1100', row id 1"));
	sqlite3_close(database);
	diagnostics_free(&diagnostics);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verification_finds_one_wrong_bit),
		cmocka_unit_test(verification_finds_a_wrong_bit_of_the_last_of_many_filters),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
