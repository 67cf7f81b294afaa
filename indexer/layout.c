#include "layout.h"

#include <stdlib.h>
#include <string.h>

#include "database.h"

static const struct known_schema {
	const char *name;
	const char *table; /* preferred where several tables fit */
	const char *columns[ROLE_COUNT];
	const char *timestamp; /* taken where the table has it */
	bool directed;
} known_schemas[] = {
	{
		.name = "dionaea",
		.table = "connections",
		.columns =
			{
				[ROLE_TYPE] = "connection_type",
				[ROLE_TRANSPORT] = "connection_transport",
				[ROLE_SOURCE_HOST] = "local_host",
				[ROLE_DESTINATION_HOST] = "remote_host",
				[ROLE_SOURCE_PORT] = "local_port",
				[ROLE_DESTINATION_PORT] = "remote_port",
			},
		.timestamp = "connection_timestamp",
		.directed = true,
	},
};

enum { KNOWN_SCHEMAS = sizeof(known_schemas) / sizeof(*known_schemas) };

const char *layout_role_name(enum role role)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_TYPE] = "type",
		[ROLE_TRANSPORT] = "transport",
		[ROLE_SOURCE_HOST] = "source_host",
		[ROLE_DESTINATION_HOST] = "destination_host",
		[ROLE_SOURCE_PORT] = "source_port",
		[ROLE_DESTINATION_PORT] = "destination_port",
		[ROLE_ICMP_TYPE] = "icmp_type",
		[ROLE_ICMP_CODE] = "icmp_code",
	};

	return names[role];
}

static bool set_text(char **place, const char *text)
{
	free(*place);
	*place = strdup(text);
	return *place != NULL;
}

enum table_kind {
	TABLE_MISSING,
	TABLE_ORDINARY,
	TABLE_VIEW,
	TABLE_WITHOUT_ROWID,
	TABLE_VIRTUAL, /* and whatever else has no rows of its own */
};

static enum status table_kind_read(sqlite3 *log, const char *database_name, const char *table,
				   enum table_kind *kind, struct message *message)
{
	sqlite3_stmt *statement;
	int found = 0;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT type, wr FROM pragma_table_list WHERE schema = %Q AND name = %Q COLLATE "
		"NOCASE",
		database_name, table);

	*kind = TABLE_MISSING;
	if (status == STATUS_OK)
		status = database_step(statement, &found, message);
	if (status == STATUS_OK && found) {
		const char *type = (const char *)sqlite3_column_text(statement, 0);

		if (type && strcmp(type, "view") == 0)
			*kind = TABLE_VIEW;
		else if (!type || strcmp(type, "table") != 0)
			*kind = TABLE_VIRTUAL;
		else
			*kind = sqlite3_column_int(statement, 1) ? TABLE_WITHOUT_ROWID
								 : TABLE_ORDINARY;
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status table_check(sqlite3 *log, const char *database_name, const char *table,
			       struct message *message)
{
	enum table_kind kind;
	enum status status = table_kind_read(log, database_name, table, &kind, message);

	if (status != STATUS_OK)
		return status;
	switch (kind) {
	case TABLE_ORDINARY:
		return STATUS_OK;
	case TABLE_VIEW:
		return message_set(
			message, STATUS_FAILED,
			"'%.200s' is a view and has no row ids; index the table behind it", table);
	case TABLE_WITHOUT_ROWID:
		return message_set(
			message, STATUS_FAILED,
			"'%.200s' is a WITHOUT ROWID table; its rows have no ids to index", table);
	case TABLE_VIRTUAL:
		return message_set(
			message, STATUS_FAILED,
			"'%.200s' is a virtual table; only ordinary tables can be indexed", table);
	default:
		return message_set(message, STATUS_FAILED,
				   "the log has no table '%.200s'; name the right one with --table "
				   "or in [source]",
				   table);
	}
}

static enum status column_exists(sqlite3 *log, const char *database_name, const char *table,
				 const char *column, int *found, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT 1 FROM pragma_table_xinfo(%Q, %Q) WHERE name = %Q COLLATE NOCASE", table,
		database_name, column);

	if (status == STATUS_OK)
		status = database_step(statement, found, message);
	sqlite3_finalize(statement);
	return status;
}

/* True if the column is the row id itself: the one INTEGER PRIMARY KEY. */
static enum status column_is_rowid(sqlite3 *log, const char *database_name, const char *table,
				   const char *column, bool *is_rowid, struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT count(*) = 1 AND max(name = %Q COLLATE NOCASE AND type = 'INTEGER' COLLATE "
		"NOCASE) FROM pragma_table_xinfo(%Q, %Q) WHERE pk > 0",
		column, table, database_name);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*is_rowid = status == STATUS_OK && row && sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

/*
 * rowid, _rowid_ and oid name the row id unless a column that is something else
 * has taken the name (www.sqlite.org/lang_createtable.html#rowid).
 */
static enum status rowid_name_find(sqlite3 *log, const char *database_name, struct layout *layout,
				   struct message *message)
{
	static const char *const names[] = {"rowid", "_rowid_", "oid"};
	const char *usable = NULL;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && !usable && i < 3; i++) {
		int taken;

		status =
			column_exists(log, database_name, layout->table, names[i], &taken, message);
		if (status == STATUS_OK && !taken)
			usable = names[i];
	}
	for (size_t i = 0; status == STATUS_OK && !usable && i < 3; i++) {
		bool is_rowid;

		status = column_is_rowid(log, database_name, layout->table, names[i], &is_rowid,
					 message);
		if (status == STATUS_OK && is_rowid)
			usable = names[i];
	}
	if (status != STATUS_OK)
		return status;
	if (usable)
		return set_text(&layout->rowid, usable) ? STATUS_OK
							: message_out_of_memory(message);
	return message_set(message, STATUS_FAILED,
			   "the table '%.200s' has columns named rowid, _rowid_ and oid, so that "
			   "nothing is left to ask for its row ids; rename one",
			   layout->table);
}

/* Nothing but the time of exported packets needs the timestamp: without its column there is none.
 */
static enum status timestamp_check(sqlite3 *log, const char *database_name, struct layout *layout,
				   struct message *message)
{
	int found = 0;
	enum status status;

	if (!layout->timestamp)
		return STATUS_OK;
	status = column_exists(log, database_name, layout->table, layout->timestamp, &found,
			       message);
	if (status == STATUS_OK && !found) {
		free(layout->timestamp);
		layout->timestamp = NULL;
	}
	return status;
}

/* The table's name as the log writes it: the user may have written it in another case. */
static enum status table_name_settle(sqlite3 *log, const char *database_name, struct layout *layout,
				     struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT name FROM pragma_table_list WHERE schema = %Q AND name = %Q COLLATE NOCASE",
		database_name, layout->table);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);

		if (!name || !set_text(&layout->table, name))
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

enum status layout_check(sqlite3 *log, const char *database_name, struct layout *layout,
			 struct message *message)
{
	enum status status = table_check(log, database_name, layout->table, message);

	if (status == STATUS_OK)
		status = table_name_settle(log, database_name, layout, message);
	for (int role = 0; status == STATUS_OK && role < ROLE_COUNT; role++) {
		int found = 1;

		if (layout->columns[role])
			status = column_exists(log, database_name, layout->table,
					       layout->columns[role], &found, message);
		if (status == STATUS_OK && !found)
			status = message_set(message, STATUS_FAILED,
					     "the table '%.200s' has no column '%.200s' (for %s)",
					     layout->table, layout->columns[role],
					     layout_role_name((enum role)role));
	}
	if (status == STATUS_OK)
		status = timestamp_check(log, database_name, layout, message);
	if (status == STATUS_OK)
		status = rowid_name_find(log, database_name, layout, message);
	return status;
}

static enum status layout_from_catalogue(const struct catalogue_source *source, const char *table,
					 struct layout *layout, struct message *message)
{
	if (!table && !source->table)
		return message_set(message, STATUS_USAGE,
				   "no table is named; add 'table = NAME' or use --table");
	if (!set_text(&layout->table, table ? table : source->table) ||
	    !set_text(&layout->schema, "catalogue"))
		return message_out_of_memory(message);
	if (source->timestamp && !set_text(&layout->timestamp, source->timestamp))
		return message_out_of_memory(message);
	for (int role = 0; role < ROLE_COUNT; role++)
		if (source->columns[role] &&
		    !set_text(&layout->columns[role], source->columns[role]))
			return message_out_of_memory(message);
	layout->directed = source->directed;
	return STATUS_OK;
}

static enum status layout_from_schema(const struct known_schema *known, const char *table,
				      struct layout *layout, struct message *message)
{
	if (!set_text(&layout->table, table) || !set_text(&layout->schema, known->name))
		return message_out_of_memory(message);
	if (known->timestamp && !set_text(&layout->timestamp, known->timestamp))
		return message_out_of_memory(message);
	for (int role = 0; role < ROLE_COUNT; role++)
		if (known->columns[role] && !set_text(&layout->columns[role], known->columns[role]))
			return message_out_of_memory(message);
	layout->directed = known->directed;
	return STATUS_OK;
}

static enum status table_fits(sqlite3 *log, const struct known_schema *known, const char *table,
			      bool *fits, struct message *message)
{
	*fits = true;
	for (int role = 0; *fits && role < ROLE_COUNT; role++) {
		int found = 1;
		enum status status = STATUS_OK;

		if (known->columns[role])
			status = column_exists(log, "main", table, known->columns[role], &found,
					       message);
		if (status != STATUS_OK)
			return status;
		*fits = found != 0;
	}
	return STATUS_OK;
}

/* Of the log's tables, the one that fits; the schema's own name wins over others. */
static enum status table_search(sqlite3 *log, const struct known_schema *known, char **table,
				size_t *count, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
		"ORDER BY name <> %Q COLLATE NOCASE, name",
		known->table);

	*count = 0;
	while (status == STATUS_OK) {
		const char *name;
		bool fits;

		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		name = (const char *)sqlite3_column_text(statement, 0);
		if (!name) {
			status = message_out_of_memory(message);
			break;
		}
		status = table_fits(log, known, name, &fits, message);
		if (status != STATUS_OK || !fits)
			continue;
		if ((*count)++ == 0 && !set_text(table, name))
			status = message_out_of_memory(message);
		if (sqlite3_stricmp(name, known->table) == 0)
			break;
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status layout_recognise(sqlite3 *log, const char *schema, struct layout *layout,
				    struct message *message)
{
	for (size_t i = 0; i < KNOWN_SCHEMAS; i++) {
		char *table = NULL;
		size_t count;
		enum status status;

		if (schema && strcmp(known_schemas[i].name, schema) != 0)
			continue;
		status = table_search(log, &known_schemas[i], &table, &count, message);
		if (status == STATUS_OK && count > 1)
			status =
				message_set(message, STATUS_FAILED,
					    "several tables hold connections, '%.200s' among them; "
					    "choose one with --table",
					    table);
		else if (status == STATUS_OK && count == 1)
			status = layout_from_schema(&known_schemas[i], table, layout, message);
		free(table);
		if (status != STATUS_OK || count == 1)
			return status;
	}
	return message_set(
		message, STATUS_FAILED,
		"no table with the columns of a known log (dionaea: connection_type, "
		"connection_transport, local_host, local_port, remote_host, remote_port); "
		"describe yours in a [source] section of the catalogue");
}

static enum status layout_for_table(sqlite3 *log, const char *table, const char *schema,
				    struct layout *layout, struct message *message)
{
	enum status status = table_check(log, "main", table, message);

	for (size_t i = 0; status == STATUS_OK && i < KNOWN_SCHEMAS; i++) {
		bool fits;

		if (schema && strcmp(known_schemas[i].name, schema) != 0)
			continue;
		status = table_fits(log, &known_schemas[i], table, &fits, message);
		/* A schema that the user forces is held against the columns by layout_check. */
		if (status == STATUS_OK && (fits || schema))
			return layout_from_schema(&known_schemas[i], table, layout, message);
	}
	if (status != STATUS_OK)
		return status;
	return message_set(message, STATUS_FAILED,
			   "the table '%.200s' does not have the columns of a known log (dionaea: "
			   "connection_type, connection_transport, local_host, local_port, "
			   "remote_host, remote_port); describe it in a [source] section of the "
			   "catalogue",
			   table);
}

static bool schema_is_known(const char *schema)
{
	for (size_t i = 0; i < KNOWN_SCHEMAS; i++)
		if (strcmp(known_schemas[i].name, schema) == 0)
			return true;
	return false;
}

enum status layout_find(sqlite3 *log, const struct catalogue_source *source, const char *table,
			const char *schema, struct layout *layout, struct message *message)
{
	enum status status;

	*layout = (struct layout){0};
	if (schema && !schema_is_known(schema))
		return message_set(
			message, STATUS_USAGE,
			"unknown schema '%.100s'; known: dionaea (others through [source] "
			"in the catalogue)",
			schema);
	if (source && source->line && !schema)
		status = layout_from_catalogue(source, table, layout, message);
	else if (table)
		status = layout_for_table(log, table, schema, layout, message);
	else
		status = layout_recognise(log, schema, layout, message);
	if (status == STATUS_OK)
		status = layout_check(log, "main", layout, message);
	if (status == STATUS_OK && source && source->line && source->timestamp && !schema &&
	    !layout->timestamp)
		return message_set(message, STATUS_FAILED,
				   "the table '%.200s' has no column '%.200s' (for timestamp)",
				   layout->table, source->timestamp);
	return status;
}

static bool copy_text(char **place, const char *text)
{
	return !text || set_text(place, text);
}

enum status layout_copy(const struct layout *layout, struct layout *copy, struct message *message)
{
	bool copied;

	*copy = (struct layout){.directed = layout->directed};
	copied = copy_text(&copy->table, layout->table) &&
		 copy_text(&copy->schema, layout->schema) &&
		 copy_text(&copy->rowid, layout->rowid) &&
		 copy_text(&copy->timestamp, layout->timestamp);
	for (int role = 0; copied && role < ROLE_COUNT; role++)
		copied = copy_text(&copy->columns[role], layout->columns[role]);
	return copied ? STATUS_OK : message_out_of_memory(message);
}

char *layout_select_list(const struct layout *layout)
{
	sqlite3_str *list = sqlite3_str_new(NULL);

	sqlite3_str_appendall(list, layout->rowid);
	for (int role = 0; role < ROLE_COUNT; role++) {
		if (layout->columns[role])
			sqlite3_str_appendf(list, ", \"%w\"", layout->columns[role]);
		else
			sqlite3_str_appendall(list, ", NULL");
	}
	return sqlite3_str_finish(list);
}

void layout_free(struct layout *layout)
{
	free(layout->table);
	free(layout->schema);
	free(layout->rowid);
	free(layout->timestamp);
	for (int role = 0; role < ROLE_COUNT; role++)
		free(layout->columns[role]);
	*layout = (struct layout){0};
}
