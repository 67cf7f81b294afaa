/*
 * An expression and an index to a set of row ids.
 */
#ifndef CONNBITS_ANSWER_H
#define CONNBITS_ANSWER_H

#include "answer_index.h"
#include "message.h"
#include "row_set.h"
#include "sqlite.h"

/*
 * Evaluates expression, chunk by chunk. On success *rows belongs to the
 * caller. STATUS_USAGE where the expression is at fault.
 */
enum status answer_run(sqlite3 *database, const struct answer_index *index, const char *expression,
		       struct row_set *rows, struct message *message);

#endif
