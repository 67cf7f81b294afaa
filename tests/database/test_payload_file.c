/* Large values read past SQLite's page cache: as SQLite reads them, or not at all. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database/payload_file.h"
#include "paths.h"
#include "random.h"

static const int page_sizes[] = {512, 1024, 4096, 16384, 65536};

/* A table as the index has one, with values of all sizes. */
static void table_make(const char *path, uint64_t *seed, unsigned rows)
{
	sqlite3 *database = must_make(path, "");
	sqlite3_stmt *insert;
	char sql[120];

	snprintf(sql, sizeof(sql), "PRAGMA page_size = %d", page_sizes[random_below(seed, 5)]);
	must_run(database, sql);
	must_run(database,
		 "CREATE TABLE other (x); CREATE TABLE t (source INTEGER NOT NULL, segment "
		 "INTEGER NOT NULL, name INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY "
		 "(source, segment, name)); BEGIN");
	must(database,
	     sqlite3_prepare_v2(database,
				"INSERT INTO t (rowid, source, segment, name, bytes) VALUES "
				"(?1, 1, ?2, 2, randomblob(?3))",
				-1, &insert, NULL));
	for (unsigned i = 0; i < rows; i++) {
		const unsigned size = random_below(seed, random_below(seed, 4) ? 3000 : 200000);

		sqlite3_bind_int64(insert, 1, (int64_t)i * 3 - 40 + random_below(seed, 3));
		sqlite3_bind_int64(insert, 2, (int64_t)random_next(seed) >> random_below(seed, 60));
		sqlite3_bind_int(insert, 3, (int)size);
		sqlite3_step(insert);
		sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	must_run(database, "COMMIT; DELETE FROM t WHERE rowid % 7 = 3");
	sqlite3_close(database);
}

/* Compares some of a value; returns how many reads were the same. */
static size_t value_compare(struct payload_file *file, sqlite3 *database, int64_t rowid,
			    uint64_t *seed)
{
	static uint8_t bytes[1 << 18];
	static uint8_t known[1 << 18];
	struct payload payload;
	sqlite3_blob *blob = NULL;
	size_t same = 0;
	const bool found = payload_find(file, rowid, &payload);
	const bool exists =
		sqlite3_blob_open(database, "main", "t", "bytes", rowid, 0, &blob) == SQLITE_OK;
	size_t size = exists ? (size_t)sqlite3_blob_bytes(blob) : 0;

	if (found && exists && size <= sizeof(bytes)) {
		assert_int_equal(payload.size, size);
		for (unsigned i = 0; i < 5; i++) {
			const size_t at = random_below(seed, (unsigned)size + 1);
			const size_t part = random_below(seed, (unsigned)(size - at) + 1);

			if (!payload_read(file, &payload, at, part, bytes) ||
			    sqlite3_blob_read(blob, known, (int)part, (int)at) != SQLITE_OK)
				continue;
			assert_memory_equal(bytes, known, part);
			same++;
		}
		assert_false(payload_read(file, &payload, size, 1, bytes));
	}
	sqlite3_blob_close(blob);
	return same;
}

static void values_of_all_sizes_are_those_that_sqlite_reads(void **state)
{
	struct paths paths;
	uint64_t seed = 61;

	(void)state;
	paths_make(&paths);
	for (size_t round = 0; round < random_rounds(12); round++) {
		const unsigned rows = 1 + random_below(&seed, 120);
		struct payload_file *file;
		struct payload_file *again;
		sqlite3 *database;

		remove(paths.index);
		table_make(paths.index, &seed, rows);
		database = must_make(paths.index, "");
		must_run(database, "BEGIN");
		must_ask(database, "SELECT count(*) FROM t");
		file = payload_file_open(database, "main", "t");
		assert_non_null(file);
		again = payload_file_again(file);
		assert_non_null(again);
		for (int64_t rowid = -45; rowid < (int64_t)rows * 3; rowid++) {
			char sql[80];
			struct payload payload;

			snprintf(sql, sizeof(sql), "SELECT count(*) FROM t WHERE rowid = %d",
				 (int)rowid);
			assert_int_equal(payload_find(file, rowid, &payload),
					 must_ask(database, sql));
			if (must_ask(database, sql)) {
				assert_int_equal(value_compare(file, database, rowid, &seed), 5);
				assert_int_equal(value_compare(again, database, rowid, &seed), 5);
			}
		}
		payload_file_close(again);
		payload_file_close(file);
		sqlite3_close(database);
	}
	paths_remove(&paths);
}

/* Bytes of the file that are others: never past its end, and what both read is the same. */
static void damaged_pages_are_read_as_by_sqlite_or_not_at_all(void **state)
{
	struct paths paths;
	uint64_t seed = 62;
	size_t same = 0;

	(void)state;
	paths_make(&paths);
	for (size_t round = 0; round < random_rounds(150); round++) {
		struct payload_file *file;
		sqlite3 *database;
		FILE *stream;
		long size;

		remove(paths.index);
		table_make(paths.index, &seed, 1 + random_below(&seed, 12));
		stream = fopen(paths.index, "r+b");
		assert_non_null(stream);
		fseek(stream, 0, SEEK_END);
		size = ftell(stream);
		for (unsigned i = 1 + random_below(&seed, 4); i > 0; i--) {
			/* Mostly where a page begins, and where its cells are named. */
			const long page = 512 * (long)random_below(&seed, (unsigned)(size / 512));

			fseek(stream,
			      page + (long)random_below(&seed, random_below(&seed, 2) ? 40 : 512),
			      SEEK_SET);
			fputc((int)random_below(&seed, 256), stream);
		}
		fclose(stream);
		assert_int_equal(sqlite3_open(paths.index, &database), SQLITE_OK);
		if (sqlite3_exec(database, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL,
				 NULL) == SQLITE_OK) {
			file = payload_file_open(database, "main", "t");
			for (int64_t rowid = -45; file && rowid < 40; rowid++)
				same += value_compare(file, database, rowid, &seed);
			payload_file_close(file);
		}
		sqlite3_close(database);
	}
	assert_true(same > 1000);
	paths_remove(&paths);
}

static void only_files_that_are_what_the_connection_sees(void **state)
{
	struct paths paths;
	uint64_t seed = 63;
	sqlite3 *database;
	struct payload_file *file;

	(void)state;
	paths_make(&paths);
	table_make(paths.index, &seed, 9);
	database = must_make(paths.index, "");
	must_run(database, "BEGIN IMMEDIATE; UPDATE t SET bytes = x'00'");
	assert_null(payload_file_open(database, "main", "t"));
	must_run(database, "ROLLBACK; BEGIN");
	assert_null(payload_file_open(database, "main", "missing"));
	file = payload_file_open(database, "main", "t");
	assert_non_null(file);
	assert_false(payload_file_moved(file));
	/* Another file of the same name is none of the same table. */
	assert_int_equal(rename(paths.index, paths.log), 0);
	table_make(paths.index, &seed, 9);
	assert_true(payload_file_moved(file));
	assert_null(payload_file_again(file));
	assert_int_equal(rename(paths.log, paths.index), 0);
	payload_file_close(file);
	must_run(database, "PRAGMA read_uncommitted = 1");
	assert_null(payload_file_open(database, "main", "t"));
	must_run(database, "COMMIT; PRAGMA journal_mode = WAL");
	assert_null(payload_file_open(database, "main", "t"));
	sqlite3_close(database);
	database = must_make(":memory:", "CREATE TABLE t (a, bytes)");
	assert_null(payload_file_open(database, "main", "t"));
	sqlite3_close(database);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_all_sizes_are_those_that_sqlite_reads),
		cmocka_unit_test(damaged_pages_are_read_as_by_sqlite_or_not_at_all),
		cmocka_unit_test(only_files_that_are_what_the_connection_sees),
	};

	return cmocka_run_group_tests_name("payload_file", tests, NULL, NULL);
}
