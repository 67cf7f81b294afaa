/* What --verify notices. */
#include "unit.h"

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
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, &verified, &message),
			 STATUS_OK);
	assert_int_equal(verified.rows, 2);
	/* Row 5 becomes row 4 in the array container of smb, which is still well formed. */
	must_run(database, "UPDATE connbits_bitmap SET bitmap = "
			   "x'3a30000001000000000001001000000001000400' WHERE filter = "
			   "(SELECT id FROM connbits_filter WHERE name = 'smb')");
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, &verified, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "'smb', row id 5"));
	sqlite3_close(database);
	diagnostics_free(&diagnostics);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verification_finds_one_wrong_bit),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
