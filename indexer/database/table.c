#include "table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"

enum {
	/* Columns of PRAGMA table_list, */
	LIST_SCHEMA = 0,
	LIST_NAME = 1,
	LIST_TYPE = 2,
	LIST_WITHOUT_ROWID = 4,
	/* of table_xinfo, */
	INFO_NAME = 1,
	INFO_TYPE = 2,
	INFO_KEY = 5,
	/* and of index_list (www.sqlite.org/pragma.html). */
	INDEX_ORIGIN = 3,
};

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

static enum table_kind kind_of(sqlite3_stmt *listed)
{
	const char *type = text_of(listed, LIST_TYPE);

	if (strcmp(type, "view") == 0)
		return TABLE_VIEW;
	if (strcmp(type, "table") != 0)
		return TABLE_VIRTUAL;
	return sqlite3_column_int(listed, LIST_WITHOUT_ROWID) ? TABLE_WITHOUT_ROWID
							      : TABLE_ORDINARY;
}

static enum status text_copy(const char *text, char **copy, struct message *message)
{
	*copy = strdup(text);
	return *copy ? STATUS_OK : message_out_of_memory(message);
}

/* Steps on in a list, whose values so far were read. */
static enum status list_next(sqlite3_stmt *statement, int *row, struct message *message)
{
	enum status status = database_values(statement, STATUS_OK, message);

	*row = 0;
	return status == STATUS_OK ? database_step(statement, row, message) : status;
}

static enum status list_end(sqlite3_stmt *statement, enum status status, struct message *message)
{
	if (status == STATUS_OK)
		status = database_values(statement, status, message);
	sqlite3_finalize(statement);
	return status;
}

enum status table_find(sqlite3 *database, const char *database_name, const char *table,
		       enum table_kind *kind, char **found, struct message *message)
{
	sqlite3_stmt *statement;
	int row = 1;
	enum status status =
		database_prepare(database, &statement, message, "PRAGMA \"%w\".table_list(\"%w\")",
				 database_name, table);

	*kind = TABLE_MISSING;
	if (found)
		*found = NULL;
	while (status == STATUS_OK && *kind == TABLE_MISSING) {
		status = list_next(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		if (sqlite3_stricmp(text_of(statement, LIST_SCHEMA), database_name) != 0)
			continue;
		*kind = kind_of(statement);
		if (found)
			status = text_copy(text_of(statement, LIST_NAME), found, message);
	}
	return list_end(statement, status, message);
}

/* In which order SQLite looks for a name; INT_MAX for what is not attached. */
static int order_of(sqlite3 *database, const char *database_name)
{
	const char *name;

	if (sqlite3_stricmp(database_name, "temp") == 0)
		return -1;
	for (int i = 0; (name = sqlite3_db_name(database, i)); i++)
		if (sqlite3_stricmp(name, database_name) == 0)
			return i;
	return INT_MAX;
}

enum status table_resolve(sqlite3 *database, const char *table, bool with_temp,
			  char **database_name, struct message *message)
{
	sqlite3_stmt *statement;
	int first = INT_MAX;
	int row = 1;
	enum status status =
		database_prepare(database, &statement, message, "PRAGMA table_list(\"%w\")", table);

	*database_name = NULL;
	while (status == STATUS_OK) {
		const char *name;
		int order;

		status = list_next(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		name = text_of(statement, LIST_SCHEMA);
		order = order_of(database, name);
		if (order >= first || (order < 0 && !with_temp))
			continue;
		first = order;
		free(*database_name);
		status = text_copy(name, database_name, message);
	}
	return list_end(statement, status, message);
}

/* Whether a pragma about the table lists text in that column. */
static enum status is_listed(sqlite3 *database, const char *pragma, const char *database_name,
			     const char *table, int column, const char *text, bool *listed,
			     struct message *message)
{
	sqlite3_stmt *statement;
	int row = 1;
	enum status status =
		database_prepare(database, &statement, message, "PRAGMA \"%w\".%s(\"%w\")",
				 database_name, pragma, table);

	*listed = false;
	while (status == STATUS_OK && !*listed) {
		status = list_next(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		*listed = sqlite3_stricmp(text_of(statement, column), text) == 0;
	}
	return list_end(statement, status, message);
}

enum status table_drop(sqlite3 *database, const char *table, struct message *message)
{
	enum table_kind kind;
	sqlite3_stmt *statement = NULL;
	enum status status = table_find(database, "main", table, &kind, NULL, message);

	if (status == STATUS_OK && kind != TABLE_MISSING)
		status = database_prepare(database, &statement, message, "DROP %s main.\"%w\"",
					  kind == TABLE_VIEW ? "VIEW" : "TABLE", table);
	if (status == STATUS_OK && statement)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

enum status table_has_column(sqlite3 *database, const char *database_name, const char *table,
			     const char *column, bool *has, struct message *message)
{
	/* Many times as fast as a pragma, but it knows tables only, and row ids by these names. */
	*has = sqlite3_stricmp(column, "rowid") != 0 && sqlite3_stricmp(column, "oid") != 0 &&
	       sqlite3_stricmp(column, "_rowid_") != 0 &&
	       sqlite3_table_column_metadata(database, database_name, table, column, NULL, NULL,
					     NULL, NULL, NULL) == SQLITE_OK;
	if (*has)
		return STATUS_OK;
	return is_listed(database, "table_xinfo", database_name, table, INFO_NAME, column, has,
			 message);
}

/* The only column of the key where that is an INTEGER; NULL for any other key. */
static enum status key_column(sqlite3 *database, const char *database_name, const char *table,
			      char **column, struct message *message)
{
	sqlite3_stmt *statement;
	int columns = 0;
	int row = 1;
	enum status status =
		database_prepare(database, &statement, message, "PRAGMA \"%w\".table_xinfo(\"%w\")",
				 database_name, table);

	*column = NULL;
	while (status == STATUS_OK) {
		status = list_next(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		if (sqlite3_column_int(statement, INFO_KEY) == 0 || columns++ > 0 ||
		    sqlite3_stricmp(text_of(statement, INFO_TYPE), "INTEGER") != 0)
			continue;
		status = text_copy(text_of(statement, INFO_NAME), column, message);
	}
	status = list_end(statement, status, message);
	if (status != STATUS_OK || columns > 1) {
		free(*column);
		*column = NULL;
	}
	return status;
}

enum status table_rowid_column(sqlite3 *database, const char *database_name, const char *table,
			       char **column, struct message *message)
{
	bool has_index = false;
	enum status status = key_column(database, database_name, table, column, message);

	if (status == STATUS_OK && *column)
		status = is_listed(database, "index_list", database_name, table, INDEX_ORIGIN, "pk",
				   &has_index, message);
	if (status != STATUS_OK || has_index) {
		free(*column);
		*column = NULL;
	}
	return status;
}
