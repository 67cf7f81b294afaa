#include "notes_writer.h"

#include "base/clock.h"
#include "database/database.h"
#include "database/database_open.h"
#include "database/table.h"

enum {
	/* Notes that one transaction removes: a writer of the log hardly waits for so few. */
	RELEASED_NOTES = 8192,
};

/* Opens the log and begins a transaction that writes. */
static enum status log_begin(const char *path, sqlite3 **log, struct message *message)
{
	enum status status = database_open(path, DATABASE_WRITE, log, message);

	return status == STATUS_OK ? database_begin(*log, message) : status;
}

/* Ends it, and closes the log. */
static enum status log_end(sqlite3 *log, enum status status, struct message *message)
{
	if (log)
		status = database_end(log, status, message);
	sqlite3_close(log);
	return status;
}

/* Runs formatted statements, and frees them. */
static enum status run(sqlite3 *log, char *sql, struct message *message)
{
	enum status status =
		sql ? database_execute(log, sql, message) : message_out_of_memory(message);

	sqlite3_free(sql);
	return status;
}

/* Runs formatted statements in a transaction of their own, and frees them. */
static enum status log_change(const char *path, char *sql, struct message *message)
{
	sqlite3 *log = NULL;
	enum status status = log_begin(path, &log, message);

	if (status == STATUS_OK)
		status = run(log, sql, message);
	else
		sqlite3_free(sql);
	return log_end(log, status, message);
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

static enum status triggers_drop(sqlite3 *log, const struct layout *layout, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < NOTES_TRIGGERS; i++) {
		char *name = notes_trigger_name(layout, i);

		status = name ? run(log, sqlite3_mprintf("DROP TRIGGER IF EXISTS \"%w\"", name),
				    message)
			      : message_out_of_memory(message);
		sqlite3_free(name);
	}
	return status;
}

/* Any trigger that writes notes, whatever table it is of. NULL where there is none. */
static enum status trigger_find(sqlite3 *log, char **name, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT name FROM main.sqlite_master WHERE type = 'trigger' AND instr(sql, "
		"'connbits_change') > 0 LIMIT 1");

	*name = NULL;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		*name = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
		status = *name ? database_values(statement, status, message)
			       : message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

/*
 * Tables of another version go, and with them all triggers that would write to
 * them: of other tables too, whose index then sees that they are gone.
 */
static enum status tables_remake(sqlite3 *log, struct message *message)
{
	char *name;
	enum status status = trigger_find(log, &name, message);

	while (status == STATUS_OK && name) {
		status = run(log, sqlite3_mprintf("DROP TRIGGER \"%w\"", name), message);
		sqlite3_free(name);
		name = NULL;
		if (status == STATUS_OK)
			status = trigger_find(log, &name, message);
	}
	sqlite3_free(name);
	if (status != STATUS_OK)
		return status;
	status = table_drop(log, "connbits_change", message);
	if (status == STATUS_OK)
		status = table_drop(log, "connbits_watch", message);
	if (status != STATUS_OK)
		return status;
	return run(log, sqlite3_mprintf("%s; %s", notes_change_sql, notes_watch_sql), message);
}

static enum status triggers_make(sqlite3 *log, const struct layout *layout, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < NOTES_TRIGGERS; i++)
		status = run(log, notes_trigger_sql(layout, i), message);
	return status;
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
	/* What is no row id is none of the triggers' notes: notes_delete sees to it. */
	*found = status == STATUS_OK && row && sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
	if (*found)
		*last = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

static enum status slice_delete(sqlite3 *log, const struct layout *layout, int64_t first,
				int64_t last, int64_t round, struct message *message)
{
	enum status status = database_begin(log, message);

	if (status == STATUS_OK)
		status =
			run(log,
			    sqlite3_mprintf("DELETE FROM connbits_change WHERE table_name = %Q AND "
					    "row BETWEEN %lld AND %lld AND round < %lld",
					    layout->table, (long long)first, (long long)last,
					    (long long)round),
			    message);
	return database_end(log, status, message);
}

/* Notes that no trigger wrote: they would be in the way of the others. */
static enum status nonsense_delete(sqlite3 *log, const struct layout *layout,
				   struct message *message)
{
	bool any;
	enum status status =
		database_asks(log, &any, message,
			      "SELECT 1 FROM connbits_change WHERE table_name = %Q AND "
			      "typeof(row) <> 'integer'",
			      layout->table);

	if (status != STATUS_OK || !any)
		return status;
	return run(log,
		   sqlite3_mprintf("DELETE FROM connbits_change WHERE table_name = %Q AND "
				   "typeof(row) <> 'integer'",
				   layout->table),
		   message);
}

/*
 * In slices, and after each one as long a pause as it took: others write to the
 * log too.
 */
static enum status notes_delete(sqlite3 *log, const struct layout *layout, int64_t round,
				const volatile sig_atomic_t *stop, struct message *message)
{
	int64_t last = INT64_MIN;
	bool found = true;
	bool any = false;
	enum status status = nonsense_delete(log, layout, message);

	while (status == STATUS_OK && found) {
		const int64_t before = last;
		const double start = clock_seconds();

		if (stop && *stop)
			return message_set(message, STATUS_FAILED, "interrupted");
		status = slice_find(log, layout, any ? &before : NULL, &found, &last, message);
		if (status == STATUS_OK && found) {
			status = slice_delete(log, layout, before, last, round, message);
			any = true;
			clock_sleep(clock_seconds() - start);
		}
	}
	return status;
}

static enum status tables_exist(const char *path, bool *exist, struct message *message)
{
	sqlite3 *log;
	enum status status = database_open(path, DATABASE_READ, &log, message);

	*exist = false;
	if (status == STATUS_OK)
		status = notes_tables_exist(log, "main", exist, message);
	sqlite3_close(log);
	return status;
}

/* Forgets notes of the table, where there are any to forget. */
static enum status notes_forget(const char *path, const struct layout *layout, int64_t round,
				const volatile sig_atomic_t *stop, struct message *message)
{
	sqlite3 *log = NULL;
	bool needed;
	enum status status = log_asks(
		path,
		sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_change WHERE table_name = %Q)",
				layout->table),
		&needed, message);

	if (status != STATUS_OK || !needed)
		return status;
	status = database_open(path, DATABASE_WRITE, &log, message);
	if (status == STATUS_OK)
		status = notes_delete(log, layout, round, stop, message);
	sqlite3_close(log);
	return status;
}

static enum status tables_make(sqlite3 *log, const struct layout *layout, struct message *message)
{
	bool exist;
	enum status status = notes_tables_exist(log, "main", &exist, message);

	if (status == STATUS_OK && !exist)
		status = tables_remake(log, message);
	if (status != STATUS_OK)
		return status;
	return run(log,
		   sqlite3_mprintf("DELETE FROM connbits_change WHERE table_name = %Q;"
				   "INSERT OR REPLACE INTO connbits_watch VALUES (%Q, "
				   "9223372036854775807, 1, 0, '')",
				   layout->table, layout->table),
		   message);
}

enum status notes_install(const char *path, const struct layout *layout,
			  const volatile sig_atomic_t *stop, struct message *message)
{
	sqlite3 *log = NULL;
	bool exist;
	enum status status = tables_exist(path, &exist, message);

	/* Most of them in slices; those that come meanwhile, together with the triggers. */
	if (status == STATUS_OK && exist)
		status = notes_forget(path, layout, INT64_MAX, stop, message);
	if (status == STATUS_OK)
		status = log_begin(path, &log, message);
	if (status == STATUS_OK)
		status = triggers_drop(log, layout, message);
	if (status == STATUS_OK)
		status = tables_make(log, layout, message);
	if (status == STATUS_OK)
		status = triggers_make(log, layout, message);
	return log_end(log, status, message);
}

/* The tables go with the last trigger that writes to them. */
static enum status tables_drop(const char *path, struct message *message)
{
	sqlite3 *log = NULL;
	char *name = NULL;
	enum status status = log_begin(path, &log, message);

	if (status == STATUS_OK)
		status = trigger_find(log, &name, message);
	if (status == STATUS_OK && !name)
		status = run(log,
			     sqlite3_mprintf("DROP TABLE IF EXISTS connbits_change; DROP TABLE IF "
					     "EXISTS connbits_watch"),
			     message);
	sqlite3_free(name);
	return log_end(log, status, message);
}

enum status notes_remove(const char *path, const struct layout *layout,
			 const volatile sig_atomic_t *stop, struct message *message)
{
	sqlite3 *log = NULL;
	bool any;
	bool exist = false;
	enum status status =
		log_asks(path,
			 sqlite3_mprintf("EXISTS (SELECT 1 FROM sqlite_master WHERE name IN "
					 "('connbits_change', 'connbits_watch'))"),
			 &any, message);

	if (status != STATUS_OK || !any)
		return status;
	status = tables_exist(path, &exist, message);
	if (status == STATUS_OK)
		status = log_begin(path, &log, message);
	if (status == STATUS_OK)
		status = triggers_drop(log, layout, message);
	if (status == STATUS_OK && exist)
		status = run(log,
			     sqlite3_mprintf("DELETE FROM connbits_watch WHERE table_name = %Q",
					     layout->table),
			     message);
	status = log_end(log, status, message);
	if (status == STATUS_OK && exist)
		status = notes_forget(path, layout, INT64_MAX, stop, message);
	return status == STATUS_OK ? tables_drop(path, message) : status;
}

static enum status round_read(const char *path, const struct layout *layout, int64_t *round,
			      struct message *message)
{
	struct notes_watch watch;
	sqlite3 *log;
	enum status status = database_open(path, DATABASE_READ, &log, message);

	if (status == STATUS_OK)
		status = notes_watch_read(log, "main", layout, &watch, message);
	if (status == STATUS_OK)
		*round = watch.round;
	sqlite3_close(log);
	return status;
}

enum status notes_begin(const char *path, const struct layout *layout, int64_t *round,
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

enum status notes_advance(const char *path, const struct layout *layout, int64_t last, bool lower,
			  struct message *message)
{
	bool needed;
	enum status status =
		log_asks(path,
			 sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_watch WHERE table_name = "
					 "%Q AND (last_row < %lld OR (last_row > %lld AND (%d OR "
					 "mark = ''))))",
					 layout->table, (long long)last, (long long)last, lower),
			 &needed, message);

	if (status != STATUS_OK || !needed)
		return status;
	return log_change(
		path,
		sqlite3_mprintf("UPDATE connbits_watch SET last_row = %lld WHERE table_name = %Q",
				(long long)last, layout->table),
		message);
}

enum status notes_mark(const char *path, const struct layout *layout, const char *old,
		       const char *mark, bool *marked, struct message *message)
{
	sqlite3 *log = NULL;
	enum status status = log_begin(path, &log, message);

	*marked = false;
	if (status == STATUS_OK)
		status = run(
			log,
			sqlite3_mprintf("UPDATE connbits_watch SET mark = %Q WHERE table_name = "
					"%Q AND mark = %Q",
					mark, layout->table, old),
			message);
	if (status == STATUS_OK)
		*marked = sqlite3_changes(log) == 1;
	return log_end(log, status, message);
}

enum status notes_release(const char *path, const struct layout *layout, int64_t round,
			  const volatile sig_atomic_t *stop, struct message *message)
{
	bool ahead = false;
	enum status status = notes_forget(path, layout, round, stop, message);

	if (status == STATUS_OK)
		status = log_asks(
			path,
			sqlite3_mprintf("EXISTS (SELECT 1 FROM connbits_watch WHERE "
					"table_name = %Q AND ahead <> 0 AND (typeof(ahead) "
					"<> 'integer' OR ahead < %lld))",
					layout->table, (long long)round),
			&ahead, message);
	if (status != STATUS_OK || !ahead)
		return status;
	return log_change(path,
			  sqlite3_mprintf("UPDATE connbits_watch SET ahead = 0 WHERE table_name = "
					  "%Q AND (typeof(ahead) <> 'integer' OR ahead < %lld)",
					  layout->table, (long long)round),
			  message);
}
