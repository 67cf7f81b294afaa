/* Counts of an answer's rows by a value of theirs, as connbits-query prints them. */
#ifndef CONNBITS_SHOW_FACET_PRINT_H
#define CONNBITS_SHOW_FACET_PRINT_H

#include <stdio.h>

#include "ask/facet.h"
#include "base/message.h"
#include "row_output.h"
#include "row_print.h"

/*
 * Writes a line for each value, of at most options->limit, and one for the rows that have none:
 * its value is NULL. The columns are value and rows; a table on a terminal of `width` columns has
 * bars beside them, one that is 0 wide is none.
 */
enum status facet_print(sqlite3 *database, const struct facet *facet, enum facet_by by,
			const struct row_print_options *options, size_t width, FILE *stream,
			struct message *message);

#endif
