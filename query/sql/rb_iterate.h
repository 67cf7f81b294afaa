/*
 * The table-valued function rb_iterate(b): the numbers of a bitmap, a row each,
 * ordered both ways and with seeks.
 */
#ifndef CONNBITS_SQL_RB_ITERATE_H
#define CONNBITS_SQL_RB_ITERATE_H

#include "database/sqlite.h"

/* Returns a SQLite code. */
int rb_iterate_register(sqlite3 *database);

#endif
