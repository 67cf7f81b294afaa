#include "table_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "database/database.h"
#include "database/table.h"

enum { COLUMNS_STORED_MAX = 1000 /* of a table, by all files together; SQLite has 2,000 */ };

struct written_column {
	char *name;
	bool dropped; /* the table has no room for it */
};

/* A table of the log, as one intake numbers its columns. */
struct written_table {
	char *name;
	char *key; /* its INTEGER PRIMARY KEY */
	struct written_column *columns;
	size_t column_count;
	size_t stored; /* columns that the log's table has */
	bool made;     /* in the log */
	struct table_use use;
	sqlite3_stmt *insert; /* NULL until there is a row, and after a new column */
	size_t bound;	      /* values of the last row: those behind them are NULL */
	int64_t next_id;
	uint64_t rows;
};

struct table_writer {
	sqlite3 *log;
	struct written_table *tables;
	size_t table_count;
	const struct written_table *last;
	int64_t last_first;
	uint64_t dropped; /* rows that lost values */
};

enum status table_writer_open(sqlite3 *log, struct table_writer **writer, struct message *message)
{
	*writer = calloc(1, sizeof(**writer));
	if (!*writer)
		return message_out_of_memory(message);
	(*writer)->log = log;
	return STATUS_OK;
}

static bool name_is(const char *a, const char *b)
{
	return sqlite3_stricmp(a, b) == 0;
}

static bool column_is_taken(const struct written_table *table, const char *name)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (name_is(table->columns[i].name, name))
			return true;
	return false;
}

/* What SQL calls the row id: a column named rowid may be something else. */
static const char *key_name(const char *key)
{
	return key ? key : "rowid";
}

/* Reads which ids are free; *same: the table is remembered as it is used now. */
static enum status ids_read(const struct table_writer *writer, struct written_table *table,
			    bool *found, bool *same, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		writer->log, &statement, message,
		"SELECT t.next_id, t.source IS %Q, (SELECT max(\"%w\") FROM main.\"%w\") FROM "
		"connbits_import_table t WHERE t.name = %Q",
		table->use.source, key_name(table->key), table->name, table->name);

	*found = false;
	if (status != STATUS_OK)
		return status;
	status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		const int64_t next = sqlite3_column_int64(statement, 0);
		const int64_t highest = sqlite3_column_int64(statement, 2);

		*found = true;
		*same = sqlite3_column_int(statement, 1) != 0;
		table->next_id = next > highest	       ? next
				 : highest < INT64_MAX ? highest + 1
						       : INT64_MAX;
		status = database_values(statement, status, message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status table_remember(const struct table_writer *writer,
				  const struct written_table *table, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status =
		database_prepare(writer->log, &statement, message,
				 "INSERT INTO connbits_import_table (name, source, time, "
				 "preferred, next_id, columns) "
				 "VALUES (%Q, %Q, %Q, %d, 1, %Q) ON CONFLICT (name) DO UPDATE SET "
				 "source = excluded.source, "
				 "time = excluded.time, preferred = excluded.preferred, columns = "
				 "excluded.columns",
				 table->name, table->use.source, table->use.time,
				 table->use.preferred, table->use.columns);

	if (status != STATUS_OK)
		return status;
	status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

/* A table that is there already has to be ours, and to be read as its new rows are. */
static enum status table_recall(const struct table_writer *writer, struct written_table *table,
				struct message *message)
{
	bool found;
	bool same = false;
	enum status status = ids_read(writer, table, &found, &same, message);

	if (status == STATUS_OK && !found)
		return message_set(
			message, STATUS_FAILED,
			"the log has a table '%.100s' that connbits-import did not make; "
			"give --table NAME, or another LOG",
			table->name);
	if (status != STATUS_OK || same)
		return status;
	if (table->use.given)
		return table_remember(writer, table, message);
	return message_set(message, STATUS_FAILED,
			   "the table '%.100s' is read by other columns than this file has; say "
			   "which with --map, or give --table NAME",
			   table->name);
}

/* A name for the key that no column has. */
static enum status key_choose(struct written_table *table, struct message *message)
{
	char name[32] = "id";

	for (int i = 1; column_is_taken(table, name); i++)
		snprintf(name, sizeof(name), i == 1 ? "row_id" : "row_id_%d", i);
	table->key = strdup(name);
	return table->key ? STATUS_OK : message_out_of_memory(message);
}

static enum status table_create(const struct table_writer *writer, const struct row_batch *batch,
				size_t place, struct message *message)
{
	struct written_table *table = &writer->tables[place];
	sqlite3_str *sql;
	char *text;
	enum status status = key_choose(table, message);

	if (status != STATUS_OK)
		return status;
	sql = sqlite3_str_new(writer->log);
	sqlite3_str_appendf(sql, "CREATE TABLE main.\"%w\" (\"%w\" INTEGER PRIMARY KEY",
			    table->name, table->key);
	for (size_t i = 0; i < batch->column_count; i++)
		if (batch->columns[i].table == place)
			sqlite3_str_appendf(sql, ", \"%w\" %s", batch->columns[i].name,
					    batch->columns[i].type);
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	if (!text)
		return message_out_of_memory(message);
	status = database_execute(writer->log, text, message);
	sqlite3_free(text);
	table->made = true;
	table->stored = table->column_count;
	if (status == STATUS_OK)
		status = table_remember(writer, table, message);
	/* Of a table that was dropped, ids are not used again. */
	return status == STATUS_OK ? table_recall(writer, table, message) : status;
}

/* Adds a column to a table that is there, where it has none of that name and room for it. */
static enum status column_add(const struct table_writer *writer, struct written_table *table,
			      struct written_column *column, const char *type,
			      struct message *message)
{
	sqlite3_stmt *statement;
	bool has;
	enum status status =
		table_has_column(writer->log, "main", table->name, column->name, &has, message);

	if (status != STATUS_OK || has)
		return status;
	column->dropped = table->stored >= COLUMNS_STORED_MAX;
	if (column->dropped)
		return STATUS_OK;
	status = database_prepare(writer->log, &statement, message,
				  "ALTER TABLE main.\"%w\" ADD COLUMN \"%w\" %s", table->name,
				  column->name, type);
	if (status != STATUS_OK)
		return status;
	status = database_run(statement, message);
	sqlite3_finalize(statement);
	table->stored++;
	return status;
}

/* Notes a column of the batch; of a table that is there already it is added where it is missing. */
static enum status column_take(const struct table_writer *writer, const struct new_column *column,
			       struct message *message)
{
	struct written_table *table = &writer->tables[column->table];
	struct written_column *larger =
		realloc(table->columns, (table->column_count + 1) * sizeof(*larger));
	struct written_column *made;

	if (!larger)
		return message_out_of_memory(message);
	table->columns = larger;
	made = &larger[table->column_count];
	*made = (struct written_column){0};
	if (asprintf(&made->name, "%s", column->name) < 0)
		return message_out_of_memory(message);
	/* The key may have the name, or a column that had to yield to the key. */
	while ((table->key && name_is(made->name, table->key)) ||
	       column_is_taken(table, made->name)) {
		char *longer;

		if (asprintf(&longer, "%s_", made->name) < 0) {
			free(made->name);
			return message_out_of_memory(message);
		}
		free(made->name);
		made->name = longer;
	}
	table->column_count++;
	sqlite3_finalize(table->insert);
	table->insert = NULL;
	return table->made ? column_add(writer, table, made, column->type, message) : STATUS_OK;
}

/* How many columns the log's table has. */
static enum status columns_count(const struct table_writer *writer, struct written_table *table,
				 struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(writer->log, &statement, message,
					      "SELECT * FROM main.\"%w\"", table->name);

	if (status != STATUS_OK)
		return status;
	table->stored = (size_t)sqlite3_column_count(statement);
	sqlite3_finalize(statement);
	return STATUS_OK;
}

static enum status table_take(struct table_writer *writer, const struct new_table *added,
			      struct message *message)
{
	struct written_table *larger =
		realloc(writer->tables, (writer->table_count + 1) * sizeof(*larger));
	struct written_table *table;
	enum table_kind kind;
	enum status status;

	if (!larger)
		return message_out_of_memory(message);
	writer->tables = larger;
	table = &larger[writer->table_count];
	*table = (struct written_table){.name = strdup(added->name)};
	if (!table->name)
		return message_out_of_memory(message);
	writer->table_count++;
	table->use.preferred = added->use.preferred;
	table->use.given = added->use.given;
	table->use.source = added->use.source ? strdup(added->use.source) : NULL;
	table->use.time = added->use.time ? strdup(added->use.time) : NULL;
	table->use.columns = added->use.columns ? strdup(added->use.columns) : NULL;
	if ((added->use.source && !table->use.source) || (added->use.time && !table->use.time) ||
	    (added->use.columns && !table->use.columns))
		return message_out_of_memory(message);
	if (strncasecmp(table->name, "sqlite_", 7) == 0 ||
	    strncasecmp(table->name, "connbits_", 9) == 0)
		return message_set(message, STATUS_FAILED,
				   "the table cannot be named '%.100s'; give --table NAME",
				   table->name);
	status = table_find(writer->log, "main", table->name, &kind, NULL, message);
	if (status != STATUS_OK || kind == TABLE_MISSING)
		return status;
	if (kind != TABLE_ORDINARY)
		return message_set(message, STATUS_FAILED,
				   "'%.100s' is no ordinary table of the log; give --table NAME",
				   table->name);
	table->made = true;
	status = table_rowid_column(writer->log, "main", table->name, &table->key, message);
	if (status == STATUS_OK)
		status = table_recall(writer, table, message);
	return status == STATUS_OK ? columns_count(writer, table, message) : status;
}

/* Makes what is new in a batch. */
static enum status batch_tables(struct table_writer *writer, const struct row_batch *batch,
				struct message *message)
{
	const size_t before = writer->table_count;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < batch->table_count; i++)
		status = table_take(writer, &batch->tables[i], message);
	for (size_t i = 0; status == STATUS_OK && i < batch->column_count; i++)
		status = column_take(writer, &batch->columns[i], message);
	for (size_t i = before; status == STATUS_OK && i < writer->table_count; i++)
		if (!writer->tables[i].made)
			status = table_create(writer, batch, i, message);
	return status;
}

static enum status insert_prepare(const struct table_writer *writer, struct written_table *table,
				  struct message *message)
{
	sqlite3_str *sql = sqlite3_str_new(writer->log);
	char *text;
	int code;

	sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\" (\"%w\"", table->name,
			    key_name(table->key));
	for (size_t i = 0; i < table->column_count; i++)
		if (!table->columns[i].dropped)
			sqlite3_str_appendf(sql, ", \"%w\"", table->columns[i].name);
	/* Each value by the place of its column. */
	sqlite3_str_appendall(sql, ") VALUES (?1");
	for (size_t i = 0; i < table->column_count; i++)
		if (!table->columns[i].dropped)
			sqlite3_str_appendf(sql, ", ?%d", (int)i + 2);
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	if (!text)
		return message_out_of_memory(message);
	code = sqlite3_prepare_v2(writer->log, text, -1, &table->insert, NULL);
	sqlite3_free(text);
	table->bound = 0;
	return code == SQLITE_OK ? STATUS_OK : database_failed(writer->log, message);
}

static int value_bind(sqlite3_stmt *statement, int place, const struct import_value *value)
{
	switch (value->kind) {
	case VALUE_INTEGER:
		return sqlite3_bind_int64(statement, place, value->integer);
	case VALUE_REAL:
		return sqlite3_bind_double(statement, place, value->real);
	case VALUE_TEXT:
		return sqlite3_bind_text(statement, place, value->size ? value->text : "",
					 (int)value->size, SQLITE_STATIC);
	default:
		return sqlite3_bind_null(statement, place);
	}
}

static enum status row_write(struct table_writer *writer, const struct row_batch *batch,
			     const struct batch_row *row, struct message *message)
{
	struct written_table *table = &writer->tables[row->table];
	const struct import_value *values = batch->values + row->first;
	int code = SQLITE_OK;
	bool lost = false;

	if (!table->insert) {
		enum status status = insert_prepare(writer, table, message);

		if (status != STATUS_OK)
			return status;
	}
	if (table->next_id == INT64_MAX)
		return message_set(message, STATUS_FAILED, "the table '%.100s' has no row ids left",
				   table->name);
	sqlite3_bind_int64(table->insert, 1, table->next_id);
	for (size_t i = 0; code == SQLITE_OK && i < row->count; i++) {
		if (!table->columns[i].dropped)
			code = value_bind(table->insert, (int)i + 2, &values[i]);
		else
			lost |= values[i].kind != VALUE_NULL;
	}
	for (size_t i = row->count; code == SQLITE_OK && i < table->bound; i++)
		if (!table->columns[i].dropped)
			code = sqlite3_bind_null(table->insert, (int)i + 2);
	writer->dropped += lost;
	table->bound = row->count;
	if (code == SQLITE_OK)
		sqlite3_step(table->insert);
	code = code == SQLITE_OK ? sqlite3_reset(table->insert) : code;
	if (code != SQLITE_OK)
		return database_failed(writer->log, message);
	table->next_id++;
	table->rows++;
	return STATUS_OK;
}

enum status table_writer_batch(struct table_writer *writer, const struct row_batch *batch,
			       struct message *message)
{
	enum status status = batch_tables(writer, batch, message);

	writer->last = NULL;
	for (size_t i = 0; status == STATUS_OK && i < batch->row_count; i++) {
		const struct written_table *table = &writer->tables[batch->rows[i].table];

		if (writer->last != table)
			writer->last_first = table->next_id;
		writer->last = table;
		status = row_write(writer, batch, &batch->rows[i], message);
	}
	return status;
}

enum status table_writer_begin(struct table_writer *writer, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < writer->table_count; i++) {
		struct written_table *table = &writer->tables[i];
		bool found = true;
		bool same;

		if (table->made)
			status = ids_read(writer, table, &found, &same, message);
		if (status == STATUS_OK && !found)
			status =
				message_set(message, STATUS_FAILED,
					    "the table '%.100s' is gone from connbits_import_table",
					    table->name);
	}
	return status;
}

enum status table_writer_remove(sqlite3 *log, const char *table, int64_t first, int64_t last,
				struct message *message)
{
	sqlite3_stmt *statement;
	char *key = NULL;
	bool ours;
	enum status status = database_asks(
		log, &ours, message,
		"SELECT 1 FROM connbits_import_table t JOIN main.sqlite_master m ON m.name = "
		"t.name "
		"COLLATE NOCASE AND m.type = 'table' WHERE t.name = %Q AND t.name NOT LIKE "
		"'connbits\\_%%' ESCAPE '\\'",
		table);

	if (status != STATUS_OK || !ours)
		return status;
	status = table_rowid_column(log, "main", table, &key, message);
	if (status == STATUS_OK)
		status = database_prepare(
			log, &statement, message,
			"DELETE FROM main.\"%w\" WHERE \"%w\" BETWEEN %lld AND %lld", table,
			key_name(key), (long long)first, (long long)last);
	if (status == STATUS_OK) {
		status = database_run(statement, message);
		sqlite3_finalize(statement);
	}
	free(key);
	return status;
}

uint64_t table_writer_dropped(const struct table_writer *writer)
{
	return writer->dropped;
}

enum status table_writer_ids(struct table_writer *writer, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < writer->table_count; i++) {
		const struct written_table *table = &writer->tables[i];
		sqlite3_stmt *statement;

		if (!table->made)
			continue;
		status = database_prepare(
			writer->log, &statement, message,
			"UPDATE connbits_import_table SET next_id = %lld WHERE name = %Q",
			(long long)table->next_id, table->name);
		if (status != STATUS_OK)
			break;
		status = database_run(statement, message);
		sqlite3_finalize(statement);
	}
	return status;
}

const char *table_writer_last(const struct table_writer *writer, int64_t *first, int64_t *last)
{
	if (!writer->last)
		return NULL;
	*first = writer->last_first;
	*last = writer->last->next_id - 1;
	return writer->last->name;
}

struct written_rows table_writer_rows(const struct table_writer *writer, size_t place)
{
	if (place >= writer->table_count)
		return (struct written_rows){0};
	return (struct written_rows){.table = writer->tables[place].name,
				     .rows = writer->tables[place].rows};
}

void table_writer_close(struct table_writer *writer)
{
	if (!writer)
		return;
	for (size_t i = 0; i < writer->table_count; i++) {
		struct written_table *table = &writer->tables[i];

		for (size_t j = 0; j < table->column_count; j++)
			free(table->columns[j].name);
		free(table->columns);
		sqlite3_finalize(table->insert);
		free(table->name);
		free(table->key);
		free((char *)table->use.source);
		free((char *)table->use.time);
		free((char *)table->use.columns);
	}
	free(writer->tables);
	free(writer);
}
