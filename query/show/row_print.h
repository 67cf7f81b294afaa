/*
 * A set of row ids as what connbits-query prints of it: the rows themselves,
 * read from the log, or the row ids, or a bitmap file.
 */
#ifndef CONNBITS_SHOW_ROW_PRINT_H
#define CONNBITS_SHOW_ROW_PRINT_H

#include <stdio.h>

#include "base/message.h"
#include "moment.h"
#include "row_output.h"
#include "set/row_set.h"

struct row_print_options {
	enum row_format format;
	const char *columns; /* a,b,c; NULL for all columns of the table */
	uint64_t limit;	     /* rows; UINT64_MAX for all */
};

/*
 * Writes the rows of the log's table, which is in main. *missing counts row
 * ids that the log no longer has.
 */
enum status row_print_rows(struct moment *moment, const struct row_set *rows,
			   const struct row_print_options *options, FILE *stream, uint64_t *missing,
			   struct message *message);

/* Writes row ids, one signed decimal a line, ascending. */
enum status row_print_ids(const struct row_set *rows, uint64_t limit, FILE *stream,
			  struct message *message);

/* Writes the row ids as one portable Roaring bitmap. */
enum status row_print_bitmap(const struct row_set *rows, FILE *stream, struct message *message);

#endif
