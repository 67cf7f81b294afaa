#include "index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/database.h"
#include "database/database_open.h"
#include "index_format.h"

struct index_file {
	char *path;
	int lock;     /* held as long as the job lasts; see index_file_lock */
	bool awaited; /* no file is there, and none is made before there is something to write */
	bool created; /* by this job, with nothing in it that is to stay */
	int format;
	const char *damaged; /* a table that is not as it is made; NULL where all are */
	sqlite3 *database;
};

/* Another file may have been moved to its place, between the opening and the lock. */
static enum status lock_check(struct index_file *file, struct message *message)
{
	struct stat locked;
	struct stat named;

	if (fstat(file->lock, &locked) == 0 && stat(file->path, &named) == 0 &&
	    locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "%s: another file has just taken its place; run again", file->path);
}

/*
 * The lock is flock's, not one of SQLite's: it does not hinder readers or the
 * log's own writer, and it goes with its process however that ends. The
 * descriptor stays open until SQLite is closed, because closing it would drop
 * SQLite's own locks on the file (fcntl(2), record locks).
 */
static enum status lock_take(struct index_file *file, struct message *message)
{
	if (flock(file->lock, LOCK_EX | LOCK_NB) == 0)
		return lock_check(file, message);
	if (errno == EWOULDBLOCK)
		return message_set(message, STATUS_FAILED,
				   "%s: another connbits-index is at work on this index; run again "
				   "when it is done",
				   file->path);
	return message_set(message, STATUS_FAILED, "%s: cannot lock: %s", file->path,
			   strerror(errno));
}

/* Whether a file could be made at that path, which is told now and not behind a long compilation.
 */
static enum status path_check(const char *path, struct message *message)
{
	char *copy = strdup(path);
	enum status status = STATUS_OK;

	if (!copy)
		return message_out_of_memory(message);
	if (access(dirname(copy), W_OK | X_OK) != 0)
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	free(copy);
	return status;
}

/* Locks the file that is there; one that is not is awaited, and stays so until it is needed. */
static enum status file_lock(struct index_file *file, struct message *message)
{
	/* Not to wait for whoever writes to a pipe. */
	file->lock = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->lock >= 0)
		return lock_take(file, message);
	if (errno != ENOENT)
		return message_set(message, STATUS_FAILED, "%s: %s", file->path, strerror(errno));
	file->awaited = true;
	return path_check(file->path, message);
}

/*
 * A file that was made is never removed: somebody may have it open already, and
 * would take the journal of the next file of that name for its own.
 */
static enum status file_make(struct index_file *file, struct message *message)
{
	struct stat made;
	enum status status;

	file->lock = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (file->lock < 0)
		return message_set(message, STATUS_FAILED, "%s: %s", file->path, strerror(errno));
	file->awaited = false;
	status = lock_take(file, message);
	/* Another job may have been faster, and done already. */
	if (status == STATUS_OK && (fstat(file->lock, &made) != 0 || made.st_size > 0))
		return message_set(message, STATUS_FAILED,
				   "%s: another connbits-index has just made it; run again",
				   file->path);
	file->created = status == STATUS_OK;
	return status;
}

/*
 * A whole batch fits, so that readers are shut out at the commit only. SQLite makes
 * pages of the bytes when it is told, and goes on counting those where their size changes.
 */
static enum status cache_bound(struct index_file *file, struct message *message)
{
	return database_execute(file->database, "PRAGMA cache_size = -24576", message);
}

static enum status index_file_prepare(struct index_file *file, struct message *message)
{
	enum status status = database_open(file->path, DATABASE_CREATE, &file->database, message);

	if (status == STATUS_OK)
		status = cache_bound(file, message);
	/* What was deleted is overwritten where that costs no writing. */
	if (status == STATUS_OK)
		status = database_execute(file->database, "PRAGMA secure_delete = FAST", message);
	if (status == STATUS_OK)
		status = index_format_inspect(file->database, &file->format, &file->damaged,
					      message);
	return status;
}

/* Stands for a file that is not there: nothing is stored in it. */
static enum status placeholder_open(struct index_file *file, struct message *message)
{
	if (sqlite3_open_v2(":memory:", &file->database,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK)
		return STATUS_OK;
	return message_out_of_memory(message);
}

enum status index_file_open(const char *path, struct index_file **file, struct message *message)
{
	struct index_file *opened = calloc(1, sizeof(*opened));
	enum status status;

	*file = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->lock = -1;
	opened->path = strdup(path);
	status = opened->path ? file_lock(opened, message) : message_out_of_memory(message);
	if (status == STATUS_OK)
		status = opened->awaited ? placeholder_open(opened, message)
					 : index_file_prepare(opened, message);
	if (status != STATUS_OK) {
		index_file_close(opened);
		return status;
	}
	*file = opened;
	return STATUS_OK;
}

sqlite3 *index_file_database(struct index_file *file)
{
	return file->database;
}

int index_file_format(const struct index_file *file)
{
	return file->format;
}

const char *index_file_damaged(const struct index_file *file)
{
	return file->damaged;
}

enum status index_file_tables(struct index_file *file, const char *encoding,
			      struct message *message)
{
	enum status status = STATUS_OK;

	if (file->awaited) {
		sqlite3_close(file->database);
		file->database = NULL;
		status = file_make(file, message);
		if (status == STATUS_OK)
			status = index_file_prepare(file, message);
	}
	if (status == STATUS_OK)
		status = index_format_make(file->database, file->format, encoding, message);
	if (status == STATUS_OK)
		status = cache_bound(file, message);
	if (status == STATUS_OK)
		file->format = INDEX_FORMAT;
	return status;
}

void index_file_keep(struct index_file *file)
{
	file->created = false;
}

void index_file_close(struct index_file *file)
{
	if (!file)
		return;
	if (file->created && file->database)
		index_format_clear(file->database);
	sqlite3_close(file->database);
	if (file->lock >= 0)
		close(file->lock);
	free(file->path);
	free(file);
}
