/*
 * Functions of SQLite's that take time by the product of what they are given,
 * in their place: the same results in time by the sum. A progress handler is not
 * asked while a function runs, so that nothing else could end one.
 */
#ifndef CONNBITS_LOG_ROW_FUNCTIONS_H
#define CONNBITS_LOG_ROW_FUNCTIONS_H

#include "database/sqlite.h"

/*
 * Puts instr, replace, and trim, ltrim and rtrim with characters to trim, in the
 * place of SQLite's own on that connection; unhex with characters to ignore is an error. An
 * SQLite result code.
 */
int row_functions_add(sqlite3 *database);

#endif
