/*
 * What is done through every SQLite connection here, our own or a host's:
 * preparing formatted SQL, running it, and turning SQLite's errors into
 * messages that name the file.
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

/*
 * To be asked once the values of a row were read, with what came of it so far: a value that
 * SQLite had no memory for reads as NULL, and only the connection knows.
 */
enum status database_values(sqlite3_stmt *statement, enum status status, struct message *message);

/* Binds text, NULL for NULL, or bytes, which have to outlive the statement's run. */
enum status database_bind_text(sqlite3_stmt *statement, int place, const char *text,
			       struct message *message);
enum status database_bind_blob(sqlite3_stmt *statement, int place, const void *bytes, size_t size,
			       struct message *message);

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

/* What to do about an SQLite error, in parentheses; empty where nothing helps. */
const char *database_hint(int code);

/* Fills the message from the connection's last error; returns STATUS_FAILED. */
enum status database_failed(sqlite3 *database, struct message *message);

/*
 * Whether a connection sees what others have not committed, which shared cache makes possible,
 * or that cannot be told.
 */
bool database_reads_uncommitted(sqlite3 *database);

#endif
