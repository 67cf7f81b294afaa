/*
 * By which a database's file is known to be, byte for byte, the one that was seen before:
 * where it lies, its size, when it was changed last, and SQLite's own count of its changes
 * (www.sqlite.org/fileformat.html, file change counter). A file with a write-ahead log has
 * none, since SQLite does not count its changes.
 */
#ifndef CONNBITS_DATABASE_FILE_STAMP_H
#define CONNBITS_DATABASE_FILE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sqlite.h"

enum { FILE_STAMP_SIZE = 48 };

struct file_stamp {
	size_t size; /* FILE_STAMP_SIZE, or 0 where nothing can be told */
	uint8_t bytes[FILE_STAMP_SIZE];
};

/*
 * Takes the stamp of an attached database, within a read transaction of it. Nothing can be
 * told where the connection sees what is not in the file.
 */
void file_stamp_take(sqlite3 *database, const char *database_name, struct file_stamp *stamp);

/* True only where something can be told of both. */
bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b);

#endif
