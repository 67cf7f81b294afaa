/* When the pages of a file are not what SQLite's transaction sees, or may not be. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log/page_file.h"
#include "log/page_reader.h"
#include "paths.h"

static void run(sqlite3 *database, const char *sql)
{
	must(database, sqlite3_exec(database, sql, NULL, NULL, NULL));
}

static void file_make(const char *path, const char *sql)
{
	sqlite3 *database;

	unlink(path);
	must(NULL, sqlite3_open(path, &database));
	run(database, sql);
	run(database,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
	    "INSERT INTO t SELECT i, 'text ' || i FROM n");
	sqlite3_close(database);
}

/* Why the file is not read by page, "" where it is. `meanwhile` is done before it ends. */
static const char *bars_of(const char *name, const char *vfs, void (*meanwhile)(const char *path),
			   const char *path)
{
	const char *why = NULL;
	sqlite3_stmt *row;
	struct page_file *file;
	sqlite3 *database;

	must(NULL, sqlite3_open_v2(name, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs));
	file = page_file_new(database, &why);
	assert_non_null(file);
	must(database, sqlite3_prepare_v2(database, "SELECT * FROM t", -1, &row, NULL));
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	if (!why && page_file_begin(file, &why)) {
		uint8_t page[65536];

		assert_true(page_file_geometry(file)->page_size <= sizeof(page));
		assert_true(page_file_read(file, 1, 1, page, &why));
		assert_false(page_file_read(file, 0, 1, page, &why));
		assert_false(
			page_file_read(file, page_file_geometry(file)->pages + 1, 1, page, &why));
		if (meanwhile)
			meanwhile(path);
		why = NULL;
		page_file_end(file, &why);
	}
	sqlite3_finalize(row);
	page_file_free(file);
	sqlite3_close(database);
	return why ? why : "";
}

static void an_ordinary_file_is_what_sqlite_sees(void **state)
{
	struct paths paths;

	(void)state;
	paths_make(&paths);
	file_make(paths.log, "CREATE TABLE t (a, b)");
	assert_string_equal(bars_of(paths.log, NULL, NULL, NULL), "");
	paths_remove(&paths);
}

/* Such as those that encrypt or pack pages. */
static void a_file_behind_another_vfs_is_not_read(void **state)
{
	sqlite3_vfs named = *sqlite3_vfs_find("unix");
	struct paths paths;

	(void)state;
	paths_make(&paths);
	file_make(paths.log, "CREATE TABLE t (a, b)");
	named.zName = "shim";
	assert_int_equal(sqlite3_vfs_register(&named, 0), SQLITE_OK);
	assert_non_null(strstr(bars_of(paths.log, "shim", NULL, NULL), "vfs"));
	sqlite3_vfs_unregister(&named);
	assert_non_null(strstr(bars_of(paths.log, "unix-excl", NULL, NULL), "vfs"));
	assert_non_null(strstr(bars_of(paths.log, "unix-none", NULL, NULL), "vfs"));
	paths_remove(&paths);
}

static void a_file_without_locks_is_not_read(void **state)
{
	struct paths paths;
	char name[300];

	(void)state;
	paths_make(&paths);
	file_make(paths.log, "CREATE TABLE t (a, b)");
	snprintf(name, sizeof(name), "file:%s?immutable=1", paths.log);
	assert_non_null(strstr(bars_of(name, NULL, NULL, NULL), "without locks"));
	snprintf(name, sizeof(name), "file:%s?nolock=1", paths.log);
	assert_non_null(strstr(bars_of(name, NULL, NULL, NULL), "without locks"));
	paths_remove(&paths);
}

static void a_byte_write(const char *path)
{
	const int file = open(path, O_WRONLY);
	const uint8_t byte = 1;

	assert_true(file >= 0);
	/* The kernel's clock has to have gone on since the file was made. */
	usleep(20000);
	assert_int_equal(pwrite(file, &byte, 1, 6000), 1);
	close(file);
}

static void a_page_add(const char *path)
{
	const int file = open(path, O_WRONLY | O_APPEND);
	const uint8_t page[4096] = {0};

	assert_true(file >= 0);
	assert_int_equal(write(file, page, sizeof(page)), sizeof(page));
	close(file);
}

static void the_file_remove(const char *path)
{
	unlink(path);
}

static void what_was_read_does_not_count_where_a_writer_broke_the_lock(void **state)
{
	static void (*const writers[])(const char *) = {a_byte_write, a_page_add, the_file_remove};
	struct paths paths;

	(void)state;
	paths_make(&paths);
	for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++) {
		file_make(paths.log, "CREATE TABLE t (a, b)");
		assert_non_null(strstr(bars_of(paths.log, NULL, writers[i], paths.log),
				       "under a lock that forbids it"));
	}
	paths_remove(&paths);
}

static void a_file_of_other_text_is_not_read(void **state)
{
	static const char *const encodings[] = {"UTF-16le", "UTF-16be"};
	struct paths paths;
	char sql[200];

	(void)state;
	paths_make(&paths);
	for (size_t i = 0; i < 2; i++) {
		snprintf(sql, sizeof(sql), "PRAGMA encoding = '%s'; CREATE TABLE t (a, b)",
			 encodings[i]);
		file_make(paths.log, sql);
		assert_non_null(strstr(bars_of(paths.log, NULL, NULL, NULL), "not UTF-8"));
	}
	paths_remove(&paths);
}

static void a_cut_file_is_not_read(void **state)
{
	static const int lacks[] = {1, 500, 4095};
	struct paths paths;

	(void)state;
	paths_make(&paths);
	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
		off_t size;
		int file;

		file_make(paths.log, "CREATE TABLE t (a, b)");
		file = open(paths.log, O_RDWR);
		size = lseek(file, 0, SEEK_END);
		assert_int_equal(ftruncate(file, size - lacks[i]), 0);
		close(file);
		assert_non_null(
			strstr(bars_of(paths.log, NULL, NULL, NULL), "shorter than it says"));
	}
	paths_remove(&paths);
}

/* Whether a reader begins with the table t. */
static const char *table_bars(const char *path, const char *sql)
{
	struct layout layout = {.table = strdup("t"), .rowid = strdup("rowid")};
	const char *why = NULL;
	struct page_reader *reader;
	sqlite3_stmt *row;
	sqlite3 *database;
	bool begun;

	unlink(path);
	must(NULL, sqlite3_open(path, &database));
	run(database, sql);
	layout.columns[ROLE_SOURCE_HOST] = strdup("b");
	reader = page_reader_new(database, &layout);
	assert_non_null(reader);
	must(database, sqlite3_prepare_v2(database, "SELECT * FROM sqlite_schema", -1, &row, NULL));
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	begun = page_reader_begin(reader, 0, 10, &why);
	assert_true(begun == !why);
	sqlite3_finalize(row);
	page_reader_free(reader);
	sqlite3_close(database);
	layout_free(&layout);
	return why ? why : "";
}

static void tables_of_other_kinds_are_not_read(void **state)
{
	struct paths paths;

	(void)state;
	paths_make(&paths);
	assert_string_equal(table_bars(paths.log, "CREATE TABLE t (a, b)"), "");
	assert_string_equal(table_bars(paths.log, "CREATE TABLE t (a INTEGER PRIMARY KEY DESC, b)"),
			    "");
	assert_non_null(
		strstr(table_bars(paths.log, "CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID"),
		       "ordinary"));
	assert_non_null(strstr(
		table_bars(paths.log, "CREATE TABLE u (a, b); CREATE VIEW t AS SELECT * FROM u"),
		"ordinary"));
	assert_non_null(strstr(table_bars(paths.log, "CREATE TABLE t (a, b AS (a + 1) STORED)"),
			       "generated"));
	assert_non_null(strstr(table_bars(paths.log, "CREATE TABLE t (a, c)"), "not stored"));
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_file_is_what_sqlite_sees),
		cmocka_unit_test(a_file_behind_another_vfs_is_not_read),
		cmocka_unit_test(a_file_without_locks_is_not_read),
		cmocka_unit_test(what_was_read_does_not_count_where_a_writer_broke_the_lock),
		cmocka_unit_test(a_file_of_other_text_is_not_read),
		cmocka_unit_test(a_cut_file_is_not_read),
		cmocka_unit_test(tables_of_other_kinds_are_not_read),
	};

	return cmocka_run_group_tests_name("page_file", tests, NULL, NULL);
}
