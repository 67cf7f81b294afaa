/*
 * The connection on which a layout's columns are read. Where all of them are
 * columns it is anyone's. Where some are SQL expressions it is one of our own,
 * and an expression gets nothing by it but the rows of ordinary tables: no
 * functions but those that give the same for the same row, no pragmas, no
 * recursion, no tables of connbits or SQLite, no modules but JSON's, and a
 * bounded time for a row.
 */
#ifndef CONNBITS_LOG_ROW_CONNECTION_H
#define CONNBITS_LOG_ROW_CONNECTION_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "layout.h"

struct row_connection;

/* Opens the log at path for reading. Close with row_connection_close. */
enum status row_connection_open(const char *path, const struct layout *layout,
				struct row_connection **connection, struct message *message);

/*
 * The same for a log that somebody has open as database_name ("main"). Without
 * expressions that connection is used, which then has to outlive *connection; with
 * them the file is opened once more, where what others have committed is seen,
 * or the answer is a refusal, STATUS_USAGE, where that would not be what this connection
 * sees: a log without a file, one that was moved, one in the midst of a transaction.
 */
enum status row_connection_beside(sqlite3 *log, const char *database_name,
				  const struct layout *layout, struct row_connection **connection,
				  struct message *message);

/* For statements, which are finalised before the connection is closed. */
sqlite3 *row_connection_database(const struct row_connection *connection);

/* Under which name it has the log. */
const char *row_connection_name(const struct row_connection *connection);

/*
 * Whether an expression says something of one row of the layout's table: *cause
 * is empty, or what is wrong with it.
 */
enum status row_connection_try(struct row_connection *connection, const struct layout *layout,
			       const char *expression, struct message *cause,
			       struct message *message);

/*
 * STATUS_FAILED where an expression is about all rows together, which a stored one
 * may be, or is none of this table.
 */
enum status row_connection_check(struct row_connection *connection, const struct layout *layout,
				 struct message *message);

/* As database_step, for one row in a bounded time. */
enum status row_connection_step(struct row_connection *connection, sqlite3_stmt *statement,
				int *row, struct message *message);

/*
 * Whether the last step failed for the row at hand alone, as of a text that is no
 * JSON: the statement is to be reset, and goes on behind that row.
 */
bool row_connection_row_failed(const struct row_connection *connection);

/* NULL is fine. */
void row_connection_close(struct row_connection *connection);

#endif
