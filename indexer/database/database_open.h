/*
 * Connections of our own: a file opened so that a hostile schema gains nothing.
 * The extension has one only beside a log whose columns are expressions.
 */
#ifndef CONNBITS_DATABASE_DATABASE_OPEN_H
#define CONNBITS_DATABASE_DATABASE_OPEN_H

#include <stdbool.h>

#include "base/message.h"
#include "sqlite.h"

enum database_mode {
	DATABASE_READ,
	DATABASE_READ_BESIDE, /* beside a host's own connection to the file, in its process */
	DATABASE_WRITE,
	DATABASE_CREATE
};

/*
 * Opens path. DATABASE_READ never writes to the file; DATABASE_WRITE needs it
 * to exist; DATABASE_CREATE makes it where it is missing. Waits up to 30
 * seconds for another process's lock; DATABASE_READ_BESIDE waits one, and opens the file
 * by nothing but SQLite: another descriptor's close would drop the process's locks. Triggers and
 * views of the file do not run, and its schema may call innocuous functions and JSON's alone. On
 * success *database belongs to the caller, who closes it with sqlite3_close; on failure it is NULL.
 * What is read of a file without locks counts only after immutable_check (immutable.h).
 */
enum status database_open(const char *path, enum database_mode mode, sqlite3 **database,
			  struct message *message);

/*
 * Whether a second connection would see the file that a connection has open by this
 * name: not where it has none, one of another kind, or one that was moved, and
 * not while it writes to it.
 */
bool database_can_open_beside(sqlite3 *database, const char *database_name);

/*
 * Opens a file that a connection of this process has open, for nothing but a handle of
 * it: nothing of it is read. The caller closes it with sqlite3_close.
 */
enum status database_open_handle(const char *path, sqlite3 **database, struct message *message);

/*
 * Opens path for reading, and begins the read transaction in which it is seen from then on:
 * its lock also keeps the file as it is for other connections that read it meanwhile.
 */
enum status database_open_moment(const char *path, sqlite3 **database, struct message *message);

/*
 * Rolls back what a crashed writer left half done in path, which a read-only
 * connection may not. Does nothing where no journal lies beside the file, and
 * leaves errors to whoever opens the file next.
 */
void database_recover(const char *path);

/* Whether it was that SQLite cannot have its locks beside a file, and not that others have them. */
bool database_is_barred(int code);

/* True if both paths name one file. */
bool database_same_file(const char *a, const char *b);

#endif
