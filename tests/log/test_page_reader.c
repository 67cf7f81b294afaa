/*
 * Rows read by page are the rows that SQLite has, field by field: files of random schemas, values,
 * page sizes and histories, each as a whole and in spans; and files that are damaged.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/page_reader.h"
#include "page_compare.h"
#include "paths.h"
#include "random.h"

enum { COLUMNS_MAX = 24, SQL_MAX = 8192 };

/* What a file was made with, and a layout that reads some of its columns. */
struct table_case {
	uint64_t state;
	sqlite3 *database;
	struct layout layout;
	unsigned columns;
	bool wal;
	bool with_key;
	bool auto_vacuum;
	int64_t low; /* of the row ids that were given */
	unsigned spread;
};

static unsigned below(struct table_case *made, unsigned limit)
{
	return random_below(&made->state, limit);
}

static void run(struct table_case *made, const char *sql)
{
	must_run(made->database, sql);
}

static const char *type_name(struct table_case *made)
{
	static const char *const names[] = {
		"",	    "TEXT",  "INTEGER",		 "REAL", "BLOB", "INT",
		"ANY",	    "FLOAT", "DOUBLE PRECISION", "NUM",	 "CHAR", "FLOATING POINT",
		"REAL BLOB"};

	return names[below(made, sizeof(names) / sizeof(*names))];
}

/* A value as SQL writes it. */
static void value_print(struct table_case *made, char *out, size_t size)
{
	static const char *const numbers[] = {"0",
					      "1",
					      "-1",
					      "127",
					      "-128",
					      "128",
					      "32767",
					      "-32769",
					      "8388607",
					      "-8388609",
					      "65535",
					      "443",
					      "2147483648",
					      "-2147483649",
					      "140737488355328",
					      "1e300",
					      "-0.0",
					      "443.0",
					      "0.5",
					      "9223372036854775807",
					      "9e999",
					      "-9223372036854775807 - 1"};

	switch (below(made, 8)) {
	case 0:
		snprintf(out, size, "NULL");
		return;
	case 1:
	case 2:
		snprintf(out, size, "%s", numbers[below(made, sizeof(numbers) / sizeof(*numbers))]);
		return;
	case 3:
		snprintf(out, size, "'%u.%u.%u.%u'", below(made, 256), below(made, 256),
			 below(made, 256), below(made, 256));
		return;
	case 4:
		snprintf(out, size, "printf('%%.*c', %u, 'x')",
			 below(made, 4) ? below(made, 50) : below(made, 3000));
		return;
	case 5:
		snprintf(out, size, "randomblob(%u)",
			 below(made, 8) ? 1 + below(made, 40) : 1 + below(made, 20000));
		return;
	case 6:
		snprintf(out, size, "''");
		return;
	default:
		snprintf(out, size, "'accept'");
	}
}

static int64_t rowid_next(struct table_case *made)
{
	return (int64_t)((uint64_t)made->low + below(made, made->spread));
}

static void rows_insert(struct table_case *made, unsigned rows)
{
	char sql[SQL_MAX];

	run(made, "BEGIN");
	for (unsigned i = 0; i < rows; i++) {
		int used = snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO t (%s",
				    made->with_key ? "k" : "rowid");

		for (unsigned c = 0; c < made->columns; c++)
			used += snprintf(sql + used, sizeof(sql) - (size_t)used, ", c%u", c);
		used += snprintf(sql + used, sizeof(sql) - (size_t)used, ") VALUES (%lld",
				 (long long)rowid_next(made));
		for (unsigned c = 0; c < made->columns; c++) {
			char value[80];

			value_print(made, value, sizeof(value));
			used += snprintf(sql + used, sizeof(sql) - (size_t)used, ", %s", value);
		}
		snprintf(sql + used, sizeof(sql) - (size_t)used, ")");
		run(made, sql);
	}
	run(made, "COMMIT");
}

static void column_add(struct table_case *made)
{
	static const char *const defaults[] = {"",
					       " DEFAULT 7",
					       " DEFAULT 'later'",
					       " DEFAULT 1.5",
					       " DEFAULT x'0a000001'",
					       " NOT NULL DEFAULT '10.0.0.9'",
					       " DEFAULT NULL",
					       " DEFAULT -3"};
	char sql[200];

	if (made->columns == COLUMNS_MAX)
		return;
	snprintf(sql, sizeof(sql), "ALTER TABLE t ADD COLUMN c%u %s%s", made->columns,
		 type_name(made), defaults[below(made, sizeof(defaults) / sizeof(*defaults))]);
	run(made, sql);
	made->columns++;
}

static void history_run(struct table_case *made)
{
	char sql[200];

	rows_insert(made, below(made, 4) ? below(made, 60) : below(made, 600));
	for (unsigned step = below(made, 7); step > 0; step--)
		switch (below(made, 8)) {
		case 0:
		case 1:
			column_add(made);
			break;
		case 2:
			snprintf(sql, sizeof(sql), "DELETE FROM t WHERE random() %% %u = 0",
				 1 + below(made, 4));
			run(made, sql);
			break;
		case 3:
			run(made, "VACUUM");
			break;
		case 4:
			snprintf(sql, sizeof(sql),
				 "UPDATE t SET c0 = randomblob(%u) WHERE random() %% 3 = 0",
				 1 + below(made, 4000));
			run(made, sql);
			break;
		case 5:
			/* Another table takes pages between. */
			run(made,
			    "CREATE TABLE IF NOT EXISTS other (a, b); CREATE INDEX IF NOT EXISTS i "
			    "ON t (c0); INSERT INTO other SELECT 1, randomblob(900) FROM t");
			break;
		case 6:
			run(made, "DROP TABLE IF EXISTS other");
			break;
		default:
			rows_insert(made, below(made, 60));
		}
}

static void table_create(struct table_case *made)
{
	char sql[SQL_MAX];
	int used;

	made->auto_vacuum = below(made, 3) == 0;
	snprintf(sql, sizeof(sql), "PRAGMA page_size = %u; PRAGMA auto_vacuum = %u",
		 512U << below(made, 8), made->auto_vacuum ? 1 + below(made, 2) : 0);
	run(made, sql);
	made->with_key = below(made, 2);
	used = snprintf(sql, sizeof(sql), "CREATE TABLE t (");
	for (unsigned c = 0; c < made->columns; c++) {
		used += snprintf(sql + used, sizeof(sql) - (size_t)used, "%s", c ? ", " : "");
		if (c == made->columns / 2 && made->with_key)
			used += snprintf(sql + used, sizeof(sql) - (size_t)used,
					 "k INTEGER PRIMARY KEY, ");
		used += snprintf(sql + used, sizeof(sql) - (size_t)used, "c%u %s", c,
				 type_name(made));
	}
	snprintf(sql + used, sizeof(sql) - (size_t)used, ")");
	run(made, sql);
}

/* Any columns for any roles: nothing is made of them but a comparison. */
static void layout_make(struct table_case *made)
{
	char name[16];

	made->layout = (struct layout){.table = strdup("t"), .rowid = strdup("rowid")};
	for (int role = 0; role <= ROLE_COUNT; role++) {
		char **place =
			role < ROLE_COUNT ? &made->layout.columns[role] : &made->layout.timestamp;

		if (below(made, 3) == 0)
			continue;
		snprintf(name, sizeof(name), "C%u", below(made, made->columns));
		if (made->with_key && below(made, 12) == 0)
			snprintf(name, sizeof(name), "k");
		*place = strdup(name);
	}
}

/* A file by that seed. */
static void case_make(struct table_case *made, const char *path, uint64_t seed)
{
	static const int64_t lows[] = {
		0, 1, -20, INT64_MIN, INT64_MAX - 1000, 65530, -70000, INT64_C(1) << 40};
	int reserved;

	unlink(path);
	*made = (struct table_case){.state = seed};
	must(made->database, sqlite3_open(path, &made->database));
	run(made, "PRAGMA synchronous = off");
	reserved = below(made, 4) ? 0 : (int)below(made, 32);
	must(made->database,
	     sqlite3_file_control(made->database, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved));
	made->columns = 1 + below(made, 12);
	made->low = lows[below(made, sizeof(lows) / sizeof(*lows))];
	made->spread = 1 + below(made, 1000);
	table_create(made);
	history_run(made);
	made->wal = below(made, 4) == 0;
	if (made->wal)
		run(made, "PRAGMA journal_mode = wal; DELETE FROM t WHERE random() % 9 = 0;"
			  "PRAGMA wal_checkpoint");
	layout_make(made);
}

static void case_free(struct table_case *made, const char *path)
{
	char beside[200];

	layout_free(&made->layout);
	sqlite3_close(made->database);
	unlink(path);
	snprintf(beside, sizeof(beside), "%s-wal", path);
	unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", path);
	unlink(beside);
}

static sqlite3 *reopen(const char *path)
{
	sqlite3 *database;

	must(NULL, sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL));
	return database;
}

/* With auto-vacuum long rows are SQLite's to read. */
static void must_be_by_page(const struct table_case *made, const struct page_span *pair)
{
	assert_false(pair->failed);
	assert_false(pair->differs);
	if (pair->rows == 0 || pair->by_page || (made->auto_vacuum && strstr(pair->why, "longer")))
		return;
	fail_msg("not by page: %s", pair->why);
}

/* All rows, and spans between random ids; by one reader, and through changes between them. */
static size_t case_compare(struct table_case *made, const char *path)
{
	sqlite3 *database = reopen(path);
	struct page_reader *reader = page_reader_new(database, &made->layout);
	struct page_span all;
	size_t rows = 0;

	assert_non_null(reader);
	all = page_span_compare(database, &made->layout, reader, INT64_MIN, INT64_MAX);
	must_be_by_page(made, &all);
	rows += all.rows;
	for (int i = 0; i < 6; i++) {
		int64_t first = rowid_next(made);
		const int64_t width = below(made, 300);
		const int64_t last = first > INT64_MAX - width ? INT64_MAX : first + width;
		struct page_span part =
			page_span_compare(database, &made->layout, reader, first, last);

		must_be_by_page(made, &part);
		rows += part.rows;
		if (i == 2 && !made->wal) {
			column_add(made);
			rows_insert(made, below(made, 30));
		}
	}
	page_reader_free(reader);
	sqlite3_close(database);
	return rows;
}

/* Chains of a file with auto-vacuum, and values beyond 1 MiB, are SQLite's to read. */
static void every_field_of_random_files_is_as_sqlite_has_it(void **state)
{
	const size_t files = random_rounds(600);
	struct paths paths;
	size_t rows = 0;

	(void)state;
	paths_make(&paths);
	for (size_t i = 0; i < files; i++) {
		struct table_case made;

		case_make(&made, paths.log, i);
		rows += case_compare(&made, paths.log);
		case_free(&made, paths.log);
	}
	print_message("%zu rows of %zu files\n", rows, files);
	assert_true(rows > files * 10);
	paths_remove(&paths);
}

/* Some bytes of the file are others, most of them where pages and cells have their numbers. */
static void file_damage(struct table_case *made, const char *path)
{
	FILE *file = fopen(path, "r+b");
	long size;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	for (unsigned i = 1 + below(made, 4); i > 0; i--) {
		long at = 100 + (long)below(made, (unsigned)size - 100);

		if (below(made, 2))
			at = at / 512 * 512 + (long)below(made, 40);
		if (at < 100)
			continue;
		fseek(file, at, SEEK_SET);
		fputc(below(made, 3) ? (int)below(made, 256) : (int)below(made, 16), file);
	}
	if (below(made, 30) == 0)
		assert_int_equal(ftruncate(fileno(file), (long)below(made, (unsigned)size)), 0);
	assert_int_equal(fclose(file), 0);
}

static void what_is_read_of_a_damaged_file_is_what_sqlite_reads(void **state)
{
	const size_t files = random_rounds(80);
	struct paths paths;
	size_t by_page = 0;
	size_t failed = 0;

	(void)state;
	paths_make(&paths);
	for (size_t i = 0; i < files; i++) {
		struct table_case made;

		case_make(&made, paths.log, i * 7919 + 1);
		must_run(made.database, "PRAGMA journal_mode = delete");
		for (int round = 0; round < 20; round++) {
			struct page_span span = {0};
			struct page_reader *reader;
			sqlite3 *database;

			file_damage(&made, paths.log);
			database = reopen(paths.log);
			reader = page_reader_new(database, &made.layout);
			assert_non_null(reader);
			span = page_span_compare(database, &made.layout, reader, INT64_MIN,
						 INT64_MAX);
			by_page += span.by_page;
			failed += span.failed;
			if (span.by_page && (span.differs || span.failed))
				fail_msg("file %zu, round %d: not as SQLite", i, round);
			page_reader_free(reader);
			sqlite3_close(database);
		}
		case_free(&made, paths.log);
	}
	print_message("%zu by page, %zu errors of SQLite\n", by_page, failed);
	assert_true(by_page > files);
	assert_true(failed > files);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_random_files_is_as_sqlite_has_it),
		cmocka_unit_test(what_is_read_of_a_damaged_file_is_what_sqlite_reads),
	};

	return cmocka_run_group_tests_name("page_reader", tests, NULL, NULL);
}
