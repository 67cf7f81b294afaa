#include "facet_table.h"

#include <stdlib.h>
#include <string.h>

#include "result.h"

enum { COLUMN_VALUE, COLUMN_ROWS, COLUMN_ARGUMENTS };
enum { ARGUMENT_EXPRESSION, ARGUMENT_BY, ARGUMENT_SCHEMA, ARGUMENTS };

struct facet_table {
	sqlite3_vtab base;
	struct answer_cache *cache;
};

struct facet_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_value *arguments[ARGUMENTS]; /* copies; NULL where left out */
	enum facet_by by;
	struct facet facet;
	size_t next; /* facet.count stands for the rows without a value */
};

static int table_connect(sqlite3 *database, void *context, int argument_count,
			 const char *const *arguments, sqlite3_vtab **out, char **error)
{
	struct facet_table *table;
	const int code = sqlite3_declare_vtab(
		database, "CREATE TABLE bitmap_facet (value, rows INTEGER, expression HIDDEN, "
			  "\"by\" HIDDEN, schema HIDDEN)");

	(void)argument_count;
	(void)arguments;
	(void)error;
	if (code != SQLITE_OK)
		return code;
	table = sqlite3_malloc64(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	*table = (struct facet_table){.cache = context};
	*out = &table->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int table_fail(sqlite3_vtab *table, const struct message *message)
{
	sqlite3_free(table->zErrMsg);
	table->zErrMsg = sqlite3_mprintf("%s", message->text);
	return result_code(message);
}

/* The arguments that are given are those of xFilter, in their order; idxNum says which. */
static int table_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	int constraints[ARGUMENTS] = {-1, -1, -1};
	int argument = 0;

	(void)table;
	for (int i = 0; i < info->nConstraint; i++) {
		const int column = info->aConstraint[i].iColumn - COLUMN_ARGUMENTS;

		if (column < 0 || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		constraints[column] = i;
	}
	info->idxNum = 0;
	for (int i = 0; i < ARGUMENTS; i++) {
		if (constraints[i] < 0)
			continue;
		info->idxNum |= 1 << i;
		info->aConstraintUsage[constraints[i]].argvIndex = ++argument;
		info->aConstraintUsage[constraints[i]].omit = 1;
	}
	info->estimatedCost = 1000000;
	info->estimatedRows = 1000;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct facet_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	memset(cursor, 0, sizeof(*cursor));
	*out = &cursor->base;
	return SQLITE_OK;
}

static void cursor_clear(struct facet_cursor *cursor)
{
	for (size_t i = 0; i < ARGUMENTS; i++) {
		sqlite3_value_free(cursor->arguments[i]);
		cursor->arguments[i] = NULL;
	}
	facet_free(&cursor->facet);
	cursor->next = 0;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	cursor_clear((struct facet_cursor *)base);
	sqlite3_free(base);
	return SQLITE_OK;
}

static bool arguments_keep(struct facet_cursor *cursor, int given, sqlite3_value **arguments)
{
	int next = 0;

	for (int i = 0; i < ARGUMENTS; i++) {
		if (!(given >> i & 1))
			continue;
		cursor->arguments[i] = sqlite3_value_dup(arguments[next++]);
		if (!cursor->arguments[i])
			return false;
	}
	return true;
}

/* An argument's text; NULL for one that was left out. */
static enum status argument_text(struct facet_cursor *cursor, int which, const char **text,
				 struct message *message)
{
	sqlite3_value *argument = cursor->arguments[which];

	*text = argument ? (const char *)sqlite3_value_text(argument) : NULL;
	if (argument && !*text)
		return message_out_of_memory(message);
	if (*text && strlen(*text) != (size_t)sqlite3_value_bytes(argument))
		return message_set(message, STATUS_USAGE,
				   "an argument of bitmap_facet() has a zero byte");
	return STATUS_OK;
}

static enum status cursor_fill(struct facet_cursor *cursor, struct answer_cache *cache,
			       struct message *message)
{
	const char *expression;
	const char *by;
	const char *schema;
	enum status status = argument_text(cursor, ARGUMENT_EXPRESSION, &expression, message);

	if (status == STATUS_OK)
		status = argument_text(cursor, ARGUMENT_BY, &by, message);
	if (status == STATUS_OK)
		status = argument_text(cursor, ARGUMENT_SCHEMA, &schema, message);
	if (status != STATUS_OK)
		return status;
	if (!expression || !by)
		return message_set(message, STATUS_USAGE,
				   "bitmap_facet() needs an expression and what to count by: "
				   "bitmap_facet('smb', 'src')");
	if (!facet_find(by, &cursor->by))
		return message_set(
			message, STATUS_USAGE,
			"bitmap_facet(): '%.60s' is nothing to count by; expected " FACET_EXPECTED,
			by);
	return answer_cache_facet(cache, schema, expression, cursor->by, &cursor->facet, message);
}

static bool any_null(const struct facet_cursor *cursor)
{
	for (size_t i = 0; i < ARGUMENTS; i++)
		if (cursor->arguments[i] && sqlite3_value_type(cursor->arguments[i]) == SQLITE_NULL)
			return true;
	return false;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int given, const char *plan, int argument_count,
			 sqlite3_value **arguments)
{
	struct facet_cursor *cursor = (struct facet_cursor *)base;
	struct message message;

	(void)plan;
	(void)argument_count;
	cursor_clear(cursor);
	if (!arguments_keep(cursor, given, arguments))
		return SQLITE_NOMEM;
	if (any_null(cursor) ||
	    cursor_fill(cursor, ((struct facet_table *)base->pVtab)->cache, &message) == STATUS_OK)
		return SQLITE_OK;
	return table_fail(base->pVtab, &message);
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	((struct facet_cursor *)base)->next++;
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	const struct facet_cursor *cursor = (const struct facet_cursor *)base;

	return cursor->next >= cursor->facet.count + (cursor->facet.without > 0);
}

static void value_result(sqlite3_context *context, const struct facet_cursor *cursor)
{
	const struct facet_value *value = &cursor->facet.values[cursor->next];
	char text[FACET_TEXT_SIZE];

	if (cursor->by == FACET_PORT) {
		sqlite3_result_int64(context, value->number);
		return;
	}
	facet_value_text(cursor->by, value, text);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	const struct facet_cursor *cursor = (const struct facet_cursor *)base;
	const bool has_value = cursor->next < cursor->facet.count;

	if (column == COLUMN_VALUE && has_value)
		value_result(context, cursor);
	else if (column == COLUMN_ROWS)
		sqlite3_result_int64(
			context, (sqlite3_int64)(has_value ? cursor->facet.values[cursor->next].rows
							   : cursor->facet.without));
	else if (column >= COLUMN_ARGUMENTS && cursor->arguments[column - COLUMN_ARGUMENTS])
		sqlite3_result_value(context, cursor->arguments[column - COLUMN_ARGUMENTS]);
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = (sqlite3_int64)((const struct facet_cursor *)base)->next + 1;
	return SQLITE_OK;
}

int facet_table_register(sqlite3 *database, struct answer_cache *cache)
{
	static const sqlite3_module module = {
		.xConnect = table_connect,
		.xBestIndex = table_plan,
		.xDisconnect = table_disconnect,
		.xOpen = cursor_open,
		.xClose = cursor_close,
		.xFilter = cursor_filter,
		.xNext = cursor_next,
		.xEof = cursor_eof,
		.xColumn = cursor_column,
		.xRowid = cursor_rowid,
	};

	return sqlite3_create_module_v2(database, "bitmap_facet", &module,
					answer_cache_retain(cache), answer_cache_release);
}
