#include "database.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BUSY_WAITS = 15000,
	BUSY_WAIT_MICROSECONDS = 2000,
};

static const char *database_hint(int code)
{
	switch (code) {
	case SQLITE_READONLY_ROLLBACK:
		return " (a crashed writer left a journal; open the file once with sqlite3 to "
		       "recover it)";
	case SQLITE_READONLY_CANTINIT:
	case SQLITE_READONLY_DIRECTORY:
		return " (WAL mode needs a writable folder)";
	default:
		break;
	}
	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return " (is it a SQLite file?)";
	case SQLITE_CORRUPT:
		return " (check it with: PRAGMA integrity_check)";
	case SQLITE_READONLY:
		return " (make it writable, or keep the index in another file with --into)";
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

	return message_set(message, STATUS_FAILED, "%s%s%s: %s%s",
			   path && *path ? path : "database", attached ? " or its index " : "",
			   attached ? attached : "", sqlite3_errmsg(database),
			   database_hint(sqlite3_extended_errcode(database)));
}

#ifndef CONNBITS_EXTENSION
/*
 * Asks often: SQLite's own handler waits ever longer, up to 100 ms, and beside
 * a busy writer finds the file free on few of so few tries.
 */
static int busy_wait(void *context, int waits)
{
	(void)context;
	if (waits >= BUSY_WAITS)
		return 0;
	usleep(BUSY_WAIT_MICROSECONDS);
	return 1;
}

static enum status database_harden(sqlite3 *database, struct message *message)
{
	sqlite3_extended_result_codes(database, 1);
	sqlite3_busy_handler(database, busy_wait, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/* The first page is read here, so that a file of another kind is known at once. */
	return database_execute(database, "PRAGMA cell_size_check = ON; PRAGMA schema_version",
				message);
}

enum status database_open(const char *path, enum database_mode mode, sqlite3 **database,
			  struct message *message)
{
	static const int flags[] = {
		[DATABASE_READ] = SQLITE_OPEN_READONLY,
		[DATABASE_WRITE] = SQLITE_OPEN_READWRITE,
		[DATABASE_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};
	struct stat file;
	enum status status;
	char *name;
	int code;

	*database = NULL;
	if (stat(path, &file) != 0) {
		if (mode != DATABASE_CREATE || errno != ENOENT)
			return message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(file.st_mode)) {
		return message_set(message, STATUS_FAILED, "%s: not a regular file", path);
	}
	/* Whatever its name, it is a file: no URI, and not ":memory:". */
	name = sqlite3_mprintf("%s%s", *path == '/' ? "" : "./", path);
	if (!name)
		return message_out_of_memory(message);
	code = sqlite3_open_v2(name, database, flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_free(name);
	if (code != SQLITE_OK) {
		status = *database ? message_set(message, STATUS_FAILED, "%s: %s%s", path,
						 sqlite3_errmsg(*database),
						 database_hint(sqlite3_errcode(*database)))
				   : message_out_of_memory(message);
		goto failed;
	}
	status = database_harden(*database, message);
	if (status != STATUS_OK)
		goto failed;
	return STATUS_OK;

failed:
	sqlite3_close(*database);
	*database = NULL;
	return status;
}

void database_recover(const char *path)
{
	char *journal = sqlite3_mprintf("%s-journal", path);
	sqlite3 *database = NULL;
	struct message ignored;

	if (journal && access(journal, F_OK) == 0)
		database_open(path, DATABASE_WRITE, &database, &ignored);
	sqlite3_close(database);
	sqlite3_free(journal);
}

bool database_same_file(const char *a, const char *b)
{
	struct stat first;
	struct stat second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}
#endif

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

enum status database_run(sqlite3_stmt *statement, struct message *message)
{
	int row;
	enum status status = database_step(statement, &row, message);

	sqlite3_reset(statement);
	return status;
}
