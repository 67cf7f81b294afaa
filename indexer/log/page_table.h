/*
 * Where a table lies in its file, and where its rows' records have the columns that are wanted. As
 * SQLite's schema says within the read transaction at hand.
 */
#ifndef CONNBITS_LOG_PAGE_TABLE_H
#define CONNBITS_LOG_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database/sqlite.h"
#include "page_record.h"

struct page_table {
	uint32_t root; /* page */
	struct page_columns columns;
	const char *names[PAGE_COLUMNS_MAX]; /* of these, as the caller wrote them */
	/* Fields of the same columns: what is read for one of them is also the other's. */
	struct {
		uint8_t from;
		uint8_t to;
	} copies[PAGE_COLUMNS_MAX];
	size_t copy_count;
	/* Those that are the row id itself. */
	uint8_t rowids[PAGE_COLUMNS_MAX];
	size_t rowid_count;
};

/*
 * Finds the columns, `count` of them, at most PAGE_COLUMNS_MAX; NULL for none. They outlive
 * *found. False with *why where the table is none whose records hold all of its columns.
 */
bool page_table_find(struct page_table *found, sqlite3 *database, const char *table,
		     const char *const *columns, size_t count, const char **why);

#endif
