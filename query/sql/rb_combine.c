#include "rb_combine.h"

#include "rb_argument.h"
#include "result.h"
#include "set/row_set_algebra.h"

/* Both arguments of a function of two bitmaps. */
struct operands {
	struct shared_set *a;
	struct shared_set *b;
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
	shared_set_release(operands->a);
	return false;
}

static void operands_release(struct operands *operands)
{
	shared_set_release(operands->a);
	shared_set_release(operands->b);
}

static void combine(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const enum set_operation operation = (enum set_operation)rb_function_of(context)->kind;
	struct operands operands;
	struct message message;
	struct row_set set;

	(void)count;
	if (!operands_get(context, arguments, &operands))
		return;
	if (row_set_combine(&operands.a->rows, &operands.b->rows, operation, &set, &message) ==
	    STATUS_OK)
		rb_result_set(context, &set);
	else
		result_failure(context, &message);
	operands_release(&operands);
}

static void combined_cardinality(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const enum set_operation operation = (enum set_operation)rb_function_of(context)->kind;
	struct operands operands;

	(void)count;
	if (!operands_get(context, arguments, &operands))
		return;
	sqlite3_result_int64(context, (sqlite3_int64)row_set_combined_rows(
					      &operands.a->rows, &operands.b->rows, operation));
	operands_release(&operands);
}

enum comparison { EQUALS, NOT_EQUALS, INTERSECT };

static void compare(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct operands operands;
	bool holds;

	(void)count;
	if (!operands_get(context, arguments, &operands))
		return;
	switch ((enum comparison)rb_function_of(context)->kind) {
	case EQUALS:
		holds = row_set_equals(&operands.a->rows, &operands.b->rows);
		break;
	case NOT_EQUALS:
		holds = !row_set_equals(&operands.a->rows, &operands.b->rows);
		break;
	default:
		holds = row_set_intersects(&operands.a->rows, &operands.b->rows);
	}
	sqlite3_result_int(context, holds);
	operands_release(&operands);
}

/* Whether a bitmap, the argument with the number `kind`, has all of the other, maybe an integer. */
static void contains(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const int whole = rb_function_of(context)->kind;
	const int part = 1 - whole;
	struct shared_set *set;
	struct shared_set *other;

	(void)count;
	if (rb_any_null(2, arguments) || !(set = rb_set(context, arguments, whole)))
		return;
	if (sqlite3_value_type(arguments[part]) == SQLITE_INTEGER) {
		sqlite3_result_int(context, row_set_contains(&set->rows,
							     sqlite3_value_int64(arguments[part])));
	} else if ((other = rb_set(context, arguments, part))) {
		sqlite3_result_int(context, row_set_is_subset(&other->rows, &set->rows));
		shared_set_release(other);
	}
	shared_set_release(set);
}

static void rb_jaccard_dist(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct operands operands;
	uint64_t common;
	uint64_t all;

	(void)count;
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
		{"rb_and", 2, SET_AND, false, combine},
		{"rb_or", 2, SET_OR, false, combine},
		{"rb_xor", 2, SET_XOR, false, combine},
		{"rb_andnot", 2, SET_ANDNOT, false, combine},
		{"rb_and_cardinality", 2, SET_AND, false, combined_cardinality},
		{"rb_or_cardinality", 2, SET_OR, false, combined_cardinality},
		{"rb_xor_cardinality", 2, SET_XOR, false, combined_cardinality},
		{"rb_andnot_cardinality", 2, SET_ANDNOT, false, combined_cardinality},
		{"rb_equals", 2, EQUALS, false, compare},
		{"rb_not_equals", 2, NOT_EQUALS, false, compare},
		{"rb_intersect", 2, INTERSECT, false, compare},
		{"rb_contains", 2, 0, false, contains},
		{"rb_containedby", 2, 1, false, contains},
		{"rb_jaccard_dist", 2, 0, false, rb_jaccard_dist},
	};

	return rb_functions_register(database, functions, sizeof(functions) / sizeof(*functions));
}
