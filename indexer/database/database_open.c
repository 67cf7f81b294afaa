#include "database_open.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "file_kind.h"
#include "immutable.h"

#ifdef CONNBITS_EXTENSION
enum { IN_HOST = 1 };
#else
enum { IN_HOST = 0 };
#endif

enum {
	BUSY_WAITS = 15000,
	BESIDE_WAITS = 500,
	BUSY_WAIT_MICROSECONDS = 2000,
	/* Columns of PRAGMA function_list. */
	FUNCTION_LIST_NAME = 0,
	FUNCTION_LIST_BUILTIN = 1,
	FUNCTION_LIST_ARGUMENTS = 4,
	FUNCTION_LIST_FLAGS = 5,
	TRUST_EXTENSIONS_MAX = 64,
};

/*
 * Asks often: SQLite's own handler waits ever longer, up to 100 ms, and beside
 * a busy writer finds the file free on few of so few tries.
 */
static int busy_wait(void *context, int waits)
{
	const int *most = context;

	if (waits >= *most)
		return 0;
	usleep(BUSY_WAIT_MICROSECONDS);
	return 1;
}

/* What a trusted schema may call beyond an untrusted one. */
struct trust {
	bool json;    /* SQLite's JSON functions, which do nothing but read their arguments */
	bool builtin; /* others that SQLite itself has */
	size_t count; /* those of its extensions, for full-text and R-tree tables */
	struct {
		char name[32];
		int arguments;
	} extensions[TRUST_EXTENSIONS_MAX];
};

static bool is_json(const char *function)
{
	return strncmp(function, "json", 4) == 0 || strcmp(function, "->") == 0 ||
	       strcmp(function, "->>") == 0;
}

/* Functions for direct use only stay barred from every schema. */
static void trust_note(struct trust *trust, sqlite3_stmt *function)
{
	const char *name = (const char *)sqlite3_column_text(function, FUNCTION_LIST_NAME);
	const int flags = sqlite3_column_int(function, FUNCTION_LIST_FLAGS);
	const size_t length = name ? strlen(name) : 0;

	if (flags & (SQLITE_INNOCUOUS | SQLITE_DIRECTONLY))
		return;
	if (sqlite3_column_int(function, FUNCTION_LIST_BUILTIN)) {
		trust->json |= name && is_json(name);
		trust->builtin |= !name || !is_json(name);
		return;
	}
	if (!name || trust->count == TRUST_EXTENSIONS_MAX ||
	    length >= sizeof(trust->extensions[0].name)) {
		trust->builtin = true;
		return;
	}
	memcpy(trust->extensions[trust->count].name, name, length + 1);
	trust->extensions[trust->count++].arguments =
		sqlite3_column_int(function, FUNCTION_LIST_ARGUMENTS);
}

/*
 * An untrusted schema may call only functions that SQLite marks as innocuous,
 * and before 3.41 its JSON functions are not: a file with one of them in a
 * generated column, an index or a CHECK of any table cannot be read. Where trust
 * would add nothing but these, the schema is trusted, after functions of
 * extensions have been taken away; views and triggers are off.
 */
static enum status trust_json(sqlite3 *database, struct message *message)
{
	struct trust trust = {0};
	sqlite3_stmt *statement;
	int row = 1;
	/* A pragma does not read the schema, which is not to be read before this is settled. */
	enum status status =
		database_prepare(database, &statement, message, "PRAGMA function_list");

	while (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		trust_note(&trust, statement);
	}
	sqlite3_finalize(statement);
	if (status != STATUS_OK || !trust.json || trust.builtin)
		return status;
	for (size_t i = 0; i < trust.count; i++)
		if (sqlite3_create_function(database, trust.extensions[i].name,
					    trust.extensions[i].arguments, SQLITE_UTF8, NULL, NULL,
					    NULL, NULL) != SQLITE_OK)
			return STATUS_OK;
	sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
	return STATUS_OK;
}

static enum status database_harden(sqlite3 *database, bool beside, struct message *message)
{
	static const int busy_waits = BUSY_WAITS;
	static const int beside_waits = BESIDE_WAITS;
	enum status status;

	sqlite3_extended_result_codes(database, 1);
	sqlite3_busy_handler(database, busy_wait, (void *)(beside ? &beside_waits : &busy_waits));
	sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	status = trust_json(database, message);
	if (status != STATUS_OK)
		return status;
	/* The first page is read here, so that a file of another kind is known at once. */
	return database_execute(database, "PRAGMA cell_size_check = ON; PRAGMA schema_version",
				message);
}

/* Says what the file is, where that is known, in place of what it is not. */
static void kind_tell(const char *path, struct message *message)
{
	const char *kind = file_kind_read(path);

	if (kind)
		message_set(message, STATUS_FAILED, "%s: is %s", path, kind);
}

bool database_is_barred(int code)
{
	return (code & 0xff) == SQLITE_READONLY || (code & 0xff) == SQLITE_CANTOPEN;
}

/* Opens a file by the name that SQLite wants. On failure *database is NULL. */
static enum status file_open(const char *path, const char *name, int flags, bool beside,
			     sqlite3 **database, bool *barred, struct message *message)
{
	const int code = sqlite3_open_v2(
		name, database,
		flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_URI, NULL);
	enum status status = STATUS_OK;

	if (code != SQLITE_OK)
		status = *database ? message_set(message, STATUS_FAILED, "%s: %s%s", path,
						 sqlite3_errmsg(*database),
						 database_hint(sqlite3_errcode(*database)))
				   : message_out_of_memory(message);
	if (status == STATUS_OK)
		status = database_harden(*database, beside, message);
	if (status != STATUS_OK && !beside && sqlite3_errcode(*database) == SQLITE_NOTADB)
		kind_tell(path, message);
	if (status != STATUS_OK) {
		*barred = database_is_barred(sqlite3_errcode(*database));
		sqlite3_close(*database);
		*database = NULL;
	}
	return status;
}

/* Where SQLite cannot have its locks beside a file that is whole, it is read without. */
static enum status file_open_unlocked(const char *path, sqlite3 **database, struct message *message)
{
	char *name = immutable_name(path);
	struct message first = *message;
	bool barred;
	enum status status;

	if (!name && immutable_is_in_use(path))
		return message_set(message, STATUS_FAILED,
				   "%.400s; a -wal file lies beside it, with which it has to be "
				   "in a folder that can be written: close the log where it is "
				   "written, or copy both",
				   first.text);
	if (!name)
		return STATUS_FAILED;
	status = file_open(path, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, false, database,
			   &barred, message);
	sqlite3_free(name);
	if (status != STATUS_OK)
		*message = first;
	return status;
}

enum status database_open(const char *path, enum database_mode mode, sqlite3 **database,
			  struct message *message)
{
	static const int flags[] = {
		[DATABASE_READ] = SQLITE_OPEN_READONLY,
		[DATABASE_READ_BESIDE] = SQLITE_OPEN_READONLY,
		[DATABASE_WRITE] = SQLITE_OPEN_READWRITE,
		[DATABASE_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};
	struct stat file;
	bool barred = false;
	enum status status;
	char *name;

	*database = NULL;
	if (stat(path, &file) != 0) {
		if (mode != DATABASE_CREATE || errno != ENOENT)
			return message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(file.st_mode)) {
		return message_set(message, STATUS_FAILED, "%s: not a regular file", path);
	} else if (access(path, R_OK) != 0) {
		return message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	}
	/* Whatever its name, it is a file: no URI, and not ":memory:". */
	name = sqlite3_mprintf("%s%s", *path == '/' ? "" : "./", path);
	if (!name)
		return message_out_of_memory(message);
	status = file_open(path, name, flags[mode], mode == DATABASE_READ_BESIDE, database, &barred,
			   message);
	sqlite3_free(name);
	if (status != STATUS_OK && barred && mode == DATABASE_READ)
		status = file_open_unlocked(path, database, message);
	return status;
}

bool database_can_open_beside(sqlite3 *database, const char *database_name)
{
	const char *path = sqlite3_db_filename(database, database_name);
	const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
	sqlite3_vfs *vfs = NULL;
	int moved = 0;

	if (!path || !*path)
		return false;
	sqlite3_file_control(database, database_name, SQLITE_FCNTL_VFS_POINTER, &vfs);
	/* Where a host's connection has no mutex, its SQLite may be one without any. */
	if (!sqlite3_threadsafe() || (IN_HOST && !sqlite3_db_mutex(database)))
		return false;
	return vfs && usual && strcmp(vfs->zName, usual->zName) == 0 &&
	       sqlite3_file_control(database, database_name, SQLITE_FCNTL_HAS_MOVED, &moved) ==
		       SQLITE_OK &&
	       !moved && sqlite3_txn_state(database, database_name) != SQLITE_TXN_WRITE;
}

enum status database_open_handle(const char *path, sqlite3 **database, struct message *message)
{
	const int code = sqlite3_open_v2(
		path, database,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

	if (code == SQLITE_OK)
		return STATUS_OK;
	sqlite3_close(*database);
	*database = NULL;
	return message_set(message, STATUS_FAILED, "%s: cannot be opened once more", path);
}

enum status database_open_moment(const char *path, sqlite3 **database, struct message *message)
{
	enum status status = database_open(path, DATABASE_READ, database, message);

	if (status != STATUS_OK)
		return status;
	/* BEGIN alone holds nothing before the first read. */
	status = database_execute(*database, "BEGIN; SELECT 1 FROM main.sqlite_master", message);
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
