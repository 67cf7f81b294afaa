/*
 * Logs with bytes of their files changed, read by page: never beyond a page, and where the rows
 * count they are SQLite's, which has no error. The input: a byte for the file, then changes, four
 * bytes where and one byte what.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/page_reader.h"
#include "page_compare.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BASES = 3 };

static unsigned char *bases[BASES];
static sqlite3_int64 sizes[BASES];
static char path[64];
static struct layout layout = {
	.table = (char[]){"t"},
	.rowid = (char[]){"rowid"},
	.columns = {[ROLE_TYPE] = (char[]){"a"},
		    [ROLE_SOURCE_HOST] = (char[]){"b"},
		    [ROLE_DESTINATION_PORT] = (char[]){"k"},
		    [ROLE_PROTOCOL] = (char[]){"d"}},
	.timestamp = (char[]){"e"},
};

static void file_remove(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	/* Three levels of pages; rows that go on in other pages; columns that came later. */
	static const char *const made[BASES] = {
		"PRAGMA page_size = 512; CREATE TABLE t (a, b REAL, k INTEGER PRIMARY KEY, d, e);"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
		"INSERT INTO t SELECT 'accept', i, i * 3, '10.0.0.' || i % 200, i / 7.0 FROM n",
		"PRAGMA page_size = 1024; CREATE TABLE t (a, b REAL, k INTEGER PRIMARY KEY, d, e);"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) "
		"INSERT INTO t SELECT zeroblob(i * i * 3), i, i - 10, zeroblob(i * 20), 1 FROM n",
		"PRAGMA page_size = 512; PRAGMA auto_vacuum = 1; CREATE TABLE t (a, b REAL, k "
		"INTEGER PRIMARY KEY);"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90) "
		"INSERT INTO t SELECT zeroblob(i * 9), i, i FROM n;"
		"ALTER TABLE t ADD COLUMN d DEFAULT '10.0.0.1'; ALTER TABLE t ADD COLUMN e REAL "
		"DEFAULT 7; INSERT INTO t VALUES ('x', 1, 200, 2, 3)"};

	(void)count;
	(void)arguments;
	for (size_t i = 0; i < BASES; i++) {
		sqlite3 *database;

		if (sqlite3_open(":memory:", &database) != SQLITE_OK ||
		    sqlite3_exec(database, made[i], NULL, NULL, NULL) != SQLITE_OK)
			abort();
		bases[i] = sqlite3_serialize(database, "main", &sizes[i], 0);
		sqlite3_close(database);
		if (!bases[i])
			abort();
	}
	snprintf(path, sizeof(path), "/tmp/connbits-fuzz-pages-%ld", (long)getpid());
	atexit(file_remove);
	return 0;
}

static void file_write(size_t base, const uint8_t *data, size_t size)
{
	const size_t length = (size_t)sizes[base];
	unsigned char *changed = malloc(length);
	FILE *file = fopen(path, "wb");

	if (!file || !changed)
		abort();
	memcpy(changed, bases[base], length);
	for (; size >= 5; data += 5, size -= 5) {
		const uint32_t where = data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
				       (uint32_t)data[3] << 24;

		changed[where % length] = data[4];
	}
	if (fwrite(changed, 1, length, file) != length || fclose(file) != 0)
		abort();
	free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct page_reader *reader;
	struct page_span span;
	sqlite3 *database;

	if (size == 0)
		return 0;
	file_write(*data % BASES, data + 1, size - 1);
	if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		sqlite3_close(database);
		return 0;
	}
	reader = page_reader_new(database, &layout);
	if (!reader)
		abort();
	span = page_span_compare(database, &layout, reader, -5, 2000);
	if (span.by_page && (span.differs || span.failed))
		abort();
	if (size == 1 && !span.by_page)
		abort();
	page_reader_free(reader);
	sqlite3_close(database);
	return 0;
}
