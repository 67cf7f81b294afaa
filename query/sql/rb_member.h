/*
 * The numbers of one bitmap:
 *   rb_cardinality(b), rb_is_empty(b), rb_min(b), rb_max(b): NULL of an empty one
 *   rb_rank(b, n)         how many are n or less
 *   rb_index(b, n)        how many are before n, -1 where n is not among them
 *   rb_add(b, n), rb_remove(b, n)
 *   rb_range(b, from, to), rb_range_cardinality, rb_clear, rb_fill, rb_flip: to is not in it
 *   rb_select(b, limit [, offset [, reverse [, from [, to]]]])
 *   rb_shiftleft(b, n), rb_shiftright(b, n): subtracts n, adds n
 */
#ifndef CONNBITS_SQL_RB_MEMBER_H
#define CONNBITS_SQL_RB_MEMBER_H

#include "database/sqlite.h"

/* Returns a SQLite code. */
int rb_member_register(sqlite3 *database);

#endif
