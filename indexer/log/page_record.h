/*
 * The record of a row: its columns' values as fields (section 2.1 of
 * www.sqlite.org/fileformat2.html).
 *
 *   varint bytes of the header, itself included; a varint for the type of each column; the values
 *
 * A record may have fewer columns than its table has now (ALTER TABLE ... ADD COLUMN).
 */
#ifndef CONNBITS_LOG_PAGE_RECORD_H
#define CONNBITS_LOG_PAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/connection.h"
#include "page_file.h"
#include "page_tree.h"

enum { PAGE_COLUMNS_MAX = ROLE_COUNT + 1 };

/* Which columns of a record are read. */
struct page_columns {
	size_t count;
	struct {
		uint16_t place; /* from 0 on, ascending */
		uint8_t field;	/* of those that are filled */
		bool real;	/* of REAL affinity: it may hold a real number as an integer */
	} items[PAGE_COLUMNS_MAX];
};

struct page_record;

/* For rows of file, which outlives it. NULL without memory; else free with page_record_free. */
struct page_record *page_record_new(struct page_file *file);

/*
 * Reads the columns of a row as SQLite would into their fields: *present of them, all or the first
 * ones, are in the record. Text and blobs are valid until the next record, or the next cell, is
 * read. False with *why where the record is damaged, or a value of more than 1 MiB.
 */
bool page_record_read(struct page_record *record, const struct page_cell *cell,
		      const struct page_columns *columns, struct field *fields, size_t *present,
		      const char **why);

/* NULL is fine. */
void page_record_free(struct page_record *record);

#endif
