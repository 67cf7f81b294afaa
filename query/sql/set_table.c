#include "set_table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "result.h"
#include "set/row_set_cursor.h"
#include "value_range.h"

/*
 * What a probe costs, where reading the next row of a table costs 3 and seeking
 * a row id about 20: with it, a bitmap of up to half the rows drives a join.
 */
enum {
	PROBE_COST = 8,
	VARYING_PROBE_COST = 400, /* of arguments that are others with each probe */
};

enum { COLUMN_VALUE, COLUMN_ARGUMENTS };

/* idxNum of a plan: which constraints xFilter gets, in this order of arguments. */
enum {
	PLAN_ARGUMENT = 1, /* shifted left by the number of the argument */
	PLAN_EQUAL = 1 << SET_TABLE_ARGUMENTS_MAX,
	PLAN_ABOVE = PLAN_EQUAL << 1,
	PLAN_BELOW = PLAN_EQUAL << 2,
	PLAN_ABOVE_STRICT = PLAN_EQUAL << 3,
	PLAN_BELOW_STRICT = PLAN_EQUAL << 4,
	PLAN_DESCENDING = PLAN_EQUAL << 5,
};

struct registration {
	const struct set_table_kind *kind;
	void *context;
	void (*destroy)(void *context);
};

struct set_table {
	sqlite3_vtab base;
	const struct registration *registration;
	double interrupted; /* seconds, when planning was; 0 where it was not, or was told */
};

struct table_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_value *arguments[SET_TABLE_ARGUMENTS_MAX]; /* copies; NULL where left out */
	struct shared_set *answer;			   /* for them; NULL without */
	struct row_set_cursor walk;
};

static int table_connect(sqlite3 *database, void *context, int argument_count,
			 const char *const *arguments, sqlite3_vtab **out, char **error)
{
	const struct registration *registration = context;
	struct set_table *table;
	int code = sqlite3_declare_vtab(database, registration->kind->declaration);

	(void)argument_count;
	(void)arguments;
	(void)error;
	if (code != SQLITE_OK)
		return code;
	if (registration->kind->innocuous)
		sqlite3_vtab_config(database, SQLITE_VTAB_INNOCUOUS);
	table = sqlite3_malloc64(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	memset(table, 0, sizeof(*table));
	table->registration = registration;
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

/* Constraints of one query, by what they are good for; -1 where there is none. */
struct scan_plan {
	int arguments[SET_TABLE_ARGUMENTS_MAX];
	int equal;
	int above;
	int below;
	int flags;
	bool unusable; /* an argument is not known in this order of the join */
};

static void plan_bound(struct scan_plan *plan, int operation, int constraint)
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

static struct scan_plan plan_constraints(const sqlite3_index_info *info)
{
	struct scan_plan plan = {.equal = -1, .above = -1, .below = -1};

	for (size_t i = 0; i < SET_TABLE_ARGUMENTS_MAX; i++)
		plan.arguments[i] = -1;
	for (int i = 0; i < info->nConstraint; i++) {
		const int column = info->aConstraint[i].iColumn;
		const int operation = info->aConstraint[i].op;

		if (column >= COLUMN_ARGUMENTS) {
			if (operation != SQLITE_INDEX_CONSTRAINT_EQ)
				continue;
			if (info->aConstraint[i].usable)
				plan.arguments[column - COLUMN_ARGUMENTS] = i;
			else
				plan.unusable = true;
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

/* A constraint's constant; NULL where it is not known while planning. */
static sqlite3_value *constant(sqlite3_index_info *info, int constraint)
{
	sqlite3_value *value = NULL;

	if (constraint < 0 || sqlite3_vtab_rhs_value(info, constraint, &value) != SQLITE_OK)
		return NULL;
	return value;
}

static bool constant_integer(sqlite3_index_info *info, int constraint, int64_t *integer)
{
	sqlite3_value *value = constant(info, constraint);

	if (!value || sqlite3_value_type(value) != SQLITE_INTEGER)
		return false;
	*integer = sqlite3_value_int64(value);
	return true;
}

/* How many rows the plan's range leaves: exact for constants, half for each bound otherwise. */
static double range_rows(sqlite3_index_info *info, const struct scan_plan *plan,
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

/*
 * SQLite has no way to say that planning was interrupted. What is planned then is
 * not evaluated again, and the statement that was planned ends at its first step.
 */
static bool planning_interrupted(const struct set_table *table)
{
	static const double seconds_valid = 1;

	return table->interrupted > 0 && clock_seconds() - table->interrupted < seconds_valid;
}

/* The answer if all arguments that are given are constants; NULL otherwise, and on errors. */
static struct shared_set *constant_answer(struct set_table *table, sqlite3_index_info *info,
					  const struct scan_plan *plan)
{
	const struct set_table_kind *kind = table->registration->kind;
	sqlite3_value *arguments[SET_TABLE_ARGUMENTS_MAX] = {NULL};
	struct shared_set *answer;
	struct message message;

	if (planning_interrupted(table))
		return NULL;
	for (size_t i = 0; i < kind->arguments; i++) {
		arguments[i] = constant(info, plan->arguments[i]);
		if (arguments[i] && sqlite3_value_type(arguments[i]) == SQLITE_NULL)
			return NULL;
		if (!arguments[i] && (i == 0 || plan->arguments[i] >= 0))
			return NULL;
	}
	/* What cannot be answered is reported by xFilter. */
	if (kind->get(table->registration->context, arguments, &answer, &message) == STATUS_OK)
		return answer;
	if ((message.code & 0xff) == SQLITE_INTERRUPT)
		table->interrupted = clock_seconds();
	return NULL;
}

static void plan_cost(struct set_table *table, sqlite3_index_info *info,
		      const struct scan_plan *plan)
{
	const struct registration *registration = table->registration;
	struct shared_set *answer = constant_answer(table, info, plan);
	double rows;

	if (plan->equal >= 0) {
		info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
		info->estimatedRows = 1;
		info->estimatedCost = answer ? PROBE_COST : VARYING_PROBE_COST;
		shared_set_release(answer);
		return;
	}
	if (answer)
		rows = range_rows(info, plan, &answer->rows);
	else
		rows = registration->kind->guess(registration->context);
	shared_set_release(answer);
	info->estimatedRows = rows < 1 ? 1 : (sqlite3_int64)rows;
	info->estimatedCost = rows + 1;
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	struct set_table *table = (struct set_table *)base;
	struct scan_plan plan = plan_constraints(info);
	int argument = 0;

	if (plan.unusable)
		return SQLITE_CONSTRAINT;
	for (size_t i = 0; i < table->registration->kind->arguments; i++)
		plan.flags |=
			plan_use(info, plan.arguments[i], &argument, PLAN_ARGUMENT << i, true);
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
	/*
	 * SQLite asks for plans of a part of the terms too, of an OR say: one
	 * without the argument is no plan, and may not look cheaper than those
	 * that are.
	 */
	if (plan.arguments[0] < 0) {
		info->estimatedRows = INT64_MAX / 2;
		info->estimatedCost = 1e99;
		return SQLITE_OK;
	}
	plan_cost(table, info, &plan);
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct table_cursor *cursor = calloc(1, sizeof(*cursor));

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	*out = &cursor->base;
	return SQLITE_OK;
}

static void answer_forget(struct table_cursor *cursor)
{
	shared_set_release(cursor->answer);
	cursor->answer = NULL;
	for (size_t i = 0; i < SET_TABLE_ARGUMENTS_MAX; i++) {
		sqlite3_value_free(cursor->arguments[i]);
		cursor->arguments[i] = NULL;
	}
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	struct table_cursor *cursor = (struct table_cursor *)base;

	answer_forget(cursor);
	row_set_cursor_free(&cursor->walk);
	free(cursor);
	return SQLITE_OK;
}

static bool same_bytes(sqlite3_value *a, sqlite3_value *b)
{
	const void *first = sqlite3_value_blob(a);
	const void *second = sqlite3_value_blob(b);
	const int size = sqlite3_value_bytes(a);

	if (size != sqlite3_value_bytes(b))
		return false;
	return size == 0 || (first && second && memcmp(first, second, (size_t)size) == 0);
}

/* The same text, or the same blob; for arguments of other types it does not matter. */
static bool same_argument(sqlite3_value *a, sqlite3_value *b)
{
	if (!a || !b)
		return a == b;
	switch (sqlite3_value_type(a)) {
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		return sqlite3_value_type(a) == sqlite3_value_type(b) && same_bytes(a, b);
	default:
		return false;
	}
}

/*
 * The answer for the arguments. A cursor lives as long as one run of its
 * statement, which sees one commit of an index: when a join asks the same
 * again, the answer at hand is still right.
 */
static int answer_get(struct table_cursor *cursor, sqlite3_value *const *arguments)
{
	const struct set_table *table = (const struct set_table *)cursor->base.pVtab;
	const struct set_table_kind *kind = table->registration->kind;
	struct message message;
	bool same = cursor->answer != NULL;

	for (size_t i = 0; same && i < kind->arguments; i++)
		same = same_argument(cursor->arguments[i], arguments[i]);
	if (same)
		return SQLITE_OK;
	answer_forget(cursor);
	for (size_t i = 0; i < kind->arguments; i++) {
		if (!arguments[i])
			continue;
		cursor->arguments[i] = sqlite3_value_dup(arguments[i]);
		if (!cursor->arguments[i])
			return SQLITE_NOMEM;
	}
	if (kind->get(table->registration->context, arguments, &cursor->answer, &message) ==
	    STATUS_OK)
		return SQLITE_OK;
	return table_fail(cursor->base.pVtab, &message);
}

/* Takes the bounds, which stand in `values` behind the arguments. */
static struct value_range range_of(int plan, sqlite3_value **values)
{
	struct value_range range = value_range_all();

	if (plan & PLAN_EQUAL) {
		value_range_narrow(&range, *values, BOUND_ABOVE, false);
		value_range_narrow(&range, *values++, BOUND_BELOW, false);
	}
	if (plan & PLAN_ABOVE)
		value_range_narrow(&range, *values++, BOUND_ABOVE, plan & PLAN_ABOVE_STRICT);
	if (plan & PLAN_BELOW)
		value_range_narrow(&range, *values, BOUND_BELOW, plan & PLAN_BELOW_STRICT);
	return range;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int plan, const char *name, int count,
			 sqlite3_value **values)
{
	struct table_cursor *cursor = (struct table_cursor *)base;
	struct set_table *table = (struct set_table *)base->pVtab;
	const struct set_table_kind *kind = table->registration->kind;
	sqlite3_value *arguments[SET_TABLE_ARGUMENTS_MAX] = {NULL};
	struct value_range range;
	struct message message;
	int code;

	(void)name;
	(void)count;
	cursor->walk.at_end = true;
	if (planning_interrupted(table)) {
		table->interrupted = 0;
		message_wrap(&message, STATUS_FAILED, SQLITE_INTERRUPT, "interrupted");
		return table_fail(base->pVtab, &message);
	}
	if (!(plan & PLAN_ARGUMENT)) {
		message_set(&message, STATUS_USAGE, "%s", kind->missing);
		return table_fail(base->pVtab, &message);
	}
	for (size_t i = 0; i < kind->arguments; i++)
		if (plan & PLAN_ARGUMENT << i)
			arguments[i] = *values++;
	/* NULL in, nothing out. */
	for (size_t i = 0; i < kind->arguments; i++)
		if (arguments[i] && sqlite3_value_type(arguments[i]) == SQLITE_NULL)
			return SQLITE_OK;
	range = range_of(plan, values);
	code = answer_get(cursor, arguments);
	if (code != SQLITE_OK)
		return code;
	if (row_set_cursor_start(&cursor->walk, &cursor->answer->rows, range.low, range.high,
				 plan & PLAN_DESCENDING, &message) != STATUS_OK)
		return table_fail(base->pVtab, &message);
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	struct table_cursor *cursor = (struct table_cursor *)base;
	struct message message;

	if (row_set_cursor_next(&cursor->walk, &message) != STATUS_OK)
		return table_fail(base->pVtab, &message);
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	return ((struct table_cursor *)base)->walk.at_end;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct table_cursor *cursor = (struct table_cursor *)base;

	if (column == COLUMN_VALUE)
		sqlite3_result_int64(context, cursor->walk.rowid);
	else if (cursor->arguments[column - COLUMN_ARGUMENTS])
		sqlite3_result_value(context, cursor->arguments[column - COLUMN_ARGUMENTS]);
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((struct table_cursor *)base)->walk.rowid;
	return SQLITE_OK;
}

/* Eponymous only: there is no CREATE VIRTUAL TABLE for it. */
static const sqlite3_module set_module = {
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

static void registration_free(void *data)
{
	struct registration *registration = data;

	if (registration->destroy)
		registration->destroy(registration->context);
	free(registration);
}

int set_table_register(sqlite3 *database, const struct set_table_kind *kind, void *context,
		       void (*destroy)(void *context))
{
	struct registration *registration = malloc(sizeof(*registration));

	if (!registration) {
		if (destroy)
			destroy(context);
		return SQLITE_NOMEM;
	}
	*registration = (struct registration){.kind = kind, .context = context, .destroy = destroy};
	return sqlite3_create_module_v2(database, kind->name, &set_module, registration,
					registration_free);
}
