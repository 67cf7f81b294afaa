/* A file in WAL mode that nobody can lock: known as such, and known again. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "database/immutable.h"
#include "paths.h"

static void wal_log_make(const struct paths *paths)
{
	sqlite3_close(must_make(paths->log, "PRAGMA journal_mode = WAL; CREATE TABLE t (x); "
					    "INSERT INTO t VALUES (1)"));
}

static sqlite3 *must_open(const char *name)
{
	sqlite3 *database;

	assert_non_null(name);
	assert_int_equal(
		sqlite3_open_v2(name, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, "SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
	return database;
}

static void only_a_whole_file_in_wal_mode_has_a_name(void **state)
{
	struct paths paths;
	char wal[sizeof(paths.log) + 8];
	char *name;

	(void)state;
	paths_make(&paths);
	assert_null(immutable_name(paths.log));
	must_write(paths.log, "SQLite format 3");
	assert_null(immutable_name(paths.log));
	unlink(paths.log);
	sqlite3_close(must_make(paths.log, "CREATE TABLE t (x)"));
	assert_null(immutable_name(paths.log));
	unlink(paths.log);
	wal_log_make(&paths);
	name = immutable_name(paths.log);
	assert_non_null(name);
	sqlite3_free(name);
	snprintf(wal, sizeof(wal), "%s-wal", paths.log);
	must_write(wal, "");
	assert_null(immutable_name(paths.log));
	assert_true(immutable_is_in_use(paths.log));
	assert_int_equal(symlink(paths.log, paths.index), 0);
	assert_null(immutable_name(paths.index));
	unlink(wal);
	assert_false(immutable_is_in_use(paths.log));
	name = immutable_name(paths.index);
	assert_non_null(name);
	sqlite3_free(name);
	unlink(paths.index);
	paths_remove(&paths);
}

static void it_is_opened_whatever_its_name(void **state)
{
	struct paths paths;
	char odd[sizeof(paths.folder) + 64];
	char twice[sizeof(odd) + 1];
	char *name;

	(void)state;
	paths_make(&paths);
	wal_log_make(&paths);
	snprintf(odd, sizeof(odd), "%s/a %%41?mode=rw#'\xc3\xa4&;", paths.folder);
	snprintf(twice, sizeof(twice), "/%s", odd);
	assert_int_equal(rename(paths.log, odd), 0);
	for (int i = 0; i < 2; i++) {
		name = immutable_name(i ? twice : odd);
		sqlite3_close(must_open(name));
		sqlite3_free(name);
	}
	unlink(odd);
	paths_remove(&paths);
}

static void a_change_is_seen(void **state)
{
	struct paths paths;
	struct message message;
	sqlite3 *reading;
	sqlite3 *writing;
	char *name;

	(void)state;
	paths_make(&paths);
	wal_log_make(&paths);
	name = immutable_name(paths.log);
	reading = must_open(name);
	assert_non_null(immutable_mark(reading, "main"));
	assert_int_equal(immutable_check(reading, &message), STATUS_OK);
	assert_int_equal(sqlite3_open(paths.log, &writing), SQLITE_OK);
	assert_null(immutable_mark(writing, "main"));
	assert_int_equal(sqlite3_exec(writing, "UPDATE t SET x = 2; PRAGMA wal_checkpoint", NULL,
				      NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(immutable_check(reading, &message), STATUS_FAILED);
	assert_non_null(strstr(message.text, "was changed while it was read"));
	assert_int_equal(immutable_check(writing, &message), STATUS_OK);
	sqlite3_close(writing);
	sqlite3_close(reading);
	sqlite3_free(name);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_whole_file_in_wal_mode_has_a_name),
		cmocka_unit_test(it_is_opened_whatever_its_name),
		cmocka_unit_test(a_change_is_seen),
	};

	return cmocka_run_group_tests_name("immutable", tests, NULL, NULL);
}
