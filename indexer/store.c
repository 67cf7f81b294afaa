#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "stored.h"

struct store {
	char *path;
	int lock; /* held as long as the job lasts; see store_lock */
	bool created;
	bool finished;
	sqlite3 *database;
	sqlite3_stmt *insert;
	char *table;
	int64_t source; /* of the unfinished build; 0 where there is none */
	int64_t *filters;
	size_t filter_count;
};

static const char tables_sql[] =
	"CREATE TABLE IF NOT EXISTS connbits_format (version INTEGER NOT NULL);"
	"INSERT INTO connbits_format SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM connbits_format);"
	"CREATE TABLE IF NOT EXISTS connbits_source ("
	" id INTEGER PRIMARY KEY,"
	" table_name TEXT UNIQUE," /* NULL while the index is being built */
	" schema TEXT NOT NULL,"
	" columns TEXT NOT NULL," /* JSON: role to column */
	" rows INTEGER NOT NULL DEFAULT 0,"
	" headers INTEGER NOT NULL DEFAULT 0,"
	" listen INTEGER NOT NULL DEFAULT 0,"
	" skipped_type INTEGER NOT NULL DEFAULT 0,"
	" skipped_transport INTEGER NOT NULL DEFAULT 0,"
	" skipped_address INTEGER NOT NULL DEFAULT 0,"
	" skipped_family INTEGER NOT NULL DEFAULT 0,"
	" skipped_port INTEGER NOT NULL DEFAULT 0,"
	" first_row INTEGER,"
	" last_row INTEGER,"
	" fingerprints BLOB,"
	" identity TEXT NOT NULL," /* random, of one build */
	" indexed_at TEXT);"
	"CREATE TABLE IF NOT EXISTS connbits_filter ("
	" id INTEGER PRIMARY KEY,"
	" source INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" expression TEXT NOT NULL,"
	" description TEXT NOT NULL,"
	" rows INTEGER NOT NULL DEFAULT 0,"
	" indexed_at TEXT,"
	" UNIQUE (source, name));"
	"CREATE TABLE IF NOT EXISTS connbits_bitmap ("
	" filter INTEGER NOT NULL,"
	" chunk INTEGER NOT NULL,"
	" rows INTEGER NOT NULL,"
	" bitmap BLOB NOT NULL,"
	" PRIMARY KEY (filter, chunk));";

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
	store->lock = open(store->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
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

static enum status transaction_end(struct store *store, enum status status, struct message *message)
{
	if (status == STATUS_OK)
		status = database_execute(store->database, "COMMIT", message);
	if (status != STATUS_OK)
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

/*
 * Finds the first filter id from *filter on that has bitmaps but no filter.
 * One look-up an id: the table may have millions of bitmaps.
 */
static enum status garbage_find(struct store *store, int64_t *filter, bool *found,
				struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		store->database, &statement, message,
		"WITH RECURSIVE present(filter) AS ("
		" SELECT min(filter) FROM connbits_bitmap WHERE filter >= %lld"
		" UNION ALL"
		" SELECT (SELECT min(filter) FROM connbits_bitmap AS b WHERE b.filter > "
		"present.filter) FROM present WHERE present.filter IS NOT NULL)"
		"SELECT filter FROM present WHERE filter IS NOT NULL AND filter NOT IN "
		"(SELECT id FROM connbits_filter) LIMIT 1",
		(long long)*filter);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*found = status == STATUS_OK && row;
	if (*found)
		*filter = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

/* In slices, so that a live writer of the same file never waits long. */
static enum status garbage_delete(struct store *store, int64_t filter, struct message *message)
{
	sqlite3_stmt *statement;
	bool more = true;
	enum status status = database_prepare(
		store->database, &statement, message,
		"DELETE FROM connbits_bitmap WHERE rowid IN (SELECT rowid FROM connbits_bitmap "
		"WHERE filter = %lld LIMIT 256)",
		(long long)filter);

	while (status == STATUS_OK && more) {
		status = database_run(statement, message);
		more = sqlite3_changes(store->database) > 0;
	}
	sqlite3_finalize(statement);
	return status;
}

/* Removes what a killed job left and what a finished one replaced: nobody reads it. */
static enum status garbage_collect(struct store *store, struct message *message)
{
	int64_t filter = INT64_MIN;
	bool found = true;
	enum status status = database_execute(
		store->database,
		"BEGIN IMMEDIATE;"
		"DELETE FROM connbits_source WHERE table_name IS NULL;"
		"DELETE FROM connbits_filter WHERE source NOT IN (SELECT id FROM connbits_source)",
		message);

	status = transaction_end(store, status, message);
	while (status == STATUS_OK && found) {
		status = garbage_find(store, &filter, &found, message);
		if (status == STATUS_OK && found)
			status = garbage_delete(store, filter, message);
	}
	return status;
}

static enum status garbage_exists(struct store *store, bool *exists, struct message *message)
{
	sqlite3_stmt *statement;
	int64_t filter = INT64_MIN;
	int row = 0;
	enum status status = database_prepare(
		store->database, &statement, message,
		"SELECT EXISTS (SELECT 1 FROM connbits_source WHERE table_name IS NULL) OR EXISTS "
		"(SELECT 1 FROM connbits_filter WHERE source NOT IN (SELECT id FROM "
		"connbits_source))");

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*exists = status == STATUS_OK && row && sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	if (status == STATUS_OK && !*exists)
		status = garbage_find(store, &filter, exists, message);
	return status;
}

/* SQLite ignores the encoding of a file that has tables already. */
static enum status encoding_set(struct store *store, const char *encoding, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(store->database, &statement, message,
					      "PRAGMA encoding = %Q", encoding);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	sqlite3_finalize(statement);
	return status;
}

static enum status store_prepare(struct store *store, const char *encoding, struct message *message)
{
	bool exists;
	bool garbage;
	enum status status = database_open(store->path, DATABASE_CREATE, &store->database, message);

	/* A whole batch fits, so that readers are shut out at the commit only. */
	if (status == STATUS_OK)
		status = database_execute(store->database, "PRAGMA cache_size = -24576", message);
	if (status == STATUS_OK)
		status = stored_exists(store->database, "main", &exists, message);
	if (status == STATUS_OK && !exists)
		status = encoding_set(store, encoding, message);
	if (status == STATUS_OK && !exists) {
		status = database_execute(store->database, "BEGIN IMMEDIATE", message);
		if (status == STATUS_OK)
			status = database_execute(store->database, tables_sql, message);
		status = transaction_end(store, status, message);
	}
	if (status == STATUS_OK)
		status = garbage_exists(store, &garbage, message);
	if (status == STATUS_OK && garbage)
		status = garbage_collect(store, message);
	return status;
}

enum status store_open(const char *path, const char *encoding, struct store **store,
		       struct message *message)
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
		status = store_prepare(opened, encoding, message);
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

static char *layout_json(const struct layout *layout)
{
	sqlite3_str *json = sqlite3_str_new(NULL);
	const char *comma = "";

	sqlite3_str_appendall(json, "json_object(");
	for (int role = 0; role < ROLE_COUNT; role++) {
		if (!layout->columns[role])
			continue;
		sqlite3_str_appendf(json, "%s%Q,%Q", comma, layout_role_name((enum role)role),
				    layout->columns[role]);
		comma = ",";
	}
	sqlite3_str_appendall(json, ")");
	return sqlite3_str_finish(json);
}

/* The query side could not tell the bitmaps of two tables apart. */
static enum status other_table_check(struct store *store, const struct layout *layout,
				     struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		store->database, &statement, message,
		"SELECT table_name FROM connbits_source WHERE table_name <> %Q COLLATE NOCASE",
		layout->table);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		status = message_set(message, STATUS_FAILED,
				     "%s: holds the index of the table '%.200s'; keep the one of "
				     "'%.200s' in another file with --into",
				     store->path, sqlite3_column_text(statement, 0), layout->table);
	sqlite3_finalize(statement);
	return status;
}

enum status store_begin(struct store *store, const struct layout *layout, struct message *message)
{
	sqlite3_stmt *statement;
	char *json = layout_json(layout);
	enum status status;

	store->table = strdup(layout->table);
	if (!json || !store->table) {
		sqlite3_free(json);
		return message_out_of_memory(message);
	}
	status = other_table_check(store, layout, message);
	if (status != STATUS_OK) {
		sqlite3_free(json);
		return status;
	}
	status = database_prepare(store->database, &statement, message,
				  "INSERT INTO connbits_source (schema, columns, identity) "
				  "VALUES (%Q, %s, lower(hex(randomblob(16))))",
				  layout->schema, json);
	sqlite3_free(json);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	if (status == STATUS_OK)
		store->source = sqlite3_last_insert_rowid(store->database);
	return status;
}

static enum status filters_insert(struct store *store, const struct store_filter *filters,
				  size_t count, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		store->database, &statement, message,
		"INSERT INTO connbits_filter (source, name, expression, description) "
		"VALUES (%lld, ?1, ?2, ?3)",
		(long long)store->source);

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_text(statement, 1, filters[i].name, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, filters[i].expression, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, filters[i].description, -1, SQLITE_STATIC);
		status = database_run(statement, message);
		store->filters[i] = sqlite3_last_insert_rowid(store->database);
	}
	sqlite3_finalize(statement);
	return status;
}

enum status store_add_filters(struct store *store, const struct store_filter *filters, size_t count,
			      struct message *message)
{
	enum status status;

	store->filters = calloc(count ? count : 1, sizeof(*store->filters));
	if (!store->filters)
		return message_out_of_memory(message);
	store->filter_count = count;
	status = database_execute(store->database, "BEGIN IMMEDIATE", message);
	if (status == STATUS_OK)
		status = filters_insert(store, filters, count, message);
	status = transaction_end(store, status, message);
	if (status == STATUS_OK)
		status = database_prepare(
			store->database, &store->insert, message,
			"INSERT INTO connbits_bitmap (filter, chunk, rows, bitmap) "
			"VALUES (?1, ?2, ?3, ?4)");
	return status;
}

enum status store_put(struct store *store, const struct store_bitmap *bitmaps, size_t count,
		      struct message *message)
{
	enum status status = database_execute(store->database, "BEGIN IMMEDIATE", message);

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_int64(store->insert, 1, store->filters[bitmaps[i].filter]);
		sqlite3_bind_int64(store->insert, 2, bitmaps[i].chunk);
		sqlite3_bind_int64(store->insert, 3, (int64_t)bitmaps[i].rows);
		sqlite3_bind_blob64(store->insert, 4, bitmaps[i].bytes, bitmaps[i].size,
				    SQLITE_STATIC);
		status = database_run(store->insert, message);
	}
	return transaction_end(store, status, message);
}

static enum status filter_rows_update(struct store *store, const uint64_t *rows,
				      struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(store->database, &statement, message,
					      "UPDATE connbits_filter SET rows = ?2, indexed_at = "
					      "strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ') "
					      "WHERE id = ?1");

	for (size_t i = 0; status == STATUS_OK && i < store->filter_count; i++) {
		sqlite3_bind_int64(statement, 1, store->filters[i]);
		sqlite3_bind_int64(statement, 2, (int64_t)rows[i]);
		status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return status;
}

/* Removes the table's former index from sight and gives its name to the build. */
static enum status source_replace(struct store *store, const struct store_totals *totals,
				  struct message *message)
{
	sqlite3_stmt *statement;
	uint64_t rows = 0;
	enum status status = database_prepare(
		store->database, &statement, message,
		"DELETE FROM connbits_source WHERE table_name = %Q COLLATE NOCASE", store->table);

	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	if (status != STATUS_OK)
		return status;
	status = database_prepare(
		store->database, &statement, message,
		"UPDATE connbits_source SET table_name = %Q, fingerprints = ?1, rows = ?2, "
		"headers = ?3, listen = ?4, skipped_type = ?5, skipped_transport = ?6, "
		"skipped_address = ?7, skipped_family = ?8, skipped_port = ?9, first_row = ?10, "
		"last_row = ?11, indexed_at = strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ') "
		"WHERE id = %lld",
		store->table, (long long)store->source);
	if (status != STATUS_OK)
		return status;
	sqlite3_bind_blob64(statement, 1, totals->fingerprint.bytes,
			    totals->fingerprint.count * FINGERPRINT_BYTES, SQLITE_STATIC);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		sqlite3_bind_int64(statement, 3 + outcome, (int64_t)totals->outcomes[outcome]);
		rows += totals->outcomes[outcome];
	}
	sqlite3_bind_int64(statement, 2, (int64_t)rows);
	sqlite3_bind_int64(statement, 10, totals->first_row);
	sqlite3_bind_int64(statement, 11, totals->last_row);
	status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

enum status store_finish(struct store *store, const struct store_totals *totals,
			 struct message *message)
{
	struct message ignored;
	enum status status = database_execute(store->database, "BEGIN IMMEDIATE", message);

	if (status == STATUS_OK)
		status = filter_rows_update(store, totals->filter_rows, message);
	if (status == STATUS_OK)
		status = source_replace(store, totals, message);
	status = transaction_end(store, status, message);
	if (status != STATUS_OK)
		return status;
	store->finished = true;
	store->source = 0;
	/* The index is complete; what cannot be removed now is removed by the next job. */
	garbage_collect(store, &ignored);
	return STATUS_OK;
}

void store_close(struct store *store)
{
	struct message ignored;

	if (!store)
		return;
	sqlite3_finalize(store->insert);
	if (store->source)
		garbage_collect(store, &ignored);
	sqlite3_close(store->database);
	if (store->created && !store->finished)
		unlink(store->path);
	if (store->lock >= 0)
		close(store->lock);
	free(store->path);
	free(store->table);
	free(store->filters);
	free(store);
}
