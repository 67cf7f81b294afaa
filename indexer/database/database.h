/*
 * The few things done to every SQLite file here: opening it so that a hostile
 * schema gains nothing, preparing formatted SQL, and turning SQLite's errors
 * into messages that name the file.
 */
#ifndef CONNBITS_DATABASE_DATABASE_H
#define CONNBITS_DATABASE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "sqlite.h"

/* The name under which connbits-query attaches an index of its own file. */
#define DATABASE_INDEX_NAME "connbits"

enum database_mode { DATABASE_READ, DATABASE_WRITE, DATABASE_CREATE };

/*
 * Opens path. DATABASE_READ never writes to the file; DATABASE_WRITE needs it
 * to exist; DATABASE_CREATE makes it where it is missing. Waits up to 30
 * seconds for another process's lock. Triggers and views of the file do not
 * run, and its schema is not trusted. On success *database belongs to the
 * caller, who closes it with sqlite3_close; on failure it is NULL.
 */
enum status database_open(const char *path, enum database_mode mode, sqlite3 **database,
			  struct message *message);

/*
 * Rolls back what a crashed writer left half done in path, which a read-only
 * connection may not. Does nothing where no journal lies beside the file, and
 * leaves errors to whoever opens the file next.
 */
void database_recover(const char *path);

/* True if both paths name one file. */
bool database_same_file(const char *a, const char *b);

/* Runs one or more statements that return no rows. */
enum status database_execute(sqlite3 *database, const char *sql, struct message *message);

/*
 * Prepares SQL formatted as sqlite3_mprintf does (%w inside "" quotes an
 * identifier, %Q a literal). On success the caller finalises *statement.
 */
enum status database_prepare(sqlite3 *database, sqlite3_stmt **statement, struct message *message,
			     const char *format, ...);

/*
 * Steps once. *row says whether a row is there; after the last one it is 0.
 */
enum status database_step(sqlite3_stmt *statement, int *row, struct message *message);

/* The encoding of the file's text: UTF-8, UTF-16le or UTF-16be. */
enum status database_encoding(sqlite3 *database, char *encoding, size_t size,
			      struct message *message);

/* Begins a transaction that writes, and waits for whoever else does. */
enum status database_begin(sqlite3 *database, struct message *message);

/* Commits if status is STATUS_OK, else rolls back. Returns what came of it. */
enum status database_end(sqlite3 *database, enum status status, struct message *message);

/* Prepares and steps formatted SQL once: *yes says whether it gives a row. */
enum status database_asks(sqlite3 *database, bool *yes, struct message *message, const char *format,
			  ...);

/* Runs a statement that returns no rows, then resets it for the next run. */
enum status database_run(sqlite3_stmt *statement, struct message *message);

/* Fills the message from the connection's last error; returns STATUS_FAILED. */
enum status database_failed(sqlite3 *database, struct message *message);

#endif
