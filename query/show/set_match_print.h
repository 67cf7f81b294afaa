/* What connbits-query --sets shows: how each address set matches. */
#ifndef CONNBITS_SHOW_SET_MATCH_PRINT_H
#define CONNBITS_SHOW_SET_MATCH_PRINT_H

#include <stdio.h>

#include "ask/set_match.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "row_output.h"

/*
 * Writes a line for each set: its entries, and of the rows whose source is in it, and then of those
 * whose destination is, how many there are and their first and last time (RFC 3339, UTC).
 */
enum status set_match_print(sqlite3 *database, const struct set_matches *matches,
			    enum row_format format, FILE *stream, struct message *message);

#endif
