/*
 * What SQL can ask of an index. All but the last take the name of the attached
 * database that has it as an optional last argument:
 *   bitmap(expression)                  a table of the row ids, one visible column: value.
 *                                       Ordered both ways, seeks on =, <, <=, >, >= and IN,
 *                                       and tells the planner true row counts
 *   bitmap_count(expression)            how many rows
 *   bitmap_contains(expression, rowid)  1 or 0
 *   bitmap_blob(expression)             the row ids as a portable Roaring bitmap
 *   bitmap_table(expression)            the table that the expression is about
 *   bitmap_cache()                      what this connection keeps, as JSON
 */
#ifndef CONNBITS_SQL_BITMAP_FUNCTIONS_H
#define CONNBITS_SQL_BITMAP_FUNCTIONS_H

#include "answer_cache.h"
#include "database/sqlite.h"

/* Registers them; each keeps a reference to cache. Returns a SQLite code. */
int bitmap_functions_register(sqlite3 *database, struct answer_cache *cache);

#endif
