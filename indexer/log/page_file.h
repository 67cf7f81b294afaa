/*
 * The pages of a log's file, read past SQLite: through SQLite's own handle of the file, within a
 * read transaction of the same connection, and only where what lies in the file is provably what
 * that transaction sees. Everywhere else the answer is no, with the reason, and SQLite reads.
 *
 *   sqlite3_step(any statement that reads)            a read transaction begins
 *   if (page_file_begin(file, &why))                  the file is what it sees
 *           page_file_read(file, page, 1, bytes, &why);
 *   if (page_file_end(file, &why))                    and nobody has written to it meanwhile
 *   sqlite3_reset(that statement)
 *
 * Why it is the same:
 * - The handle is SQLITE_FCNTL_FILE_POINTER's, of SQLite's own kind of file without anything
 *   between (SQLITE_FCNTL_VFS_POINTER is the VFS that sqlite3_vfs_find knows as "unix"). No
 *   descriptor is opened: closing it would drop the process's locks (POSIX's rule).
 * - With a rollback journal the transaction's SHARED lock keeps every writer from the file, and
 *   a hot journal was rolled back when the lock was taken (www.sqlite.org/lockingv3.html).
 * - With a write-ahead log every frame that the transaction sees has to lie in the file
 *   already. The wal-index says so where nBackfill has reached mxFrame
 *   (www.sqlite.org/walformat.html): while the transaction holds read mark 0 no checkpoint
 *   writes to the file, and while it holds another one none writes a frame behind that mark,
 *   and the log is not begun anew. mxFrame is read first: it never lies below what the
 *   transaction sees, and nBackfill only grows under such a mark.
 * - The file's own header is SQLite's in the clear, in UTF-8, and its schema cookie is the one
 *   that SQLite reads (PRAGMA schema_version): an encrypted file shows other bytes.
 *
 * The format: www.sqlite.org/fileformat2.html. All numbers are big-endian.
 */
#ifndef CONNBITS_LOG_PAGE_FILE_H
#define CONNBITS_LOG_PAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database/sqlite.h"

struct page_file;

/* Of the transaction at hand. */
struct page_geometry {
	uint32_t page_size; /* bytes, 512 to 65536 */
	uint32_t usable;    /* bytes of a page without those reserved at its end, 480 or more */
	uint32_t pages;	    /* the highest page number */
	uint32_t cookie;    /* changes with the schema */
	bool auto_vacuum;
};

/*
 * For the main database of a connection, which outlives it. NULL without memory; else free with
 * page_file_free. *why is NULL, or a text that says what this connection's files never do.
 */
struct page_file *page_file_new(sqlite3 *database, const char **why);

/*
 * Whether the file is what the connection's read transaction sees, which has begun and lasts until
 * page_file_end. *why says why not.
 */
bool page_file_begin(struct page_file *file, const char **why);

/* Valid from page_file_begin to page_file_end. */
const struct page_geometry *page_file_geometry(const struct page_file *file);

/* Reads `count` whole pages from number `page` on, 1 being the first. False with *why. */
bool page_file_read(struct page_file *file, uint32_t page, uint32_t count, uint8_t *out,
		    const char **why);

/*
 * Whether the file still is as it was at page_file_begin: only a writer without locks changes it.
 * One that writes twice within a tick of the kernel's clock, around page_file_begin, is not seen;
 * against that there are the rows that are read both ways.
 */
bool page_file_end(struct page_file *file, const char **why);

/* NULL is fine. */
void page_file_free(struct page_file *file);

#endif
