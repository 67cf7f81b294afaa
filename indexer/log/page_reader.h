/*
 * Rows of a log read from the pages of its file, without SQLite's stepping: the same values, many
 * times as fast, where page_file.h can show that they are the same.
 *
 *   begin a read transaction on the connection
 *   page_reader_begin(reader, first, last, &why)
 *   while (page_reader_next(reader, &row, &why) && row.found) ...
 *   page_reader_end(reader, &why)          only now the rows count
 *   end the transaction
 *
 * Wherever the answer is false the rows have to be read through SQLite, from the first on: it has
 * the same rows, or the error that counts. Tables that are read: ordinary ones with row ids, whose
 * columns are all stored. Rows that are shorter than their table has columns by now get the
 * default that SQLite gives them; a column of REAL affinity gets real numbers, and an INTEGER
 * PRIMARY KEY the row id.
 */
#ifndef CONNBITS_LOG_PAGE_READER_H
#define CONNBITS_LOG_PAGE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "database/sqlite.h"
#include "layout.h"
#include "packet/connection.h"

struct page_reader;

/*
 * For a layout without expressions, over the main database of a connection; both outlive it. NULL
 * without memory; else free with page_reader_free.
 */
struct page_reader *page_reader_new(sqlite3 *database, const struct layout *layout);

/* One row. Text and blobs are valid until the next one is read. */
struct page_row {
	bool found;
	int64_t rowid;
	const struct field *fields; /* ROLE_COUNT, FIELD_NULL for roles that the layout has not */
	const struct field *time;   /* FIELD_NULL where the layout has none */
};

/* Begins at the first row whose id is `first` or more, and ends with `last`. False with *why. */
bool page_reader_begin(struct page_reader *reader, int64_t first, int64_t last, const char **why);

/* The next row in ascending order. False with *why. */
bool page_reader_next(struct page_reader *reader, struct page_row *row, const char **why);

/* Whether what was read since page_reader_begin counts. False with *why. */
bool page_reader_end(struct page_reader *reader, const char **why);

/* NULL is fine. */
void page_reader_free(struct page_reader *reader);

#endif
