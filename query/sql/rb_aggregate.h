/*
 * Aggregates, which are window functions too:
 *   rb_build_agg(n)                    a bitmap of the numbers
 *   rb_and_agg(b), rb_or_agg, rb_xor_agg
 *   rb_and_cardinality_agg(b), rb_or_cardinality_agg, rb_xor_cardinality_agg
 * NULLs do not count; without anything that does the result is NULL. A window
 * may only grow, as OVER (ORDER BY ...) does; those of xor may move.
 */
#ifndef CONNBITS_SQL_RB_AGGREGATE_H
#define CONNBITS_SQL_RB_AGGREGATE_H

#include "database/sqlite.h"

/* Returns a SQLite code. */
int rb_aggregate_register(sqlite3 *database);

#endif
