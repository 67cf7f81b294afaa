#include "track.h"

#include "database.h"
#include "tracked.h"

/* Opens the log, begins a transaction, and runs the formatted statements. */
static enum status log_change(const char *path, char *sql, struct message *message)
{
	sqlite3 *log = NULL;
	enum status status = sql ? database_open(path, DATABASE_WRITE, &log, message)
				 : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = database_begin(log, message);
	if (status == STATUS_OK)
		status = database_end(log, database_execute(log, sql, message), message);
	sqlite3_close(log);
	sqlite3_free(sql);
	return status;
}

static void append_drop(sqlite3_str *sql, const struct layout *layout)
{
	for (size_t i = 0; i < TRACKED_TRIGGERS; i++) {
		char *name = tracked_trigger_name(layout, i);

		sqlite3_str_appendf(sql, "DROP TRIGGER IF EXISTS \"%w\";", name ? name : "");
		sqlite3_free(name);
	}
}

enum status track_install(const char *path, const struct layout *layout, struct message *message)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(
		sql, "CREATE TABLE IF NOT EXISTS connbits_change (table_name TEXT NOT NULL, row "
		     "INTEGER NOT NULL, taken INTEGER NOT NULL, PRIMARY KEY (table_name, row)) "
		     "WITHOUT ROWID;"
		     "CREATE TABLE IF NOT EXISTS connbits_watch (table_name TEXT PRIMARY KEY, "
		     "last_row INTEGER NOT NULL, ahead INTEGER NOT NULL DEFAULT 0);");
	append_drop(sql, layout);
	sqlite3_str_appendf(sql, "DELETE FROM connbits_change WHERE table_name = %Q;",
			    layout->table);
	for (size_t i = 0; i < TRACKED_TRIGGERS; i++) {
		char *trigger = tracked_trigger_sql(layout, i);

		/* Without memory this is no SQL, and the transaction fails. */
		sqlite3_str_appendf(sql, "%s;", trigger ? trigger : "out of memory");
		sqlite3_free(trigger);
	}
	return log_change(path, sqlite3_str_finish(sql), message);
}

/* True if the condition, an expression of SQL, holds in the log. */
static enum status log_asks(const char *path, char *condition, bool *holds, struct message *message)
{
	sqlite3 *log = NULL;
	enum status status = condition ? database_open(path, DATABASE_READ, &log, message)
				       : message_out_of_memory(message);

	*holds = false;
	if (status == STATUS_OK)
		status = database_asks(log, holds, message, "SELECT 1 WHERE %s", condition);
	sqlite3_close(log);
	sqlite3_free(condition);
	return status;
}

static enum status tables_exist(const char *path, bool *exist, struct message *message)
{
	return log_asks(path,
			sqlite3_mprintf("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' "
					"AND name = 'connbits_watch')"),
			exist, message);
}

/* The tables go with the last table that was tracked. */
static enum status tables_drop(const char *path, struct message *message)
{
	bool unused;
	enum status status =
		log_asks(path, sqlite3_mprintf("NOT EXISTS (SELECT 1 FROM connbits_watch)"),
			 &unused, message);

	if (status != STATUS_OK || !unused)
		return status;
	return log_change(path,
			  sqlite3_mprintf("DROP TABLE connbits_change; DROP TABLE connbits_watch"),
			  message);
}

enum status track_remove(const char *path, const struct layout *layout, struct message *message)
{
	sqlite3_str *sql;
	bool exist;
	enum status status = tables_exist(path, &exist, message);

	if (status != STATUS_OK || !exist)
		return status;
	sql = sqlite3_str_new(NULL);
	append_drop(sql, layout);
	sqlite3_str_appendf(sql,
			    "DELETE FROM connbits_change WHERE table_name = %Q;"
			    "DELETE FROM connbits_watch WHERE table_name = %Q;",
			    layout->table, layout->table);
	status = log_change(path, sqlite3_str_finish(sql), message);
	return status == STATUS_OK ? tables_drop(path, message) : status;
}

enum status track_take(const char *path, const struct layout *layout, int64_t last,
		       struct message *message)
{
	bool needed;
	enum status status = log_asks(
		path,
		sqlite3_mprintf(
			"EXISTS (SELECT 1 FROM connbits_change WHERE table_name = %Q) OR NOT "
			"EXISTS (SELECT 1 FROM connbits_watch WHERE table_name = %Q AND last_row "
			"= %lld AND ahead = 0)",
			layout->table, layout->table, (long long)last),
		&needed, message);

	if (status != STATUS_OK || !needed)
		return status;
	return log_change(
		path,
		sqlite3_mprintf("UPDATE connbits_change SET taken = 1 WHERE table_name = %Q;"
				"INSERT INTO connbits_watch VALUES (%Q, %lld, 0) ON CONFLICT DO "
				"UPDATE SET last_row = %lld, ahead = iif(ahead, 2, 0)",
				layout->table, layout->table, (long long)last, (long long)last),
		message);
}

enum status track_release(const char *path, const struct layout *layout, struct message *message)
{
	bool needed;
	enum status status = log_asks(
		path,
		sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_change WHERE table_name = %Q AND "
				"taken) OR EXISTS (SELECT 1 FROM connbits_watch WHERE table_name = "
				"%Q AND ahead = 2)",
				layout->table, layout->table),
		&needed, message);

	if (status != STATUS_OK || !needed)
		return status;
	return log_change(path,
			  sqlite3_mprintf("DELETE FROM connbits_change WHERE table_name = %Q AND "
					  "taken; UPDATE connbits_watch SET ahead = 0 WHERE "
					  "table_name = %Q AND ahead = 2",
					  layout->table, layout->table),
			  message);
}
