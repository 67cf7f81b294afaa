/*
 * Two bitmaps to one, to a number or to a yes or no:
 *   rb_and(a, b), rb_or, rb_xor, rb_andnot
 *   rb_and_cardinality(a, b), rb_or_..., rb_xor_..., rb_andnot_...
 *   rb_equals(a, b), rb_not_equals(a, b), rb_intersect(a, b)
 *   rb_contains(a, b), rb_containedby(a, b): also with an integer for the part
 *   rb_jaccard_dist(a, b): common numbers over all numbers; NULL if both are empty
 */
#ifndef CONNBITS_SQL_RB_COMBINE_H
#define CONNBITS_SQL_RB_COMBINE_H

#include "database/sqlite.h"

/* Returns a SQLite code. */
int rb_combine_register(sqlite3 *database);

#endif
