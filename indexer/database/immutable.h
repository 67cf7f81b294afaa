/*
 * A file in WAL mode that was closed cleanly, in a folder or on a medium that
 * cannot be written. SQLite reads one only as "immutable"
 * (www.sqlite.org/uri.html), without locks: whoever can write may change it
 * meanwhile. So it is marked with what shows that, and held against it afterwards.
 */
#ifndef CONNBITS_DATABASE_IMMUTABLE_H
#define CONNBITS_DATABASE_IMMUTABLE_H

#include <stdbool.h>

#include "base/message.h"
#include "sqlite.h"

/*
 * The name by which sqlite3_open_v2 opens such a file with SQLITE_OPEN_URI, with its
 * mark. NULL for any other file: not in WAL mode, with a -wal beside it, or not
 * readable; or without memory. sqlite3_free it.
 */
char *immutable_name(const char *path);

/* Whether a file is in WAL mode and has a -wal beside it: then it is whole only with that. */
bool immutable_is_in_use(const char *path);

/*
 * The mark that the file of that attached database had when it was opened: its size,
 * times and change counter. NULL for any other file. Valid as long as the connection.
 */
const char *immutable_mark(sqlite3 *database, const char *database_name);

/* STATUS_FAILED where a file of the connection has another mark now. */
enum status immutable_check(sqlite3 *database, struct message *message);

#endif
