#include "index_file.h"

#include <errno.h>
#include <fcntl.h>
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
	int lock; /* held as long as the job lasts; see index_file_lock */
	bool created;
	int format;
	sqlite3 *database;
};

/* Another job may have removed the file it had made, between the opening and the lock. */
static enum status lock_check(struct index_file *file, struct message *message)
{
	struct stat locked;
	struct stat named;

	if (fstat(file->lock, &locked) == 0 && stat(file->path, &named) == 0 &&
	    locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
		return STATUS_OK;
	file->created = false;
	return message_set(message, STATUS_FAILED,
			   "%s: another connbits-index has just removed it; run again", file->path);
}

/*
 * The lock is flock's, not one of SQLite's: it does not hinder readers or the
 * log's own writer, and it goes with its process however that ends. The
 * descriptor stays open until SQLite is closed, because closing it would drop
 * SQLite's own locks on the file (fcntl(2), record locks).
 */
static enum status index_file_lock(struct index_file *file, struct message *message)
{
	/* Not to wait for whoever writes to a pipe. */
	file->lock = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->lock < 0 && errno == ENOENT) {
		file->lock = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		file->created = file->lock >= 0;
	}
	if (file->lock < 0)
		return message_set(message, STATUS_FAILED, "%s: %s", file->path, strerror(errno));
	if (flock(file->lock, LOCK_EX | LOCK_NB) == 0)
		return lock_check(file, message);
	file->created = false;
	if (errno == EWOULDBLOCK)
		return message_set(message, STATUS_FAILED,
				   "%s: another connbits-index is at work on this index; run again "
				   "when it is done",
				   file->path);
	return message_set(message, STATUS_FAILED, "%s: cannot lock: %s", file->path,
			   strerror(errno));
}

static enum status index_file_prepare(struct index_file *file, struct message *message)
{
	enum status status = database_open(file->path, DATABASE_CREATE, &file->database, message);

	/*
	 * A whole batch fits, so that readers are shut out at the commit only. What
	 * was deleted is overwritten where that costs no writing.
	 */
	if (status == STATUS_OK)
		status = database_execute(file->database,
					  "PRAGMA cache_size = -24576; PRAGMA secure_delete = FAST",
					  message);
	if (status == STATUS_OK)
		status = index_format_read(file->database, "main", &file->format, message);
	return status;
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
	status = opened->path ? index_file_lock(opened, message) : message_out_of_memory(message);
	if (status == STATUS_OK)
		status = index_file_prepare(opened, message);
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

enum status index_file_tables(struct index_file *file, const char *encoding,
			      struct message *message)
{
	enum status status = index_format_make(file->database, file->format, encoding, message);

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
	sqlite3_close(file->database);
	if (file->created)
		unlink(file->path);
	if (file->lock >= 0)
		close(file->lock);
	free(file->path);
	free(file);
}
