/*
 * What connbits-query --list shows: every stored filter with its count and
 * whether it covers the log as it is now.
 */
#ifndef CONNBITS_SHOW_FILTER_LIST_H
#define CONNBITS_SHOW_FILTER_LIST_H

#include <stdio.h>

#include "ask/answer.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "row_output.h"

/*
 * Writes the list. The state of a filter is "current", or "behind" where the
 * log has rows that were not there when it was indexed, or a name was not found then. The index's
 * layout was checked before. A table is cut to a width, with what tells most of a filter, unless
 * that is 0.
 */
enum status filter_list_write(sqlite3 *database, struct answer_index *index, FILE *stream,
			      enum row_format format, size_t width, struct message *message);

#endif
