#include "rb_combine.h"

#include "rb_argument.h"
#include "row_set_algebra.h"

/* Both arguments of a function of two bitmaps. */
struct operands {
	struct answer *a;
	struct answer *b;
};

/* False where NULL or an error is the result; else free with operands_release. */
static bool operands_get(sqlite3_context *context, sqlite3_value **arguments,
			 struct operands *operands)
{
	*operands = (struct operands){0};
	if (rb_any_null(2, arguments))
		return false;
	operands->a = rb_set(context, arguments, 0);
	if (operands->a)
		operands->b = rb_set(context, arguments, 1);
	if (operands->b)
		return true;
	answer_release(operands->a);
	return false;
}

static void operands_release(struct operands *operands)
{
	answer_release(operands->a);
	answer_release(operands->b);
}

static void combine(sqlite3_context *context, sqlite3_value **arguments,
		    enum set_operation operation)
{
	struct operands operands;
	struct message message;
	struct row_set set;

	if (!operands_get(context, arguments, &operands))
		return;
	if (row_set_combine(&operands.a->rows, &operands.b->rows, operation, &set, &message) ==
	    STATUS_OK)
		rb_result_set(context, &set);
	else
		rb_fail(context, &message);
	operands_release(&operands);
}

static void count(sqlite3_context *context, sqlite3_value **arguments, enum set_operation operation)
{
	struct operands operands;

	if (!operands_get(context, arguments, &operands))
		return;
	sqlite3_result_int64(context, (sqlite3_int64)row_set_combined_rows(
					      &operands.a->rows, &operands.b->rows, operation));
	operands_release(&operands);
}

static void rb_and(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	combine(context, arguments, SET_AND);
}

static void rb_or(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	combine(context, arguments, SET_OR);
}

static void rb_xor(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	combine(context, arguments, SET_XOR);
}

static void rb_andnot(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	combine(context, arguments, SET_ANDNOT);
}

static void rb_and_cardinality(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	count(context, arguments, SET_AND);
}

static void rb_or_cardinality(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	count(context, arguments, SET_OR);
}

static void rb_xor_cardinality(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	count(context, arguments, SET_XOR);
}

static void rb_andnot_cardinality(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	count(context, arguments, SET_ANDNOT);
}

static void compare(sqlite3_context *context, sqlite3_value **arguments,
		    bool (*holds)(const struct row_set *a, const struct row_set *b), bool wanted)
{
	struct operands operands;

	if (!operands_get(context, arguments, &operands))
		return;
	sqlite3_result_int(context, holds(&operands.a->rows, &operands.b->rows) == wanted);
	operands_release(&operands);
}

static void rb_equals(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	compare(context, arguments, row_set_equals, true);
}

static void rb_not_equals(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	compare(context, arguments, row_set_equals, false);
}

static void rb_intersect(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	compare(context, arguments, row_set_intersects, true);
}

/* Whether the bitmap that is argument `whole` has all of `part`, a bitmap or an integer. */
static void contains(sqlite3_context *context, sqlite3_value **arguments, int whole, int part)
{
	struct answer *set;
	struct answer *other;

	if (rb_any_null(2, arguments) || !(set = rb_set(context, arguments, whole)))
		return;
	if (sqlite3_value_type(arguments[part]) == SQLITE_INTEGER) {
		sqlite3_result_int(context, row_set_contains(&set->rows,
							     sqlite3_value_int64(arguments[part])));
	} else if ((other = rb_set(context, arguments, part))) {
		sqlite3_result_int(context, row_set_is_subset(&other->rows, &set->rows));
		answer_release(other);
	}
	answer_release(set);
}

static void rb_contains(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	contains(context, arguments, 0, 1);
}

static void rb_containedby(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	(void)number;
	contains(context, arguments, 1, 0);
}

static void rb_jaccard_dist(sqlite3_context *context, int number, sqlite3_value **arguments)
{
	struct operands operands;
	uint64_t common;
	uint64_t all;

	(void)number;
	if (!operands_get(context, arguments, &operands))
		return;
	common = row_set_combined_rows(&operands.a->rows, &operands.b->rows, SET_AND);
	all = operands.a->rows.rows - common + operands.b->rows.rows;
	if (all)
		sqlite3_result_double(context, (double)common / (double)all);
	operands_release(&operands);
}

int rb_combine_register(sqlite3 *database)
{
	static const struct rb_function functions[] = {
		{"rb_and", 2, rb_and},
		{"rb_or", 2, rb_or},
		{"rb_xor", 2, rb_xor},
		{"rb_andnot", 2, rb_andnot},
		{"rb_and_cardinality", 2, rb_and_cardinality},
		{"rb_or_cardinality", 2, rb_or_cardinality},
		{"rb_xor_cardinality", 2, rb_xor_cardinality},
		{"rb_andnot_cardinality", 2, rb_andnot_cardinality},
		{"rb_equals", 2, rb_equals},
		{"rb_not_equals", 2, rb_not_equals},
		{"rb_intersect", 2, rb_intersect},
		{"rb_contains", 2, rb_contains},
		{"rb_containedby", 2, rb_containedby},
		{"rb_jaccard_dist", 2, rb_jaccard_dist},
	};

	return rb_functions_register(database, functions, sizeof(functions) / sizeof(*functions));
}
