/*
 * Bitmaps for and from a column of ClickHouse's AggregateFunction(groupBitmap, UInt32 or UInt64):
 *   rb_to_clickhouse(b [, bits]): its state, of the narrower width that holds it, or of 32 or 64
 * bits rb_from_clickhouse(state): the bitmap
 */
#ifndef CONNBITS_SQL_RB_CLICKHOUSE_H
#define CONNBITS_SQL_RB_CLICKHOUSE_H

#include "database/sqlite.h"

/* Returns a SQLite code. */
int rb_clickhouse_register(sqlite3 *database);

#endif
