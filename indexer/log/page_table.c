#include "page_table.h"

#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "database/table.h"

enum {
	/* Columns of PRAGMA table_xinfo (www.sqlite.org/pragma.html). */
	INFO_NAME = 1,
	INFO_TYPE = 2,
	INFO_HIDDEN = 6,
	PLACE_MAX = UINT16_MAX,
};

static bool no(const char **why, const char *reason)
{
	*why = reason;
	return false;
}

static bool no_schema(const char **why)
{
	return no(why, "SQLite does not tell where the log's table lies");
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

static bool contains(const char *text, const char *word)
{
	for (; *text; text++)
		if (sqlite3_strnicmp(text, word, (int)strlen(word)) == 0)
			return true;
	return false;
}

/* The rules in their order: section 3.1 of www.sqlite.org/datatype3.html. */
static bool type_is_real(const char *type)
{
	static const char *const others[] = {"INT", "CHAR", "CLOB", "TEXT", "BLOB"};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (contains(type, others[i]))
			return false;
	return contains(type, "REAL") || contains(type, "FLOA") || contains(type, "DOUB");
}

static bool root_find(struct page_table *found, sqlite3 *database, const char *table,
		      const char **why)
{
	sqlite3_stmt *statement;
	struct message ignored;
	int row = 0;

	found->root = 0;
	if (database_prepare(database, &statement, &ignored,
			     "SELECT rootpage FROM main.sqlite_schema "
			     "WHERE type = 'table' AND lower(name) = lower(?1)") == STATUS_OK &&
	    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC) == SQLITE_OK &&
	    database_step(statement, &row, &ignored) == STATUS_OK && row) {
		const sqlite3_int64 root = sqlite3_column_int64(statement, 0);

		if (root >= 2 && root <= UINT32_MAX)
			found->root = (uint32_t)root;
	}
	sqlite3_finalize(statement);
	return found->root || no_schema(why);
}

/* What the schema says of one column. */
struct column_info {
	size_t place;
	const char *name;
	bool real;
	bool is_rowid;
};

static void column_take(struct page_table *found, const struct column_info *info,
			const char *const *columns, size_t count, bool taken[])
{
	const size_t item = found->columns.count;
	bool used = false;

	for (size_t i = 0; i < count; i++) {
		if (!columns[i] || sqlite3_stricmp(columns[i], info->name) != 0)
			continue;
		taken[i] = true;
		if (info->is_rowid) {
			found->rowids[found->rowid_count++] = (uint8_t)i;
			continue;
		}
		if (used) {
			found->copies[found->copy_count].from = found->columns.items[item].field;
			found->copies[found->copy_count++].to = (uint8_t)i;
			continue;
		}
		used = true;
		found->names[item] = columns[i];
		found->columns.items[item].field = (uint8_t)i;
	}
	if (!used)
		return;
	found->columns.items[item].place = (uint16_t)info->place;
	found->columns.items[item].real = info->real;
	found->columns.count++;
}

/* Goes through the table's columns. */
static bool columns_find(struct page_table *found, sqlite3_stmt *listed, const char *rowid_column,
			 const char *const *columns, size_t count, const char **why)
{
	bool taken[PAGE_COLUMNS_MAX] = {false};
	struct message ignored;
	int row = 1;

	for (size_t place = 0; place <= PLACE_MAX; place++) {
		struct column_info info = {.place = place};

		if (database_step(listed, &row, &ignored) != STATUS_OK)
			return no_schema(why);
		if (!row)
			break;
		if (sqlite3_column_int(listed, INFO_HIDDEN) != 0)
			return no(why, "the log's table has generated columns");
		info.real = type_is_real(text_of(listed, INFO_TYPE));
		info.name = text_of(listed, INFO_NAME);
		info.is_rowid = rowid_column && sqlite3_stricmp(rowid_column, info.name) == 0;
		column_take(found, &info, columns, count, taken);
	}
	for (size_t i = 0; i < count; i++)
		if (columns[i] && !taken[i])
			return no(why, "a column of the log's table is not stored in it");
	return !row || no_schema(why);
}

bool page_table_find(struct page_table *found, sqlite3 *database, const char *table,
		     const char *const *columns, size_t count, const char **why)
{
	sqlite3_stmt *listed = NULL;
	struct message ignored;
	enum table_kind kind;
	char *rowid_column = NULL;
	bool done;

	*found = (struct page_table){.root = 0};
	if (table_find(database, "main", table, &kind, NULL, &ignored) != STATUS_OK)
		return no_schema(why);
	if (kind != TABLE_ORDINARY)
		return no(why, "the log's table is not an ordinary one");
	if (!root_find(found, database, table, why))
		return false;
	if (table_rowid_column(database, "main", table, &rowid_column, &ignored) != STATUS_OK ||
	    database_prepare(database, &listed, &ignored, "PRAGMA main.table_xinfo(\"%w\")",
			     table) != STATUS_OK)
		done = no_schema(why);
	else
		done = columns_find(found, listed, rowid_column, columns, count, why);
	sqlite3_finalize(listed);
	free(rowid_column);
	return done;
}
