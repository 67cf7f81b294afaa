#include "database_state.h"

#include "base/platform.h"
#include "database/database.h"

/*
 * False where it cannot be told: also of a database that has no file but the
 * log's table, since nothing tells it from another such one. Current as of the
 * read transaction that is open.
 */
static bool file_state_read(sqlite3 *database, const char *database_name, const char *table,
			    struct file_state *state)
{
	const char *path = sqlite3_db_filename(database, database_name);
	struct stat file = {0};

	*state = (struct file_state){0};
	if (path && *path) {
		if (stat(path, &file) != 0)
			return false;
	} else if (sqlite3_table_column_metadata(database, database_name, table, NULL, NULL, NULL,
						 NULL, NULL, NULL) == SQLITE_OK) {
		return false;
	}
	state->device = file.st_dev;
	state->inode = file.st_ino;
	state->size = file.st_size;
	state->changed = platform_changed(&file);
	return sqlite3_file_control(database, database_name, SQLITE_FCNTL_FILE_POINTER,
				    &state->file) == SQLITE_OK &&
	       sqlite3_file_control(database, database_name, SQLITE_FCNTL_DATA_VERSION,
				    &state->version) == SQLITE_OK;
}

bool file_state_same(const struct file_state *a, const struct file_state *b)
{
	return a->file == b->file && a->version == b->version && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

void snapshots_release(struct snapshots *snapshots)
{
	for (int i = 0; i < snapshots->count; i++)
		sqlite3_finalize(snapshots->statements[i]);
	snapshots->count = 0;
}

static bool is_watched(const char *database_name)
{
	return sqlite3_stricmp(database_name, "temp") != 0;
}

enum status snapshots_hold(sqlite3 *database, struct snapshots *snapshots, struct message *message)
{
	const char *name;
	enum status status = STATUS_OK;

	snapshots->count = 0;
	for (int i = 0; status == STATUS_OK && snapshots->count < DATABASES_MAX &&
			(name = sqlite3_db_name(database, i));
	     i++) {
		int row;

		if (!is_watched(name))
			continue;
		status = database_prepare(database, &snapshots->statements[snapshots->count],
					  message, "SELECT 1 FROM \"%w\".sqlite_master", name);
		if (status == STATUS_OK)
			status = database_step(snapshots->statements[snapshots->count++], &row,
					       message);
	}
	return status;
}

bool file_states_read(sqlite3 *database, const char *table,
		      struct file_state states[static DATABASES_MAX], int *count)
{
	const char *name;

	*count = 0;
	if (database_reads_uncommitted(database))
		return false;
	for (int i = 0; (name = sqlite3_db_name(database, i)); i++) {
		if (!is_watched(name))
			continue;
		if (*count == DATABASES_MAX ||
		    sqlite3_txn_state(database, name) == SQLITE_TXN_WRITE ||
		    !file_state_read(database, name, table, &states[(*count)++]))
			return false;
	}
	return true;
}
