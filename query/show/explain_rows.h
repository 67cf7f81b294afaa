/*
 * A filter that is an expression, explained: what it is made of, how many rows each part has and
 * what it takes to find them.
 */
#ifndef CONNBITS_SHOW_EXPLAIN_ROWS_H
#define CONNBITS_SHOW_EXPLAIN_ROWS_H

#include <stdio.h>

#include "ask/answer_index.h"
#include "base/message.h"
#include "catalogue/filter_set.h"
#include "database/sqlite.h"

/* Writes the tree of the filter with that number, of a set that is linked. */
enum status explain_rows_write(sqlite3 *database, const struct answer_index *index,
			       const struct filter_set *filters, size_t number, FILE *stream,
			       struct message *message);

#endif
