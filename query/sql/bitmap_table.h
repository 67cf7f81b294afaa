/*
 * The table-valued function bitmap(expression [, schema]): the row ids of an
 * expression as a table with one visible column, value. Ordered both ways,
 * seeks on =, <, <=, >, >= and IN, and tells the planner true row counts.
 */
#ifndef CONNBITS_SQL_BITMAP_TABLE_H
#define CONNBITS_SQL_BITMAP_TABLE_H

#include "answer_cache.h"
#include "database/sqlite.h"

/* Registers the table, which keeps a reference to cache. Returns a SQLite code. */
int bitmap_table_register(sqlite3 *database, struct answer_cache *cache);

#endif
