/*
 * The rows of one table read past SQLite's page cache, for large values of which a
 * part is wanted: the bytes go from the file to their reader and are not kept.
 * SQLite copies a page, looks each overflow page up, and copies again.
 *
 * Only where the file is what the connection sees: within a read transaction that is
 * held meanwhile, through SQLite's own handle of the file, in a file without a write-ahead
 * log, of the usual kind, and not where a connection reads what others have not committed. Every
 * number in the file is checked: what is not as the format says is no error here, and SQLite is to
 * be asked in its place. Source: www.sqlite.org/fileformat2.html, sections 1.3, 1.5, 1.6 and 2.1.
 */
#ifndef CONNBITS_DATABASE_PAYLOAD_FILE_H
#define CONNBITS_DATABASE_PAYLOAD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sqlite.h"

struct payload_file;

/* Where the last column of a row lies, which is its value of `size` bytes. */
struct payload {
	uint64_t local_at; /* offset in the file of the row's own part, */
	uint32_t local;	   /* its size in bytes, */
	uint32_t skipped;  /* how much of it is ahead of the value */
	uint32_t size;	   /* of the value */
	uint32_t overflow; /* the first further page, or 0 */
};

/*
 * Opens the table with INTEGER row ids of that name. NULL where that cannot be, or not
 * without memory. The transaction has to be held until payload_file_close.
 */
struct payload_file *payload_file_open(sqlite3 *database, const char *database_name,
				       const char *table);

/*
 * Another one of the same table for another thread, with a handle of its own: NULL where that
 * cannot be. The first one has to outlive it, and its transaction too. It is opened by the file's
 * name, so that what was read counts only where payload_file_moved says no at the end.
 */
struct payload_file *payload_file_again(const struct payload_file *first);

/* Whether another file has taken the name of this one, which was opened before. */
bool payload_file_moved(const struct payload_file *file);

/* Finds the last column of a row. False where it cannot be told. */
bool payload_find(struct payload_file *file, int64_t rowid, struct payload *payload);

/* Reads size bytes of it from offset `at` on, which it has. False where that cannot be. */
bool payload_read(struct payload_file *file, const struct payload *payload, size_t at, size_t size,
		  uint8_t *out);

void payload_file_close(struct payload_file *file);

#endif
