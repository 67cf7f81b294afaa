#include "track.h"

#include "clock.h"
#include "database.h"

enum {
	/* Notes that one transaction removes: a writer of the log hardly waits for so few. */
	RELEASED_NOTES = 8192,
};

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

static void append_drop(sqlite3_str *sql, const struct layout *layout)
{
	for (size_t i = 0; i < TRACKED_TRIGGERS; i++) {
		char *name = tracked_trigger_name(layout, i);

		sqlite3_str_appendf(sql, "DROP TRIGGER IF EXISTS \"%w\";", name ? name : "");
		sqlite3_free(name);
	}
}

/* Tables of an earlier version have other columns. */
static enum status tables_are_other(const char *path, bool *other, struct message *message)
{
	return log_asks(
		path,
		sqlite3_mprintf("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name "
				"IN ('connbits_change', 'connbits_watch') AND sql NOT IN (%Q, %Q))",
				tracked_change_sql, tracked_watch_sql),
		other, message);
}

static enum status tables_exist(const char *path, bool *exist, struct message *message)
{
	return log_asks(path,
			sqlite3_mprintf("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' "
					"AND name = 'connbits_watch')"),
			exist, message);
}

enum status track_install(const char *path, const struct layout *layout, struct message *message)
{
	bool other;
	bool exist = false;
	sqlite3_str *sql;
	enum status status = tables_are_other(path, &other, message);

	if (status == STATUS_OK && !other)
		status = tables_exist(path, &exist, message);

	if (status != STATUS_OK)
		return status;
	sql = sqlite3_str_new(NULL);
	append_drop(sql, layout);
	if (!exist)
		sqlite3_str_appendf(sql,
				    "DROP TABLE IF EXISTS connbits_change; DROP TABLE IF EXISTS "
				    "connbits_watch; %s; %s;",
				    tracked_change_sql, tracked_watch_sql);
	sqlite3_str_appendf(sql,
			    "DELETE FROM connbits_change WHERE table_name = %Q;"
			    "INSERT OR REPLACE INTO connbits_watch VALUES (%Q, "
			    "9223372036854775807, 1, 0, '');",
			    layout->table, layout->table);
	for (size_t i = 0; i < TRACKED_TRIGGERS; i++) {
		char *trigger = tracked_trigger_sql(layout, i);

		/* Without memory this is no SQL, and the transaction fails. */
		sqlite3_str_appendf(sql, "%s;", trigger ? trigger : "out of memory");
		sqlite3_free(trigger);
	}
	return log_change(path, sqlite3_str_finish(sql), message);
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

static enum status round_read(const char *path, const struct layout *layout, int64_t *round,
			      struct message *message)
{
	struct tracked_watch watch;
	sqlite3 *log;
	enum status status = database_open(path, DATABASE_READ, &log, message);

	if (status == STATUS_OK)
		status = tracked_watch_read(log, "main", layout, &watch, message);
	if (status == STATUS_OK)
		*round = watch.round;
	sqlite3_close(log);
	return status;
}

enum status track_begin(const char *path, const struct layout *layout, int64_t *round,
			struct message *message)
{
	bool noted;
	enum status status =
		log_asks(path,
			 sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_change WHERE table_name = "
					 "%Q) OR EXISTS (SELECT 1 FROM connbits_watch WHERE "
					 "table_name = %Q AND ahead <> 0)",
					 layout->table, layout->table),
			 &noted, message);

	if (status == STATUS_OK && noted)
		status = log_change(path,
				    sqlite3_mprintf("UPDATE connbits_watch SET round = round + 1 "
						    "WHERE table_name = %Q",
						    layout->table),
				    message);
	return status == STATUS_OK ? round_read(path, layout, round, message) : status;
}

enum status track_advance(const char *path, const struct layout *layout, int64_t last,
			  struct message *message)
{
	bool needed;
	enum status status =
		log_asks(path,
			 sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_watch WHERE table_name = "
					 "%Q AND last_row <> %lld)",
					 layout->table, (long long)last),
			 &needed, message);

	if (status != STATUS_OK || !needed)
		return status;
	return log_change(
		path,
		sqlite3_mprintf("UPDATE connbits_watch SET last_row = %lld WHERE table_name = %Q",
				(long long)last, layout->table),
		message);
}

enum status track_mark(const char *path, const struct layout *layout, const char *mark,
		       struct message *message)
{
	return log_change(
		path,
		sqlite3_mprintf("UPDATE connbits_watch SET mark = %Q WHERE table_name = %Q", mark,
				layout->table),
		message);
}

/* The last of the next few notes behind row id `behind`, or any where that is NULL. */
static enum status slice_find(sqlite3 *log, const struct layout *layout, const int64_t *behind,
			      bool *found, int64_t *last, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT max(row) FROM (SELECT row FROM connbits_change WHERE table_name = %Q AND "
		"(?1 IS NULL OR row > ?1) ORDER BY row LIMIT %d)",
		layout->table, RELEASED_NOTES);

	if (status == STATUS_OK && behind)
		sqlite3_bind_int64(statement, 1, *behind);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*found = status == STATUS_OK && row && sqlite3_column_type(statement, 0) != SQLITE_NULL;
	if (*found)
		*last = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

static enum status slice_delete(sqlite3 *log, const struct layout *layout, int64_t first,
				int64_t last, int64_t round, struct message *message)
{
	char *sql =
		sqlite3_mprintf("DELETE FROM connbits_change WHERE table_name = %Q AND row "
				"BETWEEN %lld AND %lld AND round < %lld",
				layout->table, (long long)first, (long long)last, (long long)round);
	enum status status = sql ? database_begin(log, message) : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = database_end(log, database_execute(log, sql, message), message);
	sqlite3_free(sql);
	return status;
}

/* In slices, and after each one as long a pause as it took: others write to the log too. */
static enum status notes_delete(sqlite3 *log, const struct layout *layout, int64_t round,
				struct message *message)
{
	int64_t last = INT64_MIN;
	bool found = true;
	bool any = false;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && found) {
		const int64_t before = last;
		const double start = clock_seconds();

		status = slice_find(log, layout, any ? &before : NULL, &found, &last, message);
		if (status == STATUS_OK && found) {
			status = slice_delete(log, layout, before, last, round, message);
			any = true;
			clock_sleep(clock_seconds() - start);
		}
	}
	return status;
}

enum status track_release(const char *path, const struct layout *layout, int64_t round,
			  struct message *message)
{
	sqlite3 *log = NULL;
	bool needed;
	bool ahead;
	enum status status = log_asks(
		path,
		sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_change WHERE table_name = %Q)",
				layout->table),
		&needed, message);

	if (status == STATUS_OK && needed) {
		status = database_open(path, DATABASE_WRITE, &log, message);
		if (status == STATUS_OK)
			status = notes_delete(log, layout, round, message);
		sqlite3_close(log);
	}
	if (status == STATUS_OK)
		status = log_asks(path,
				  sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_watch WHERE "
						  "table_name = %Q AND ahead BETWEEN 1 AND %lld)",
						  layout->table, (long long)round - 1),
				  &ahead, message);
	if (status != STATUS_OK || !ahead)
		return status;
	return log_change(path,
			  sqlite3_mprintf("UPDATE connbits_watch SET ahead = 0 WHERE table_name = "
					  "%Q AND ahead < %lld",
					  layout->table, (long long)round),
			  message);
}
