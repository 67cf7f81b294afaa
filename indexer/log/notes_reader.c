#include "notes_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
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
static void append_update_condition(sqlite3_str *sql, const struct layout *layout)
{
	sqlite3_str_appendf(sql, " WHEN NEW.%s IS NOT OLD.%s", layout->rowid, layout->rowid);
	for (int role = 0; role < ROLE_COUNT; role++) {
		const char *column = layout->columns[role];

		if (column)
			sqlite3_str_appendf(sql,
					    " OR typeof(NEW.\"%w\") <> typeof(OLD.\"%w\") OR "
					    "CAST(NEW.\"%w\" AS BLOB) IS NOT CAST(OLD.\"%w\" AS "
					    "BLOB)",
					    column, column, column, column);
	}
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

enum status notes_find(sqlite3 *log, const char *database_name, const struct layout *layout,
		       int64_t last, bool *found, int64_t *row, struct message *message)
{
	sqlite3_stmt *statement;
	int any = 0;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT row FROM \"%w\".connbits_change WHERE table_name = %Q AND row <= %lld AND "
		"row >= (SELECT min(%s) FROM \"%w\".\"%w\") LIMIT 1",
		database_name, layout->table, (long long)last, layout->rowid, database_name,
		layout->table);

	if (status == STATUS_OK)
		status = database_step(statement, &any, message);
	*found = status == STATUS_OK && any;
	if (*found)
		*row = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

enum status notes_has_row(sqlite3 *log, const char *database_name, const struct layout *layout,
			  int64_t row, bool *noted, struct message *message)
{
	return database_asks(
		log, noted, message,
		"SELECT 1 FROM \"%w\".connbits_change WHERE table_name = %Q AND row = %lld",
		database_name, layout->table, (long long)row);
}

enum status notes_watch_read(sqlite3 *log, const char *database_name, const struct layout *layout,
			     struct notes_watch *watch, struct message *message)
{
	sqlite3_stmt *statement;
	const char *mark;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT last_row, round, ahead, mark FROM \"%w\".connbits_watch WHERE table_name = "
		"%Q",
		database_name, layout->table);

	*watch = (struct notes_watch){0};
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		watch->last_row = sqlite3_column_int64(statement, 0);
		watch->round = sqlite3_column_int64(statement, 1);
		watch->ahead = sqlite3_column_int64(statement, 2) != 0;
		mark = (const char *)sqlite3_column_text(statement, 3);
		snprintf(watch->mark, sizeof(watch->mark), "%s", mark ? mark : "");
	}
	sqlite3_finalize(statement);
	return status;
}

static bool number_append(int64_t **numbers, size_t *count, size_t *capacity, int64_t number)
{
	if (*count == *capacity) {
		const size_t more = *capacity ? *capacity * 2 : 64;
		int64_t *larger = realloc(*numbers, more * sizeof(*larger));

		if (!larger)
			return false;
		*numbers = larger;
		*capacity = more;
	}
	(*numbers)[(*count)++] = number;
	return true;
}

/* One look-up a segment: a segment may have 65,536 notes. */
enum status notes_segments(sqlite3 *log, const struct layout *layout, int64_t **segments,
			   size_t *count, bool *damaged, struct message *message)
{
	sqlite3_stmt *statement;
	size_t capacity = 0;
	int64_t next = INT64_MIN;
	int row;
	enum status status =
		database_prepare(log, &statement, message,
				 "SELECT row FROM main.connbits_change WHERE table_name = %Q AND "
				 "row >= ?1 ORDER BY row LIMIT 1",
				 layout->table);

	*segments = NULL;
	*count = 0;
	*damaged = false;
	while (status == STATUS_OK) {
		int64_t segment;

		sqlite3_bind_int64(statement, 1, next);
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		*damaged = sqlite3_column_type(statement, 0) != SQLITE_INTEGER;
		if (*damaged)
			break;
		segment = segment_of(sqlite3_column_int64(statement, 0));
		if (!number_append(segments, count, &capacity, segment))
			status = message_out_of_memory(message);
		if (segment == segment_of(INT64_MAX))
			break;
		next = segment_first_row(segment + 1);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	if (status != STATUS_OK) {
		free(*segments);
		*segments = NULL;
	}
	return status;
}
