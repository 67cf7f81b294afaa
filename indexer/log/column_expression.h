/*
 * A column of [source] that is an SQL expression of the row, in parentheses:
 *
 *   source_port = (coalesce(tcp_sport, udp_sport))
 *
 * Its text may come from an enemy, by way of a stored index. What a text can
 * tell is held against rules here; which functions and tables it may use is
 * settled where it is evaluated (row_connection.h).
 */
#ifndef CONNBITS_LOG_COLUMN_EXPRESSION_H
#define CONNBITS_LOG_COLUMN_EXPRESSION_H

#include <stdbool.h>

#include "base/message.h"

enum { COLUMN_EXPRESSION_BYTES = 4096 }; /* the longest, without its end */

/* Whether a column's name is an expression: it begins with a parenthesis. NULL is none. */
bool column_expression_is(const char *column);

/*
 * STATUS_USAGE where it is not one expression from its first to its last
 * parenthesis: words for what is wrong go on from "is not an expression: ". No
 * comments, no parameters, no second statement, no WITH, which SQLite may unfold
 * without bound, no window functions; the date
 * functions want a time, which is not 'now', and know no local time.
 */
enum status column_expression_check(const char *expression, struct message *message);

/* Whether it may read other rows than the one that it is evaluated for. */
bool column_expression_reads_rows(const char *expression);

#endif
