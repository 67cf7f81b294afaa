#include "bitmap_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a probe costs, where reading the next row of a table costs 3 and seeking
 * a row id about 20: with it, a bitmap of up to half the rows drives a join.
 */
enum {
	PROBE_COST = 8,
	UNKNOWN_ROWS = 1000000, /* of an expression that is not constant */
};

enum { COLUMN_VALUE, COLUMN_EXPRESSION, COLUMN_SCHEMA };

/* idxNum of a plan: which constraints xFilter gets, in this order of arguments. */
enum {
	PLAN_EXPRESSION = 1,
	PLAN_SCHEMA = 2,
	PLAN_EQUAL = 4,
	PLAN_ABOVE = 8,
	PLAN_BELOW = 16,
	PLAN_ABOVE_STRICT = 32,
	PLAN_BELOW_STRICT = 64,
	PLAN_DESCENDING = 128,
};

struct bitmap_table {
	sqlite3_vtab base;
	struct answer_cache *cache;
};

struct bitmap_cursor {
	sqlite3_vtab_cursor base;
	struct answer *answer; /* NULL at the end, or before xFilter */
	char *expression;
	char *schema;
	bool descending;
	int64_t low; /* both bounds belong to the range */
	int64_t high;
	size_t chunk; /* the chunk that is decoded */
	uint32_t *values;
	size_t capacity;
	size_t position; /* in values */
	size_t count;
	int64_t rowid;
	bool at_end;
};

static int table_connect(sqlite3 *database, void *context, int argument_count,
			 const char *const *arguments, sqlite3_vtab **out, char **error)
{
	struct bitmap_table *table;
	int code = sqlite3_declare_vtab(
		database, "CREATE TABLE bitmap (value INTEGER, expression HIDDEN, schema HIDDEN)");

	(void)argument_count;
	(void)arguments;
	(void)error;
	if (code != SQLITE_OK)
		return code;
	sqlite3_vtab_config(database, SQLITE_VTAB_INNOCUOUS);
	table = sqlite3_malloc64(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	memset(table, 0, sizeof(*table));
	table->cache = context;
	*out = &table->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static void table_error(sqlite3_vtab *table, const struct message *message)
{
	sqlite3_free(table->zErrMsg);
	table->zErrMsg = sqlite3_mprintf("%s", message->text);
}

/* A constraint's constant text, or NULL where it is not known while planning. */
static const char *constant_text(sqlite3_index_info *info, int constraint)
{
	sqlite3_value *value = NULL;

	if (constraint < 0 || sqlite3_vtab_rhs_value(info, constraint, &value) != SQLITE_OK ||
	    !value)
		return NULL;
	return (const char *)sqlite3_value_text(value);
}

/* Constraints of one query, by what they are good for; -1 where there is none. */
struct plan {
	int expression;
	int schema;
	int equal;
	int above;
	int below;
	int flags;
	bool unusable; /* an argument is not known in this order of the join */
};

static void plan_bound(struct plan *plan, int operation, int constraint)
{
	switch (operation) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		plan->equal = constraint;
		break;
	case SQLITE_INDEX_CONSTRAINT_GT:
	case SQLITE_INDEX_CONSTRAINT_GE:
		plan->above = constraint;
		plan->flags &= ~PLAN_ABOVE_STRICT;
		if (operation == SQLITE_INDEX_CONSTRAINT_GT)
			plan->flags |= PLAN_ABOVE_STRICT;
		break;
	case SQLITE_INDEX_CONSTRAINT_LT:
	case SQLITE_INDEX_CONSTRAINT_LE:
		plan->below = constraint;
		plan->flags &= ~PLAN_BELOW_STRICT;
		if (operation == SQLITE_INDEX_CONSTRAINT_LT)
			plan->flags |= PLAN_BELOW_STRICT;
		break;
	default:
		break;
	}
}

static struct plan plan_constraints(const sqlite3_index_info *info)
{
	struct plan plan = {.expression = -1, .schema = -1, .equal = -1, .above = -1, .below = -1};

	for (int i = 0; i < info->nConstraint; i++) {
		int column = info->aConstraint[i].iColumn;
		int operation = info->aConstraint[i].op;

		if (column == COLUMN_EXPRESSION || column == COLUMN_SCHEMA) {
			if (operation != SQLITE_INDEX_CONSTRAINT_EQ)
				continue;
			if (!info->aConstraint[i].usable)
				plan.unusable = true;
			else if (column == COLUMN_EXPRESSION)
				plan.expression = i;
			else
				plan.schema = i;
		} else if (info->aConstraint[i].usable) {
			plan_bound(&plan, operation, i);
		}
	}
	return plan;
}

/* Hands constraint to xFilter as its next argument. */
static int plan_use(sqlite3_index_info *info, int constraint, int *argument, int flag, bool omit)
{
	if (constraint < 0)
		return 0;
	info->aConstraintUsage[constraint].argvIndex = ++*argument;
	info->aConstraintUsage[constraint].omit = omit;
	return flag;
}

/* A constraint's constant integer; false where it is not known while planning. */
static bool constant_integer(sqlite3_index_info *info, int constraint, int64_t *integer)
{
	sqlite3_value *value = NULL;

	if (constraint < 0 || sqlite3_vtab_rhs_value(info, constraint, &value) != SQLITE_OK ||
	    !value || sqlite3_value_type(value) != SQLITE_INTEGER)
		return false;
	*integer = sqlite3_value_int64(value);
	return true;
}

/* How many rows the plan's range leaves: exact for constants, half for each bound otherwise. */
static double range_rows(sqlite3_index_info *info, const struct plan *plan,
			 const struct row_set *rows)
{
	double above = 0;
	double below = (double)rows->rows;
	int64_t bound;

	if (constant_integer(info, plan->above, &bound))
		above = (double)row_set_rank(rows, bound);
	else if (plan->above >= 0)
		above = below / 2;
	if (constant_integer(info, plan->below, &bound))
		below = (double)row_set_rank(rows, bound) + row_set_contains(rows, bound);
	else if (plan->below >= 0)
		below -= (below - above) / 2;
	return below > above ? below - above : 0;
}

static void plan_cost(struct bitmap_table *table, sqlite3_index_info *info, const struct plan *plan)
{
	const char *expression = constant_text(info, plan->expression);
	const char *schema = constant_text(info, plan->schema);
	double rows = UNKNOWN_ROWS;

	/* An expression that cannot be answered is reported by xFilter. */
	if (expression && (schema || plan->schema < 0)) {
		struct answer *answer;
		struct message ignored;

		if (answer_cache_get(table->cache, schema, expression, &answer, &ignored) ==
		    STATUS_OK) {
			rows = range_rows(info, plan, &answer->rows);
			answer_release(answer);
		}
	}
	if (plan->equal >= 0) {
		info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
		info->estimatedRows = 1;
		info->estimatedCost = PROBE_COST;
		return;
	}
	info->estimatedRows = rows < 1 ? 1 : (sqlite3_int64)rows;
	info->estimatedCost = rows + 1;
}

static int table_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	struct plan plan = plan_constraints(info);
	int argument = 0;

	if (plan.unusable)
		return SQLITE_CONSTRAINT;
	plan.flags |= plan_use(info, plan.expression, &argument, PLAN_EXPRESSION, true);
	plan.flags |= plan_use(info, plan.schema, &argument, PLAN_SCHEMA, true);
	/* SQLite checks these again: a text or a fraction on the other side is its business. */
	plan.flags |= plan_use(info, plan.equal, &argument, PLAN_EQUAL, false);
	plan.flags |= plan_use(info, plan.above, &argument, PLAN_ABOVE, false);
	plan.flags |= plan_use(info, plan.below, &argument, PLAN_BELOW, false);
	if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn <= COLUMN_VALUE) {
		info->orderByConsumed = 1;
		if (info->aOrderBy[0].desc)
			plan.flags |= PLAN_DESCENDING;
	}
	info->idxNum = plan.flags;
	plan_cost((struct bitmap_table *)table, info, &plan);
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct bitmap_cursor *cursor = calloc(1, sizeof(*cursor));

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	*out = &cursor->base;
	return SQLITE_OK;
}

static void answer_forget(struct bitmap_cursor *cursor)
{
	answer_release(cursor->answer);
	sqlite3_free(cursor->expression);
	sqlite3_free(cursor->schema);
	cursor->answer = NULL;
	cursor->expression = NULL;
	cursor->schema = NULL;
}

static void range_reset(struct bitmap_cursor *cursor)
{
	cursor->low = INT64_MIN;
	cursor->high = INT64_MAX;
	cursor->count = 0;
	cursor->position = 0;
	cursor->at_end = true;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	struct bitmap_cursor *cursor = (struct bitmap_cursor *)base;

	answer_forget(cursor);
	free(cursor->values);
	free(cursor);
	return SQLITE_OK;
}

/* The first index in values, ascending, whose row id is bound or more. */
static size_t values_seek(const struct bitmap_cursor *cursor, const struct row_set_chunk *chunk,
			  int64_t bound)
{
	size_t low = 0;
	size_t high = cursor->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (row_set_rowid(chunk, cursor->values[middle]) < bound)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Decodes the chunk under the cursor and cuts it to the range. */
static int chunk_load(struct bitmap_cursor *cursor)
{
	const struct row_set_chunk *chunk = &cursor->answer->rows.chunks[cursor->chunk];
	size_t first;

	if (cursor->capacity < chunk->rows) {
		uint32_t *values = realloc(cursor->values, chunk->rows * sizeof(*values));

		if (!values)
			return SQLITE_NOMEM;
		cursor->values = values;
		cursor->capacity = chunk->rows;
	}
	row_set_decode(chunk, cursor->values);
	cursor->count = chunk->rows;
	first = values_seek(cursor, chunk, cursor->low);
	if (cursor->high < INT64_MAX)
		cursor->count = values_seek(cursor, chunk, cursor->high + 1);
	if (first > cursor->count)
		first = cursor->count;
	cursor->position = cursor->descending ? cursor->count : first;
	if (cursor->descending)
		cursor->count = first;
	return SQLITE_OK;
}

/* Ascending, count is the end behind the last value; descending, it is the first value. */
static bool chunk_exhausted(const struct bitmap_cursor *cursor)
{
	return cursor->position == cursor->count;
}

static bool next_chunk(struct bitmap_cursor *cursor)
{
	const struct row_set *rows = &cursor->answer->rows;

	if (cursor->descending) {
		if (cursor->chunk == 0)
			return false;
		cursor->chunk--;
		return rows->chunks[cursor->chunk].chunk >= cursor->low >> 20;
	}
	if (++cursor->chunk >= rows->count)
		return false;
	return rows->chunks[cursor->chunk].chunk <= cursor->high >> 20;
}

static int cursor_advance(struct bitmap_cursor *cursor)
{
	const struct row_set_chunk *chunk;

	while (chunk_exhausted(cursor)) {
		int code;

		if (!next_chunk(cursor)) {
			cursor->at_end = true;
			return SQLITE_OK;
		}
		code = chunk_load(cursor);
		if (code != SQLITE_OK)
			return code;
	}
	chunk = &cursor->answer->rows.chunks[cursor->chunk];
	if (cursor->descending)
		cursor->rowid = row_set_rowid(chunk, cursor->values[--cursor->position]);
	else
		cursor->rowid = row_set_rowid(chunk, cursor->values[cursor->position++]);
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	return cursor_advance((struct bitmap_cursor *)base);
}

static void range_empty(struct bitmap_cursor *cursor)
{
	cursor->low = 1;
	cursor->high = 0;
}

enum bound_side { BOUND_ABOVE, BOUND_BELOW };

/* Narrows the range to row ids from bound on, or up to it; strict leaves bound itself out. */
static void range_narrow_integer(struct bitmap_cursor *cursor, int64_t bound, enum bound_side side,
				 bool strict)
{
	if (strict && bound == (side == BOUND_ABOVE ? INT64_MAX : INT64_MIN)) {
		range_empty(cursor);
	} else if (side == BOUND_ABOVE) {
		bound += strict;
		cursor->low = bound > cursor->low ? bound : cursor->low;
	} else {
		bound -= strict;
		cursor->high = bound < cursor->high ? bound : cursor->high;
	}
}

static void range_narrow_real(struct bitmap_cursor *cursor, double bound, enum bound_side side,
			      bool strict)
{
	double whole = floor(bound);

	if (bound >= 0x1p63) {
		if (side == BOUND_ABOVE)
			range_empty(cursor);
	} else if (bound < -0x1p63) {
		if (side == BOUND_BELOW)
			range_empty(cursor);
	} else if (whole == bound) {
		range_narrow_integer(cursor, (int64_t)whole, side, strict);
	} else {
		/* Nothing lies on a fraction: from the next whole number on, or up to the last. */
		range_narrow_integer(cursor, (int64_t)whole, side, side == BOUND_ABOVE);
	}
}

/*
 * Narrows the range by one comparison. What is no number does not narrow it:
 * what it means SQLite knows better, which checks each row again.
 */
static void range_narrow(struct bitmap_cursor *cursor, sqlite3_value *value, enum bound_side side,
			 bool strict)
{
	switch (sqlite3_value_numeric_type(value)) {
	case SQLITE_NULL:
		range_empty(cursor);
		break;
	case SQLITE_INTEGER:
		range_narrow_integer(cursor, sqlite3_value_int64(value), side, strict);
		break;
	case SQLITE_FLOAT:
		range_narrow_real(cursor, sqlite3_value_double(value), side, strict);
		break;
	default:
		break;
	}
}

static int range_start(struct bitmap_cursor *cursor)
{
	const struct row_set *rows = &cursor->answer->rows;

	if (cursor->low > cursor->high || rows->count == 0)
		return SQLITE_OK;
	if (cursor->low == cursor->high) {
		cursor->at_end = !row_set_contains(rows, cursor->low);
		cursor->rowid = cursor->low;
		cursor->chunk = cursor->descending ? 0 : rows->count;
		return SQLITE_OK;
	}
	if (cursor->descending) {
		cursor->chunk = row_set_seek(rows, cursor->high);
		if (cursor->chunk == rows->count ||
		    rows->chunks[cursor->chunk].chunk > cursor->high >> 20) {
			if (cursor->chunk == 0)
				return SQLITE_OK;
			cursor->chunk--;
		}
	} else {
		cursor->chunk = row_set_seek(rows, cursor->low);
		if (cursor->chunk == rows->count)
			return SQLITE_OK;
	}
	cursor->at_end = false;
	if (chunk_load(cursor) != SQLITE_OK)
		return SQLITE_NOMEM;
	return cursor_advance(cursor);
}

/*
 * Answers the expression. A cursor lives as long as one run of its statement,
 * which sees one commit of the index: when a join asks the same again, the
 * answer at hand is still right.
 */
static int answer_get(struct bitmap_cursor *cursor, const char *expression, const char *schema)
{
	struct bitmap_table *table = (struct bitmap_table *)cursor->base.pVtab;
	struct message message;

	if (cursor->answer && answer_same_text(cursor->expression, expression) &&
	    answer_same_text(cursor->schema, schema))
		return SQLITE_OK;
	answer_forget(cursor);
	cursor->expression = sqlite3_mprintf("%s", expression);
	cursor->schema = schema ? sqlite3_mprintf("%s", schema) : NULL;
	if (!cursor->expression || (schema && !cursor->schema))
		return SQLITE_NOMEM;
	if (answer_cache_get(table->cache, schema, expression, &cursor->answer, &message) ==
	    STATUS_OK)
		return SQLITE_OK;
	table_error(cursor->base.pVtab, &message);
	return SQLITE_ERROR;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int plan, const char *name, int count,
			 sqlite3_value **arguments)
{
	struct bitmap_cursor *cursor = (struct bitmap_cursor *)base;
	const char *expression;
	const char *schema = NULL;
	struct message message;
	int next = 0;
	int code;

	(void)name;
	(void)count;
	range_reset(cursor);
	cursor->descending = plan & PLAN_DESCENDING;
	if (!(plan & PLAN_EXPRESSION)) {
		message_set(&message, STATUS_USAGE, "bitmap() needs an expression: bitmap('smb')");
		table_error(base->pVtab, &message);
		return SQLITE_ERROR;
	}
	expression = (const char *)sqlite3_value_text(arguments[next++]);
	if (plan & PLAN_SCHEMA)
		schema = (const char *)sqlite3_value_text(arguments[next++]);
	if (expression && strlen(expression) != (size_t)sqlite3_value_bytes(arguments[0])) {
		message_set(&message, STATUS_USAGE, "the expression has a zero byte");
		table_error(base->pVtab, &message);
		return SQLITE_ERROR;
	}
	/* NULL in, nothing out. */
	if (!expression || (plan & PLAN_SCHEMA && !schema))
		return SQLITE_OK;
	if (plan & PLAN_EQUAL) {
		range_narrow(cursor, arguments[next], BOUND_ABOVE, false);
		range_narrow(cursor, arguments[next++], BOUND_BELOW, false);
	}
	if (plan & PLAN_ABOVE)
		range_narrow(cursor, arguments[next++], BOUND_ABOVE, plan & PLAN_ABOVE_STRICT);
	if (plan & PLAN_BELOW)
		range_narrow(cursor, arguments[next++], BOUND_BELOW, plan & PLAN_BELOW_STRICT);
	code = answer_get(cursor, expression, schema);
	return code == SQLITE_OK ? range_start(cursor) : code;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	return ((struct bitmap_cursor *)base)->at_end;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct bitmap_cursor *cursor = (struct bitmap_cursor *)base;

	switch (column) {
	case COLUMN_VALUE:
		sqlite3_result_int64(context, cursor->rowid);
		break;
	case COLUMN_EXPRESSION:
		sqlite3_result_text(context, cursor->expression, -1, SQLITE_TRANSIENT);
		break;
	default:
		if (cursor->schema)
			sqlite3_result_text(context, cursor->schema, -1, SQLITE_TRANSIENT);
	}
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((struct bitmap_cursor *)base)->rowid;
	return SQLITE_OK;
}

/* Eponymous only: there is no CREATE VIRTUAL TABLE for it. */
static const sqlite3_module bitmap_module = {
	.xConnect = table_connect,
	.xBestIndex = table_best_index,
	.xDisconnect = table_disconnect,
	.xOpen = cursor_open,
	.xClose = cursor_close,
	.xFilter = cursor_filter,
	.xNext = cursor_next,
	.xEof = cursor_eof,
	.xColumn = cursor_column,
	.xRowid = cursor_rowid,
};

int bitmap_table_register(sqlite3 *database, struct answer_cache *cache)
{
	return sqlite3_create_module_v2(database, "bitmap", &bitmap_module,
					answer_cache_retain(cache), answer_cache_release);
}
