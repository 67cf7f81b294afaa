/*
 * SQLite's interface for code that serves both in a program, where it links
 * with libsqlite3, and in the loadable extension, where every call has to go
 * to the SQLite that loaded it.
 */
#ifndef CONNBITS_DATABASE_SQLITE_H
#define CONNBITS_DATABASE_SQLITE_H

#ifdef CONNBITS_EXTENSION
#include <sqlite3ext.h>
/* clang-format off */
SQLITE_EXTENSION_INIT3
/* clang-format on */
#else
#include <sqlite3.h>
#endif

#endif
