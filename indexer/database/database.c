#include "database.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *database_hint(int code)
{
	switch (code) {
	case SQLITE_READONLY_ROLLBACK:
		return " (a crashed writer left a journal; open the file once with sqlite3 to "
		       "recover it)";
	case SQLITE_READONLY_CANTINIT:
	case SQLITE_READONLY_DIRECTORY:
		return " (WAL mode needs a writable folder; keep the index in another file with "
		       "--into)";
	default:
		break;
	}
	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return " (is it a SQLite file?)";
	case SQLITE_CORRUPT:
		return " (check it with: PRAGMA integrity_check)";
	case SQLITE_READONLY:
		return " (make it writable; connbits-index keeps the index in another file with "
		       "--into)";
	case SQLITE_FULL:
		return " (free some space and run again)";
	case SQLITE_BUSY:
		return " (another process holds it; run again when that is done)";
	default:
		return "";
	}
}

enum status database_failed(sqlite3 *database, struct message *message)
{
	const char *path = sqlite3_db_filename(database, "main");
	const char *attached = sqlite3_db_filename(database, DATABASE_INDEX_NAME);
	const int code = sqlite3_extended_errcode(database);

	return message_wrap(message, STATUS_FAILED, code, "%s%s%s: %s%s",
			    path && *path ? path : "database", attached ? " or its index " : "",
			    attached ? attached : "", sqlite3_errmsg(database),
			    database_hint(code));
}

enum status database_execute(sqlite3 *database, const char *sql, struct message *message)
{
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
		return database_failed(database, message);
	return STATUS_OK;
}

static enum status prepare_formatted(sqlite3 *database, sqlite3_stmt **statement,
				     struct message *message, const char *format, va_list arguments)
{
	char *sql = sqlite3_vmprintf(format, arguments);
	int code;

	*statement = NULL;
	if (!sql)
		return message_out_of_memory(message);
	code = sqlite3_prepare_v2(database, sql, -1, statement, NULL);
	sqlite3_free(sql);
	return code == SQLITE_OK ? STATUS_OK : database_failed(database, message);
}

enum status database_prepare(sqlite3 *database, sqlite3_stmt **statement, struct message *message,
			     const char *format, ...)
{
	va_list arguments;
	enum status status;

	va_start(arguments, format);
	status = prepare_formatted(database, statement, message, format, arguments);
	va_end(arguments);
	return status;
}

enum status database_asks(sqlite3 *database, bool *yes, struct message *message, const char *format,
			  ...)
{
	sqlite3_stmt *statement;
	va_list arguments;
	int row = 0;
	enum status status;

	va_start(arguments, format);
	status = prepare_formatted(database, &statement, message, format, arguments);
	va_end(arguments);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	sqlite3_finalize(statement);
	*yes = status == STATUS_OK && row;
	return status;
}

enum status database_encoding(sqlite3 *database, char *encoding, size_t size,
			      struct message *message)
{
	sqlite3_stmt *statement;
	const char *name = NULL;
	int row = 0;
	enum status status = database_prepare(database, &statement, message, "PRAGMA encoding");

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		name = (const char *)sqlite3_column_text(statement, 0);
	snprintf(encoding, size, "%s", name ? name : "");
	if (status == STATUS_OK)
		status = database_values(statement, status, message);
	sqlite3_finalize(statement);
	return status;
}

enum status database_begin(sqlite3 *database, struct message *message)
{
	return database_execute(database, "BEGIN IMMEDIATE", message);
}

enum status database_end(sqlite3 *database, enum status status, struct message *message)
{
	if (status == STATUS_OK)
		status = database_execute(database, "COMMIT", message);
	if (status != STATUS_OK)
		sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

enum status database_step(sqlite3_stmt *statement, int *row, struct message *message)
{
	int code = sqlite3_step(statement);

	*row = code == SQLITE_ROW;
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return STATUS_OK;
	return database_failed(sqlite3_db_handle(statement), message);
}

enum status database_values(sqlite3_stmt *statement, enum status status, struct message *message)
{
	if (status == STATUS_OK && sqlite3_errcode(sqlite3_db_handle(statement)) == SQLITE_NOMEM)
		return message_out_of_memory(message);
	return status;
}

enum status database_bind_text(sqlite3_stmt *statement, int place, const char *text,
			       struct message *message)
{
	if (sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC) == SQLITE_OK)
		return STATUS_OK;
	return database_failed(sqlite3_db_handle(statement), message);
}

enum status database_bind_blob(sqlite3_stmt *statement, int place, const void *bytes, size_t size,
			       struct message *message)
{
	if (sqlite3_bind_blob64(statement, place, bytes, size, SQLITE_STATIC) == SQLITE_OK)
		return STATUS_OK;
	return database_failed(sqlite3_db_handle(statement), message);
}

enum status database_run(sqlite3_stmt *statement, struct message *message)
{
	int row;
	enum status status = database_step(statement, &row, message);

	sqlite3_reset(statement);
	return status;
}

bool database_reads_uncommitted(sqlite3 *database)
{
	sqlite3_stmt *statement;
	struct message ignored;
	int row = 0;
	bool uncommitted = true;

	if (database_prepare(database, &statement, &ignored, "PRAGMA read_uncommitted") ==
		    STATUS_OK &&
	    database_step(statement, &row, &ignored) == STATUS_OK && row)
		uncommitted = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return uncommitted;
}
