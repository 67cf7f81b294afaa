/*
 * A sound database with bytes of it changed, read past SQLite's page cache: never beyond
 * the file, and what SQLite reads too is the same. The input is changes: four bytes where,
 * one byte what.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/payload_file.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char *base;
static sqlite3_int64 base_size;
static char path[64];

static void file_remove(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	static const char made[] =
		"PRAGMA page_size = 512; CREATE TABLE t (a INTEGER, bytes BLOB, PRIMARY KEY (a)) ;"
		"CREATE TABLE u (a INTEGER, b INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (a, b));"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
		"INSERT INTO u SELECT 1, i, zeroblob(i * i * 3) FROM n";
	sqlite3 *database;

	(void)count;
	(void)arguments;
	if (sqlite3_open(":memory:", &database) != SQLITE_OK ||
	    sqlite3_exec(database, made, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	base = sqlite3_serialize(database, "main", &base_size, 0);
	sqlite3_close(database);
	snprintf(path, sizeof(path), "/tmp/connbits-fuzz-payload-%ld", (long)getpid());
	atexit(file_remove);
	return base ? 0 : 1;
}

static void file_write(const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	unsigned char *changed = malloc((size_t)base_size);

	if (!file || !changed)
		abort();
	memcpy(changed, base, (size_t)base_size);
	for (; size >= 5; data += 5, size -= 5) {
		const uint32_t where = data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
				       (uint32_t)data[3] << 24;

		changed[where % (uint64_t)base_size] = data[4];
	}
	if (fwrite(changed, 1, (size_t)base_size, file) != (size_t)base_size)
		abort();
	fclose(file);
	free(changed);
}

static void row_check(struct payload_file *file, sqlite3 *database, int64_t rowid)
{
	struct payload payload;
	sqlite3_blob *blob = NULL;
	uint8_t *bytes;
	uint8_t *known;

	if (!payload_find(file, rowid, &payload) || payload.size > 1 << 20)
		return;
	bytes = malloc(payload.size + (size_t)1);
	known = malloc(payload.size + (size_t)1);
	if (bytes && known && payload_read(file, &payload, 0, payload.size, bytes) &&
	    sqlite3_blob_open(database, "main", "u", "bytes", rowid, 0, &blob) == SQLITE_OK &&
	    (uint32_t)sqlite3_blob_bytes(blob) == payload.size &&
	    sqlite3_blob_read(blob, known, (int)payload.size, 0) == SQLITE_OK &&
	    memcmp(bytes, known, payload.size) != 0)
		abort();
	sqlite3_blob_close(blob);
	free(bytes);
	free(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sqlite3 *database;
	struct payload_file *file = NULL;

	file_write(data, size);
	if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_exec(database, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) ==
		    SQLITE_OK)
		file = payload_file_open(database, "main", "u");
	for (int64_t rowid = 0; file && rowid < 42; rowid++)
		row_check(file, database, rowid);
	payload_file_close(file);
	sqlite3_close(database);
	return 0;
}
