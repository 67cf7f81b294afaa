/* A stamp tells one file from another, and from itself as it was. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "database/file_stamp.h"
#include "paths.h"

/* The stamp within a read transaction that is over afterwards. */
static struct file_stamp stamp_of(sqlite3 *database)
{
	struct file_stamp stamp;

	must_run(database, "BEGIN; SELECT * FROM t");
	file_stamp_take(database, "main", &stamp);
	must_run(database, "COMMIT");
	return stamp;
}

static struct file_stamp stamp_of_path(const char *path)
{
	struct file_stamp stamp;
	sqlite3 *database;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	stamp = stamp_of(database);
	sqlite3_close(database);
	return stamp;
}

static void a_file_that_nobody_changed_has_its_stamp(void **state)
{
	struct paths paths;
	struct file_stamp stamp;
	struct file_stamp again;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(paths.log, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	stamp = stamp_of(database);
	again = stamp_of_path(paths.log);
	assert_int_equal(stamp.size, FILE_STAMP_SIZE);
	assert_true(file_stamp_same(&stamp, &again));
	sqlite3_close(database);
	paths_remove(&paths);
}

static void every_commit_gives_another_one(void **state)
{
	static const char *const changes[] = {
		"UPDATE t SET a = 2",
		"UPDATE t SET a = 1",
		"CREATE TABLE u (b)",
		"DROP TABLE u",
		"PRAGMA user_version = 7",
		"VACUUM",
		("PRAGMA locking_mode = EXCLUSIVE; UPDATE t SET a = 3; UPDATE t SET a = 4; "
		 "PRAGMA locking_mode = NORMAL; SELECT * FROM t"),
		"PRAGMA mmap_size = 1000000; UPDATE t SET a = 5",
	};
	struct paths paths;
	struct file_stamp last;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(paths.log, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	last = stamp_of(database);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct file_stamp next;

		must_run(database, changes[i]);
		next = stamp_of_path(paths.log);
		if (next.size != FILE_STAMP_SIZE || file_stamp_same(&last, &next))
			fail_msg("the same after: %s", changes[i]);
		last = next;
	}
	sqlite3_close(database);
	paths_remove(&paths);
}

/* As a copy that is put back, or one that was changed as often. */
static void a_copy_has_another_one(void **state)
{
	struct paths paths;
	struct file_stamp stamp;
	struct file_stamp copied;
	char command[3000];

	(void)state;
	paths_make(&paths);
	sqlite3_close(must_make(paths.log, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"));
	stamp = stamp_of_path(paths.log);
	snprintf(command, sizeof(command), "cp -p '%s' '%s.copy' && mv '%s.copy' '%s'", paths.log,
		 paths.log, paths.log, paths.log);
	assert_int_equal(system(command), 0);
	copied = stamp_of_path(paths.log);
	assert_int_equal(copied.size, FILE_STAMP_SIZE);
	assert_false(file_stamp_same(&stamp, &copied));
	paths_remove(&paths);
}

/* A connection that sees what is not in the file, and files whose changes are not counted. */
static void where_nothing_can_be_told_nothing_is_the_same(void **state)
{
	struct paths paths;
	struct file_stamp stamp;
	sqlite3 *database;

	(void)state;
	paths_make(&paths);
	database = must_make(paths.log, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	must_run(database, "BEGIN; UPDATE t SET a = 2");
	file_stamp_take(database, "main", &stamp);
	assert_int_equal(stamp.size, 0);
	assert_false(file_stamp_same(&stamp, &stamp));
	must_run(database, "ROLLBACK; PRAGMA read_uncommitted = ON");
	assert_int_equal(stamp_of(database).size, 0);
	must_run(database, "PRAGMA read_uncommitted = OFF; PRAGMA journal_mode = WAL");
	assert_int_equal(stamp_of(database).size, 0);
	must_run(database, "PRAGMA journal_mode = DELETE");
	assert_int_equal(stamp_of(database).size, FILE_STAMP_SIZE);
	sqlite3_close(database);
	for (int i = 0; i < 2; i++) {
		char name[3000];

		snprintf(name, sizeof(name), "file:%s?%s=1", paths.log, i ? "nolock" : "immutable");
		assert_int_equal(sqlite3_open_v2(name, &database,
						 SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL),
				 SQLITE_OK);
		assert_int_equal(stamp_of(database).size, 0);
		sqlite3_close(database);
	}
	assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
	must_run(database, "CREATE TABLE t (a)");
	assert_int_equal(stamp_of(database).size, 0);
	sqlite3_close(database);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_nobody_changed_has_its_stamp),
		cmocka_unit_test(every_commit_gives_another_one),
		cmocka_unit_test(a_copy_has_another_one),
		cmocka_unit_test(where_nothing_can_be_told_nothing_is_the_same),
	};

	return cmocka_run_group_tests_name("file stamps", tests, NULL, NULL);
}
