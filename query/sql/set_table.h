/*
 * Table-valued functions that give a set of integers, one a row: a column
 * `value` and a hidden one for each argument. Ordered both ways, with seeks on
 * =, <, >, BETWEEN and IN, and a true number of rows for the planner.
 */
#ifndef CONNBITS_SQL_SET_TABLE_H
#define CONNBITS_SQL_SET_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "ask/answer.h"
#include "base/message.h"
#include "database/sqlite.h"

enum { SET_TABLE_ARGUMENTS_MAX = 2 };

/* What makes one of them; outlives all connections it is registered with. */
struct set_table_kind {
	const char *name;
	const char *declaration; /* CREATE TABLE x (value INTEGER, ... HIDDEN) */
	size_t arguments;	 /* hidden columns; all but the first may be left out */
	const char *missing;	 /* said where the first is left out */
	bool innocuous; /* it gives what it is given, also to a schema that is not trusted */
	/*
	 * The set for the arguments, NULL for one that was left out; none is SQL's
	 * NULL. On success the caller releases *answer.
	 */
	enum status (*get)(void *context, sqlite3_value *const *arguments,
			   struct shared_set **answer, struct message *message);
	/* How many rows to expect of arguments that are not known while planning. */
	double (*guess)(void *context);
};

/*
 * Registers it. context goes to get, and with the last use to destroy. Returns
 * a SQLite code; destroy is called on failure too.
 */
int set_table_register(sqlite3 *database, const struct set_table_kind *kind, void *context,
		       void (*destroy)(void *context));

#endif
