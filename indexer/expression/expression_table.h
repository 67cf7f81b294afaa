/*
 * The table that an expression is about, where an index has several: its name
 * and a colon before the rest, as in `conn: smb and not rfc1918`. A name that
 * is not of letters, digits, `_`, `-` and `.` stands in double quotes, which
 * within it are doubled.
 */
#ifndef CONNBITS_EXPRESSION_EXPRESSION_TABLE_H
#define CONNBITS_EXPRESSION_EXPRESSION_TABLE_H

#include "base/message.h"

/*
 * Finds where the rest of text begins, which is text itself where no table is
 * named. *table is NULL then, else the caller's to free with free.
 */
enum status expression_table(const char *text, char **table, const char **rest,
			     struct message *message);

#endif
