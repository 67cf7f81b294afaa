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

struct store {
	char *path;
	int lock; /* held as long as the job lasts; see store_lock */
	bool created;
	int format;
	sqlite3 *database;
};

/* Another job may have removed the file it had made, between the opening and the lock. */
static enum status lock_check(struct store *store, struct message *message)
{
	struct stat locked;
	struct stat named;

	if (fstat(store->lock, &locked) == 0 && stat(store->path, &named) == 0 &&
	    locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
		return STATUS_OK;
	store->created = false;
	return message_set(message, STATUS_FAILED,
			   "%s: another connbits-index has just removed it; run again",
			   store->path);
}

/*
 * The lock is flock's, not one of SQLite's: it does not hinder readers or the
 * log's own writer, and it goes with its process however that ends. The
 * descriptor stays open until SQLite is closed, because closing it would drop
 * SQLite's own locks on the file (fcntl(2), record locks).
 */
static enum status store_lock(struct store *store, struct message *message)
{
	/* Not to wait for whoever writes to a pipe. */
	store->lock = open(store->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (store->lock < 0 && errno == ENOENT) {
		store->lock = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		store->created = store->lock >= 0;
	}
	if (store->lock < 0)
		return message_set(message, STATUS_FAILED, "%s: %s", store->path, strerror(errno));
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return lock_check(store, message);
	store->created = false;
	if (errno == EWOULDBLOCK)
		return message_set(message, STATUS_FAILED,
				   "%s: another connbits-index is at work on this index; run again "
				   "when it is done",
				   store->path);
	return message_set(message, STATUS_FAILED, "%s: cannot lock: %s", store->path,
			   strerror(errno));
}

static enum status database_prepare_store(struct store *store, struct message *message)
{
	enum status status = database_open(store->path, DATABASE_CREATE, &store->database, message);

	/*
	 * A whole batch fits, so that readers are shut out at the commit only. What
	 * was deleted is overwritten where that costs no writing.
	 */
	if (status == STATUS_OK)
		status = database_execute(store->database,
					  "PRAGMA cache_size = -24576; PRAGMA secure_delete = FAST",
					  message);
	if (status == STATUS_OK)
		status = stored_format(store->database, "main", &store->format, message);
	return status;
}

enum status store_open(const char *path, struct store **store, struct message *message)
{
	struct store *opened = calloc(1, sizeof(*opened));
	enum status status;

	*store = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->lock = -1;
	opened->path = strdup(path);
	status = opened->path ? store_lock(opened, message) : message_out_of_memory(message);
	if (status == STATUS_OK)
		status = database_prepare_store(opened, message);
	if (status != STATUS_OK) {
		store_close(opened);
		return status;
	}
	*store = opened;
	return STATUS_OK;
}

sqlite3 *store_database(struct store *store)
{
	return store->database;
}

int store_format(const struct store *store)
{
	return store->format;
}

enum status store_tables(struct store *store, const char *encoding, struct message *message)
{
	enum status status = stored_format_make(store->database, store->format, encoding, message);

	if (status == STATUS_OK)
		store->format = STORED_FORMAT;
	return status;
}

void store_keep(struct store *store)
{
	store->created = false;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	sqlite3_close(store->database);
	if (store->created)
		unlink(store->path);
	if (store->lock >= 0)
		close(store->lock);
	free(store->path);
	free(store);
}
