#include "index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "database/database.h"
#include "database/database_open.h"
#include "index_reader.h"

struct store {
	char *path;
	int lock; /* held as long as the job lasts; see store_lock */
	bool created;
	int format;
	sqlite3 *database;
};

static const char drop_sql[] = "DROP TABLE IF EXISTS connbits_bitmap;"
			       "DROP TABLE IF EXISTS connbits_header;"
			       "DROP TABLE IF EXISTS connbits_filter;"
			       "DROP TABLE IF EXISTS connbits_source;"
			       "DROP TABLE IF EXISTS connbits_format;";

static const char tables_sql[] =
	"CREATE TABLE connbits_format (version INTEGER NOT NULL);"
	"INSERT INTO connbits_format VALUES (4);"
	"CREATE TABLE connbits_source ("
	" id INTEGER PRIMARY KEY,"
	" table_name TEXT UNIQUE," /* NULL while the index is being built */
	" building TEXT,"	   /* the table's name meanwhile */
	" schema TEXT NOT NULL,"
	" columns TEXT NOT NULL," /* JSON: role to column, and how values are read: layout.h */
	" rows INTEGER NOT NULL DEFAULT 0,"
	" headers INTEGER NOT NULL DEFAULT 0,"
	" listen INTEGER NOT NULL DEFAULT 0,"
	" skipped_type INTEGER NOT NULL DEFAULT 0,"
	" skipped_transport INTEGER NOT NULL DEFAULT 0,"
	" skipped_address INTEGER NOT NULL DEFAULT 0,"
	" skipped_family INTEGER NOT NULL DEFAULT 0,"
	" skipped_port INTEGER NOT NULL DEFAULT 0,"
	" first_row INTEGER NOT NULL,"
	" last_row INTEGER NOT NULL," /* the watermark; less than first_row for an empty log */
	" fingerprints BLOB,"
	" identity TEXT NOT NULL," /* random, of one commit */
	" packed INTEGER NOT NULL,"
	" inside INTEGER NOT NULL," /* the index is in the log's own file */
	" tracked INTEGER NOT NULL,"
	" mark TEXT NOT NULL DEFAULT ''," /* of the log's notes: notes_reader.h */
	" next_mark TEXT NOT NULL DEFAULT '',"
	" indexed_at TEXT);"
	"CREATE TABLE connbits_filter ("
	" id INTEGER PRIMARY KEY,"
	" source INTEGER NOT NULL," /* negative while the filter is pending */
	" name TEXT NOT NULL,"
	" expression TEXT NOT NULL,"
	" description TEXT NOT NULL,"
	" position INTEGER NOT NULL,"
	" rows INTEGER NOT NULL DEFAULT 0,"
	" indexed_at TEXT,"
	" UNIQUE (source, name));"
	"CREATE TABLE connbits_bitmap ("
	" filter INTEGER NOT NULL,"
	" chunk INTEGER NOT NULL,"
	" rows INTEGER NOT NULL,"
	" bitmap BLOB NOT NULL,"
	" PRIMARY KEY (filter, chunk));"
	"CREATE TABLE connbits_header ("
	" source INTEGER NOT NULL,"
	" segment INTEGER NOT NULL,"
	" rows INTEGER NOT NULL,"  /* with a header */
	" outcomes BLOB NOT NULL," /* rows by outcome */
	" packed BLOB,"		   /* NULL where headers are not stored */
	" PRIMARY KEY (source, segment));";

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

/*
 * What no reader sees, each as a question for one value, the rest of which is
 * then deleted in slices: a live writer of the same file never waits long.
 */
static const struct garbage {
	const char *find;   /* one value */
	const char *delete; /* a slice of what goes with it, ?1 */
} garbage_kinds[] = {
	/* Of another table, what a stopped job has begun is for that table's next job. */
	{"SELECT id FROM connbits_source WHERE table_name IS NULL AND id <> ?1 AND (building IS "
	 "NULL "
	 "OR ?2 IS NULL OR building = ?2 COLLATE NOCASE)",
	 "DELETE FROM connbits_source WHERE id = ?1"},
	/* Pending filters have the negative number of their source. */
	{"SELECT source FROM connbits_filter WHERE source NOT IN (SELECT id FROM connbits_source)",
	 "DELETE FROM connbits_filter WHERE source = ?1"},
	/* One look-up a filter: the table may have millions of bitmaps. */
	{"WITH RECURSIVE present(filter) AS (SELECT min(filter) FROM connbits_bitmap UNION ALL "
	 "SELECT (SELECT min(filter) FROM connbits_bitmap b WHERE b.filter > present.filter) FROM "
	 "present WHERE present.filter IS NOT NULL) SELECT filter FROM present WHERE filter IS NOT "
	 "NULL AND filter NOT IN (SELECT id FROM connbits_filter)",
	 /* Up to the next filter that is left, and about a megabyte at a time. */
	 "DELETE FROM connbits_bitmap WHERE rowid IN (SELECT id FROM (SELECT id, sum(size) OVER "
	 "(ORDER BY id) - size AS before FROM (SELECT rowid AS id, length(bitmap) AS size FROM "
	 "connbits_bitmap WHERE filter BETWEEN ?1 AND iif(typeof(?1) = 'integer', coalesce((SELECT "
	 "min(id) - 1 FROM connbits_filter WHERE id > ?1), 9223372036854775807), ?1) LIMIT 1024)) "
	 "WHERE before < 1048576)"},
	{"WITH RECURSIVE present(source) AS (SELECT min(source) FROM connbits_header UNION ALL "
	 "SELECT (SELECT min(source) FROM connbits_header h WHERE h.source > present.source) FROM "
	 "present WHERE present.source IS NOT NULL) SELECT source FROM present WHERE source IS NOT "
	 "NULL AND source NOT IN (SELECT id FROM connbits_source)",
	 "DELETE FROM connbits_header WHERE rowid IN (SELECT rowid FROM connbits_header WHERE "
	 "source = ?1 LIMIT 4)"},
	/* Of an index that does without. */
	{"SELECT id FROM connbits_source s WHERE NOT s.packed AND EXISTS (SELECT 1 FROM "
	 "connbits_header h WHERE h.source = s.id AND h.packed IS NOT NULL)",
	 "UPDATE connbits_header SET packed = NULL WHERE rowid IN (SELECT rowid FROM "
	 "connbits_header WHERE source = ?1 AND packed IS NOT NULL LIMIT 4)"},
	/* Bitmaps and headers are written ahead of the commit that moves the watermark behind them.
	 */
	{"SELECT f.id FROM connbits_filter f JOIN connbits_source s ON s.id = f.source WHERE "
	 "EXISTS "
	 "(SELECT 1 FROM connbits_bitmap WHERE filter = f.id AND chunk > iif(first_row > last_row, "
	 "-9223372036854775807 - 1, last_row >> 20))",
	 "DELETE FROM connbits_bitmap WHERE rowid IN (SELECT b.rowid FROM connbits_bitmap b JOIN "
	 "connbits_filter f ON f.id = b.filter JOIN connbits_source s ON s.id = f.source WHERE "
	 "b.filter = ?1 AND b.chunk > iif(first_row > last_row, -9223372036854775807 - 1, last_row "
	 ">> 20) LIMIT 16)"},
	{"SELECT id FROM connbits_source s WHERE EXISTS (SELECT 1 FROM connbits_header WHERE "
	 "source = id AND segment > iif(first_row > last_row, -9223372036854775807 - 1, last_row "
	 ">> 16))",
	 "DELETE FROM connbits_header WHERE rowid IN (SELECT h.rowid FROM connbits_header h JOIN "
	 "connbits_source s ON s.id = h.source WHERE h.source = ?1 AND h.segment > iif(first_row > "
	 "last_row, -9223372036854775807 - 1, last_row >> 16) LIMIT 4)"},
};

/*
 * Finds the first piece of garbage of a kind. *value, whatever its type, is
 * the caller's to free with sqlite3_value_free; NULL where there is none.
 */
static enum status garbage_find(struct store *store, const struct garbage *kind,
				const struct store_kept *kept, sqlite3_value **value,
				struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status =
		database_prepare(store->database, &statement, message, "%s LIMIT 1", kind->find);

	*value = NULL;
	if (status == STATUS_OK && sqlite3_bind_parameter_count(statement))
		sqlite3_bind_int64(statement, 1, kept->source);
	if (status == STATUS_OK && sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_text(statement, 2, kept->table, -1, SQLITE_STATIC);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		*value = sqlite3_value_dup(sqlite3_column_value(statement, 0));
		if (!*value)
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

/* How cleaning goes along with others. */
struct manners {
	struct gate *gate;
	const volatile sig_atomic_t *stop; /* NULL, or not 0 once the job should end */
};

/* Runs the statement in a transaction of its own, once nobody else is in its way. */
static enum status slice_delete(struct store *store, sqlite3_stmt *statement, struct gate *gate,
				bool *deleted, struct message *message)
{
	double asked;
	double begun;
	enum status status;

	gate_close(gate);
	asked = clock_seconds();
	status = database_begin(store->database, message);
	begun = clock_seconds();
	if (status == STATUS_OK) {
		status = database_run(statement, message);
		*deleted = status == STATUS_OK && sqlite3_changes(store->database) > 0;
		status = database_end(store->database, status, message);
	}
	gate_open(gate, begun - asked, clock_seconds() - begun);
	return status;
}

/* *deleted says whether there was anything. */
static enum status garbage_delete(struct store *store, const struct garbage *kind,
				  const sqlite3_value *value, const struct manners *manners,
				  bool *deleted, struct message *message)
{
	sqlite3_stmt *statement;
	bool more = true;
	enum status status =
		database_prepare(store->database, &statement, message, "%s", kind->delete);

	*deleted = false;
	if (status == STATUS_OK)
		sqlite3_bind_value(statement, 1, value);
	while (status == STATUS_OK && more) {
		if (manners->stop && *manners->stop)
			status = message_set(message, STATUS_FAILED, "interrupted");
		else
			status = slice_delete(store, statement, manners->gate, &more, message);
		*deleted |= more;
	}
	sqlite3_finalize(statement);
	return status;
}

/* Removes all garbage of a kind. */
static enum status garbage_clean(struct store *store, const struct garbage *kind,
				 const struct store_kept *kept, const struct manners *manners,
				 struct message *message)
{
	for (;;) {
		sqlite3_value *value;
		bool deleted;
		enum status status = garbage_find(store, kind, kept, &value, message);

		if (status != STATUS_OK || !value)
			return status;
		status = garbage_delete(store, kind, value, manners, &deleted, message);
		sqlite3_value_free(value);
		if (status != STATUS_OK)
			return status;
		if (!deleted)
			return message_set(message, STATUS_FAILED,
					   "%s: the index is damaged beyond clearing up; remove "
					   "its connbits_ tables and build it again",
					   store->path);
	}
}

enum status store_clean(struct store *store, const struct store_kept *kept, struct gate *gate,
			const volatile sig_atomic_t *stop, struct message *message)
{
	const struct manners manners = {.gate = gate, .stop = stop};
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && i < sizeof(garbage_kinds) / sizeof(*garbage_kinds); i++)
		status = garbage_clean(store, &garbage_kinds[i], kept, &manners, message);
	return status;
}

/*
 * A file of the index's own has large pages, since its blobs are: headers are
 * read a tenth faster. SQLite ignores the size and the encoding of a file that
 * has tables already.
 */
static enum status file_shape(struct store *store, const char *encoding, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	int row;
	enum status status = database_execute(store->database, "PRAGMA page_size = 16384", message);

	if (status == STATUS_OK)
		status = database_prepare(store->database, &statement, message,
					  "PRAGMA encoding = %Q", encoding);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	sqlite3_finalize(statement);
	return status;
}

enum status store_tables(struct store *store, const char *encoding, struct message *message)
{
	enum status status = STATUS_OK;

	if (store->format == STORED_FORMAT)
		return STATUS_OK;
	if (store->format == 0)
		status = file_shape(store, encoding, message);
	if (status == STATUS_OK)
		status = database_begin(store->database, message);
	if (status != STATUS_OK)
		return status;
	status = database_execute(store->database, drop_sql, message);
	if (status == STATUS_OK)
		status = database_execute(store->database, tables_sql, message);
	status = database_end(store->database, status, message);
	if (status == STATUS_OK)
		store->format = STORED_FORMAT;
	return status;
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
