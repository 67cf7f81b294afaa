/* What a SQL function gives beyond numbers and texts: failures by their codes, and sets of rows. */
#ifndef CONNBITS_SQL_RESULT_H
#define CONNBITS_SQL_RESULT_H

#include "base/message.h"
#include "database/sqlite.h"
#include "set/row_set.h"

/* Makes a failure the function's result, with SQLite's code where SQLite failed. */
void result_failure(sqlite3_context *context, const struct message *message);

/* The same code for a virtual table. */
int result_code(const struct message *message);

/* Makes a set the function's result, as a blob; SQLITE_TOOBIG where the connection allows none. */
void result_set_blob(sqlite3_context *context, const struct row_set *set);

#endif
