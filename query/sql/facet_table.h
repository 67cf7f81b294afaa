/*
 * bitmap_facet('smb', 'src'): how many rows of an expression have each value of a column. Columns
 * value (a text, of 'port' an integer; NULL for the rows that have none) and rows; most rows
 * first, days and hours ascending.
 */
#ifndef CONNBITS_SQL_FACET_TABLE_H
#define CONNBITS_SQL_FACET_TABLE_H

#include "answer_cache.h"
#include "database/sqlite.h"

/* Registers it. Returns a SQLite code. The cache gets a reference more. */
int facet_table_register(sqlite3 *database, struct answer_cache *cache);

#endif
