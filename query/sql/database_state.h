/*
 * Whether any database of a connection has changed since it was looked at, by
 * its own commits or another's: what an answer's staying true depends on.
 */
#ifndef CONNBITS_SQL_DATABASE_STATE_H
#define CONNBITS_SQL_DATABASE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/message.h"
#include "database/sqlite.h"

enum {
	DATABASES_MAX = 16
}; /* that are watched; SQLite attaches ten, if it is not told otherwise */

/* Read transactions on all databases but temp, so that their data versions are the current ones. */
struct snapshots {
	sqlite3_stmt *statements[DATABASES_MAX];
	int count;
};

enum status snapshots_hold(sqlite3 *database, struct snapshots *snapshots, struct message *message);

void snapshots_release(struct snapshots *snapshots);

/* By which a file is known to be the one seen before, and unchanged. */
struct file_state {
	void *file; /* where SQLite keeps it, which another one may get once it is detached */
	uint32_t version;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/*
 * The state of every database. False where it cannot be told later that nothing
 * has changed: where this connection has written what it may still roll back.
 */
bool file_states_read(sqlite3 *database, const char *table,
		      struct file_state states[static DATABASES_MAX], int *count);

bool file_state_same(const struct file_state *a, const struct file_state *b);

#endif
