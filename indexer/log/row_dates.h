/*
 * SQLite's date functions without the time that it is now and without local time,
 * wherever their text comes from: a column may hold 'now' as well.
 */
#ifndef CONNBITS_LOG_ROW_DATES_H
#define CONNBITS_LOG_ROW_DATES_H

#include "database/sqlite.h"

/*
 * Puts functions in the place of SQLite's own on that connection: the same results,
 * but NULL where they would depend on when or where they are asked. An SQLite
 * result code.
 */
int row_dates_add(sqlite3 *database);

#endif
