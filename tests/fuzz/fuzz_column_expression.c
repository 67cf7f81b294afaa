/*
 * Any text as an SQL expression: one that is accepted stays in its place. What
 * SQLite makes of it there is one statement that reads, to its end, with the
 * columns that it would have without it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "database/sqlite.h"
#include "log/column_expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *database_make(void)
{
	static sqlite3 *database;

	if (!database &&
	    (sqlite3_open(":memory:", &database) != SQLITE_OK ||
	     sqlite3_exec(database, "CREATE TABLE t (a, b, date, over); CREATE TABLE u (c)", NULL,
			  NULL, NULL) != SQLITE_OK))
		abort();
	return database;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sqlite3 *database = database_make();
	sqlite3_stmt *statement = NULL;
	struct message message;
	const char *tail;
	char *text = malloc(size + 2);
	char *sql;

	if (!text)
		return 0;
	text[0] = '(';
	memcpy(text + 1, data, size);
	text[size + 1] = '\0';
	if (column_expression_check(text, &message) != STATUS_OK) {
		free(text);
		return 0;
	}
	sql = sqlite3_mprintf("SELECT rowid, %s, 7 FROM main.t WHERE rowid BETWEEN ?1 AND ?2",
			      text);
	if (sql && sqlite3_prepare_v2(database, sql, -1, &statement, &tail) == SQLITE_OK &&
	    (!statement || *tail || sqlite3_column_count(statement) != 3 ||
	     !sqlite3_stmt_readonly(statement) || sqlite3_bind_parameter_count(statement) != 2))
		abort();
	sqlite3_finalize(statement);
	sqlite3_free(sql);
	free(text);
	return 0;
}
