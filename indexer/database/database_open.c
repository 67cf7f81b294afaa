#include "database_open.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"

enum {
	BUSY_WAITS = 15000,
	BUSY_WAIT_MICROSECONDS = 2000,
};

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

enum status database_open_moment(const char *path, sqlite3 **database, struct message *message)
{
	enum status status = database_open(path, DATABASE_READ, database, message);

	if (status != STATUS_OK)
		return status;
	status = database_execute(*database, "BEGIN", message);
	if (status != STATUS_OK) {
		sqlite3_close(*database);
		*database = NULL;
	}
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
