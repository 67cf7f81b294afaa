#include "notes_format.h"

#include <string.h>

#include "database/database.h"

static const char *const trigger_events[NOTES_TRIGGERS] = {"insert", "update", "delete"};

const char notes_change_sql[] =
	"CREATE TABLE connbits_change (table_name TEXT NOT NULL, row INTEGER NOT NULL CHECK "
	"(typeof(row) = 'integer'), round INTEGER NOT NULL, PRIMARY KEY (table_name, row)) WITHOUT "
	"ROWID";
const char notes_watch_sql[] =
	"CREATE TABLE connbits_watch (table_name TEXT PRIMARY KEY, last_row INTEGER NOT NULL, "
	"round INTEGER NOT NULL, ahead INTEGER NOT NULL, mark TEXT NOT NULL)";

char *notes_trigger_name(const struct layout *layout, size_t trigger)
{
	return sqlite3_mprintf("connbits_%s_%s", trigger_events[trigger], layout->table);
}

/* The statements that note a row, OLD or NEW. Not an upsert: the statement that fires the trigger
 * would decide what happens on a conflict. */
static void append_note(sqlite3_str *sql, const struct layout *layout, const char *which)
{
	sqlite3_str_appendf(sql,
			    " DELETE FROM connbits_change WHERE table_name = %Q AND row = %s.%s;"
			    " INSERT INTO connbits_change SELECT %Q, %s.%s, round FROM "
			    "connbits_watch WHERE table_name = %Q;",
			    layout->table, which, layout->rowid, layout->table, which,
			    layout->rowid, layout->table);
}

static void append_ahead(sqlite3_str *sql, const struct layout *layout, bool is_update)
{
	sqlite3_str_appendf(sql,
			    " UPDATE connbits_watch SET ahead = round WHERE table_name = %Q AND ",
			    layout->table);
	if (is_update)
		sqlite3_str_appendf(sql, "NEW.%s <> OLD.%s AND ", layout->rowid, layout->rowid);
	sqlite3_str_appendf(sql, "NOT EXISTS (SELECT 1 FROM \"%w\" WHERE %s < NEW.%s);",
			    layout->table, layout->rowid, layout->rowid);
}

/* As bytes: a collation would not tell all values apart. */
static void append_differs(sqlite3_str *sql, const char *column)
{
	if (column)
		sqlite3_str_appendf(sql,
				    " OR typeof(NEW.\"%w\") <> typeof(OLD.\"%w\") OR "
				    "CAST(NEW.\"%w\" AS BLOB) IS NOT CAST(OLD.\"%w\" AS BLOB)",
				    column, column, column, column);
}

static void append_update_condition(sqlite3_str *sql, const struct layout *layout)
{
	/* A trigger runs in whatever program writes: no place for an expression. */
	if (layout_has_expressions(layout))
		return;
	sqlite3_str_appendf(sql, " WHEN NEW.%s IS NOT OLD.%s", layout->rowid, layout->rowid);
	for (int role = 0; role < ROLE_COUNT; role++)
		append_differs(sql, layout->columns[role]);
	append_differs(sql, layout->timestamp);
}

char *notes_trigger_sql(const struct layout *layout, size_t trigger)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);
	const char *event = trigger_events[trigger];

	sqlite3_str_appendf(sql, "CREATE TRIGGER \"connbits_%s_%w\" AFTER %s ON \"%w\"", event,
			    layout->table, event, layout->table);
	if (strcmp(event, "insert") == 0)
		sqlite3_str_appendf(sql,
				    " WHEN NEW.%s <= (SELECT last_row FROM connbits_watch WHERE "
				    "table_name = %Q)",
				    layout->rowid, layout->table);
	else if (strcmp(event, "update") == 0)
		append_update_condition(sql, layout);
	else
		sqlite3_str_appendf(sql, " WHEN EXISTS (SELECT 1 FROM \"%w\" WHERE %s < OLD.%s)",
				    layout->table, layout->rowid, layout->rowid);
	sqlite3_str_appendall(sql, " BEGIN");
	if (strcmp(event, "insert") != 0)
		append_note(sql, layout, "OLD");
	if (strcmp(event, "delete") != 0) {
		append_note(sql, layout, "NEW");
		append_ahead(sql, layout, strcmp(event, "update") == 0);
	}
	sqlite3_str_appendall(sql, " END");
	return sqlite3_str_finish(sql);
}

static enum status trigger_installed(sqlite3 *log, const char *database_name,
				     const struct layout *layout, size_t trigger, bool *installed,
				     struct message *message)
{
	char *name = notes_trigger_name(layout, trigger);
	char *sql = notes_trigger_sql(layout, trigger);
	enum status status = name && sql ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = database_asks(log, installed, message,
				       "SELECT 1 FROM \"%w\".sqlite_master WHERE type = 'trigger' "
				       "AND name = %Q AND sql = %Q",
				       database_name, name, sql);
	sqlite3_free(name);
	sqlite3_free(sql);
	return status;
}

enum status notes_tables_exist(sqlite3 *log, const char *database_name, bool *exist,
			       struct message *message)
{
	return database_asks(
		log, exist, message,
		"SELECT 1 WHERE (SELECT count(*) FROM \"%w\".sqlite_master WHERE type = 'table' "
		"AND name IN ('connbits_change', 'connbits_watch') AND sql IN (%Q, %Q)) = 2",
		database_name, notes_change_sql, notes_watch_sql);
}

enum status notes_installed(sqlite3 *log, const char *database_name, const struct layout *layout,
			    bool *installed, struct message *message)
{
	enum status status = notes_tables_exist(log, database_name, installed, message);

	if (status == STATUS_OK && *installed)
		status = database_asks(log, installed, message,
				       "SELECT 1 FROM \"%w\".connbits_watch WHERE table_name = %Q "
				       "AND typeof(round) = 'integer' AND round > 0",
				       database_name, layout->table);
	for (size_t i = 0; status == STATUS_OK && *installed && i < NOTES_TRIGGERS; i++)
		status = trigger_installed(log, database_name, layout, i, installed, message);
	return status;
}
