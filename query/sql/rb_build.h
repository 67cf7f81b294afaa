/*
 * Bitmaps made of numbers, and told of:
 *   rb_build(json), rb_build(n, ...)  a bitmap of the numbers; rb_build() is the empty one
 *   rb_to_array(b)                    its numbers as a JSON array
 *   rb_iterate(b)                     the same as a table, ordered both ways, with seeks
 *   rb_statistics(b)                  what it is made of, as a JSON object
 */
#ifndef CONNBITS_SQL_RB_BUILD_H
#define CONNBITS_SQL_RB_BUILD_H

#include "database/sqlite.h"

/* Returns a SQLite code. */
int rb_build_register(sqlite3 *database);

#endif
