#include "rb_aggregate.h"

#include <stdint.h>

#include "rb_argument.h"
#include "result.h"
#include "set/row_set_builder.h"
#include "set/row_set_levels.h"

/* What an aggregate does with what it is given. */
enum fold { FOLD_BUILD, FOLD_AND, FOLD_OR, FOLD_XOR };

struct aggregate {
	const char *name;
	enum fold fold;
	bool counts; /* the result is the cardinality */
};

static const struct aggregate aggregates[] = {
	{"rb_build_agg", FOLD_BUILD, false},
	{"rb_and_agg", FOLD_AND, false},
	{"rb_or_agg", FOLD_OR, false},
	{"rb_xor_agg", FOLD_XOR, false},
	{"rb_and_cardinality_agg", FOLD_AND, true},
	{"rb_or_cardinality_agg", FOLD_OR, true},
	{"rb_xor_cardinality_agg", FOLD_XOR, true},
};

/* One group's state; SQLite makes it of zeros. */
struct aggregate_state {
	struct row_set_builder builder; /* of numbers */
	struct row_set_levels levels;	/* of bitmaps */
	uint64_t inside;		/* values in the window: without any the result is NULL */
};

static const struct aggregate *aggregate_of(sqlite3_context *context)
{
	return sqlite3_user_data(context);
}

static enum set_operation fold_operation(enum fold fold)
{
	return fold == FOLD_AND ? SET_AND : fold == FOLD_XOR ? SET_XOR : SET_OR;
}

/* All that was given as one set, which stays the state's. */
static enum status state_settle(struct aggregate_state *state, enum fold fold, struct row_set **set,
				struct message *message)
{
	if (fold == FOLD_BUILD)
		return row_set_builder_settle(&state->builder, set, message);
	*set = &state->levels.sets[0];
	return row_set_levels_settle(&state->levels, fold_operation(fold), message);
}

static enum status bitmap_take(sqlite3_context *context, struct aggregate_state *state,
			       sqlite3_value *value, struct message *message)
{
	struct row_set set;
	enum status status = rb_set_read(sqlite3_context_db_handle(context), value, &set, message);

	if (status == STATUS_OK)
		status = row_set_levels_push(
			&state->levels, fold_operation(aggregate_of(context)->fold), &set, message);
	return status;
}

static void aggregate_step(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct aggregate_state *state = sqlite3_aggregate_context(context, sizeof(*state));
	struct message message;
	enum status status;
	int64_t number;

	if (!state) {
		sqlite3_result_error_nomem(context);
		return;
	}
	if (rb_any_null(count, arguments))
		return;
	if (aggregate_of(context)->fold != FOLD_BUILD) {
		status = bitmap_take(context, state, arguments[0], &message);
	} else {
		if (!rb_integer(context, arguments[0], &number))
			return;
		status = row_set_builder_add(&state->builder, number, &message);
	}
	state->inside++;
	if (status != STATUS_OK)
		result_failure(context, &message);
}

/* Of what leaves a window: only xor can take back what it was given. */
static void aggregate_inverse(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct aggregate_state *state = sqlite3_aggregate_context(context, sizeof(*state));
	struct message message;

	if (!state || rb_any_null(count, arguments))
		return;
	state->inside--;
	if (aggregate_of(context)->fold != FOLD_XOR)
		message_set(&message, STATUS_USAGE,
			    "%s(): a window whose start moves is not possible, only one that grows",
			    aggregate_of(context)->name);
	else if (bitmap_take(context, state, arguments[0], &message) == STATUS_OK)
		return;
	result_failure(context, &message);
}

static void result_make(sqlite3_context *context, struct aggregate_state *state)
{
	const struct aggregate *aggregate = aggregate_of(context);
	struct row_set *set;
	struct message message;

	if (state_settle(state, aggregate->fold, &set, &message) != STATUS_OK)
		result_failure(context, &message);
	else if (aggregate->counts)
		sqlite3_result_int64(context, (sqlite3_int64)set->rows);
	else
		result_set_blob(context, set);
}

static void aggregate_value(sqlite3_context *context)
{
	struct aggregate_state *state = sqlite3_aggregate_context(context, 0);

	if (state && state->inside)
		result_make(context, state);
}

static void aggregate_final(sqlite3_context *context)
{
	struct aggregate_state *state = sqlite3_aggregate_context(context, 0);

	if (!state)
		return;
	if (state->inside)
		result_make(context, state);
	row_set_builder_free(&state->builder);
	row_set_levels_free(&state->levels);
}

int rb_aggregate_register(sqlite3 *database)
{
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < sizeof(aggregates) / sizeof(*aggregates); i++)
		code = sqlite3_create_window_function(
			database, aggregates[i].name, 1,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
			(void *)&aggregates[i], aggregate_step, aggregate_final, aggregate_value,
			aggregate_inverse, NULL);
	return code;
}
