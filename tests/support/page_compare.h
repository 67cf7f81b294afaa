/* Rows read by page, held against those that SQLite hands out in the same transaction. */
#ifndef CONNBITS_TESTS_PAGE_COMPARE_H
#define CONNBITS_TESTS_PAGE_COMPARE_H

#include <sqlite3.h>

#include "log/page_reader.h"

/* What both ways make of a span of rows of the table t. */
struct page_span {
	size_t rows;	 /* that were read by page */
	bool by_page;	 /* all of them, and they count */
	bool differs;	 /* a field, or the number of rows */
	bool failed;	 /* SQLite has an error */
	const char *why; /* not by page */
};

struct page_span page_span_compare(sqlite3 *database, const struct layout *layout,
				   struct page_reader *reader, int64_t first, int64_t last);

#endif
