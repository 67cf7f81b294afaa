#include "rb_member.h"

#include "rb_argument.h"
#include "result.h"
#include "set/row_set_algebra.h"
#include "set/row_set_range.h"

/* A bitmap and the integers behind it. */
struct call {
	struct shared_set *set;
	int64_t integers[5];
};

/* False where NULL or an error is the result; else the caller releases call->set. */
static bool call_read(sqlite3_context *context, int count, sqlite3_value **arguments,
		      struct call *call)
{
	*call = (struct call){0};
	if (rb_any_null(count, arguments))
		return false;
	for (int i = 1; i < count; i++)
		if (!rb_integer(context, arguments[i], &call->integers[i - 1]))
			return false;
	call->set = rb_set(context, arguments, 0);
	return call->set != NULL;
}

/* Makes a set that was made of the call's the result, or why there is none. */
static void call_finish(sqlite3_context *context, struct call *call, enum status status,
			struct row_set *set, const struct message *message)
{
	if (status == STATUS_OK)
		rb_result_set(context, set);
	else
		result_failure(context, message);
	shared_set_release(call->set);
}

static void rb_cardinality(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (!call_read(context, count, arguments, &call))
		return;
	sqlite3_result_int64(context, (sqlite3_int64)call.set->rows.rows);
	shared_set_release(call.set);
}

static void rb_is_empty(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (!call_read(context, count, arguments, &call))
		return;
	sqlite3_result_int(context, call.set->rows.rows == 0);
	shared_set_release(call.set);
}

enum end { LEAST, GREATEST };

static void extreme(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;
	int64_t value;
	bool any;

	if (!call_read(context, count, arguments, &call))
		return;
	any = rb_function_of(context)->kind == LEAST ? row_set_first(&call.set->rows, &value)
						     : row_set_last(&call.set->rows, &value);
	if (any)
		sqlite3_result_int64(context, value);
	shared_set_release(call.set);
}

static void rb_rank(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (!call_read(context, count, arguments, &call))
		return;
	sqlite3_result_int64(context,
			     (sqlite3_int64)row_set_rank(&call.set->rows, call.integers[0]) +
				     row_set_contains(&call.set->rows, call.integers[0]));
	shared_set_release(call.set);
}

static void rb_index(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (!call_read(context, count, arguments, &call))
		return;
	if (row_set_contains(&call.set->rows, call.integers[0]))
		sqlite3_result_int64(
			context, (sqlite3_int64)row_set_rank(&call.set->rows, call.integers[0]));
	else
		sqlite3_result_int64(context, -1);
	shared_set_release(call.set);
}

/* Combines the bitmap with the range first to last, both in it. */
static void with_range(sqlite3_context *context, struct call *call, int64_t first, int64_t last,
		       enum set_operation operation)
{
	struct row_set range;
	struct row_set set;
	struct message message;
	enum status status = row_set_make_range(first, last, &range, &message);

	if (status == STATUS_OK)
		status = row_set_combine(&call->set->rows, &range, operation, &set, &message);
	row_set_free(&range);
	call_finish(context, call, status, &set, &message);
}

static void one_changed(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (call_read(context, count, arguments, &call))
		with_range(context, &call, call.integers[0], call.integers[0],
			   (enum set_operation)rb_function_of(context)->kind);
}

/* Numbers from first to last, both in it; first > last for none. */
struct range {
	int64_t first;
	int64_t last;
};

/* As SQL has it: from a number to one that is not in it. */
static struct range range_of(int64_t from, int64_t to)
{
	return to > from ? (struct range){.first = from, .last = to - 1}
			 : (struct range){.first = 1, .last = 0};
}

static void range_changed(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;
	struct range range;

	if (!call_read(context, count, arguments, &call))
		return;
	range = range_of(call.integers[0], call.integers[1]);
	with_range(context, &call, range.first, range.last,
		   (enum set_operation)rb_function_of(context)->kind);
}

static void rb_range(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;
	struct range range;
	struct row_set part;
	struct message message;
	enum status status;

	if (!call_read(context, count, arguments, &call))
		return;
	range = range_of(call.integers[0], call.integers[1]);
	status = row_set_cut(&call.set->rows, range.first, range.last, &part, &message);
	call_finish(context, &call, status, &part, &message);
}

static void rb_range_cardinality(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;
	struct range range;

	if (!call_read(context, count, arguments, &call))
		return;
	range = range_of(call.integers[0], call.integers[1]);
	sqlite3_result_int64(context, (sqlite3_int64)row_set_range_rows(&call.set->rows,
									range.first, range.last));
	shared_set_release(call.set);
}

/* What lies before the range and what lies behind it: the range itself may be of any length. */
static enum status range_clear(const struct row_set *set, struct range range, struct row_set *left,
			       struct message *message)
{
	struct row_set before = {0};
	struct row_set behind = {0};
	enum status status = STATUS_OK;

	if (range.first > range.last)
		return row_set_cut(set, INT64_MIN, INT64_MAX, left, message);
	*left = (struct row_set){0};
	if (range.first > INT64_MIN)
		status = row_set_cut(set, INT64_MIN, range.first - 1, &before, message);
	if (status == STATUS_OK)
		status = row_set_cut(set, range.last + 1, INT64_MAX, &behind, message);
	if (status == STATUS_OK)
		status = row_set_combine(&before, &behind, SET_OR, left, message);
	row_set_free(&before);
	row_set_free(&behind);
	return status;
}

static void rb_clear(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;
	struct row_set left;
	struct message message;
	enum status status;

	if (!call_read(context, count, arguments, &call))
		return;
	status = range_clear(&call.set->rows, range_of(call.integers[0], call.integers[1]), &left,
			     &message);
	call_finish(context, &call, status, &left, &message);
}

/* Numbers of a set by their places: `limit` from `offset` on, counted from the other end too. */
static enum status places_cut(const struct row_set *set, uint64_t limit, uint64_t offset,
			      bool reverse, struct row_set *part, struct message *message)
{
	uint64_t first = offset;
	uint64_t count;

	*part = (struct row_set){0};
	if (offset >= set->rows || limit == 0)
		return STATUS_OK;
	count = limit < set->rows - offset ? limit : set->rows - offset;
	if (reverse)
		first = set->rows - offset - count;
	return row_set_cut(set, row_set_at(set, first), row_set_at(set, first + count - 1), part,
			   message);
}

static void rb_select(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;
	struct row_set range = {0};
	struct row_set part;
	struct message message;
	struct range bounds = {.first = INT64_MIN, .last = INT64_MAX};
	enum status status;

	if (count < 2 || count > 6) {
		sqlite3_result_error(context,
				     "rb_select(bitmap, limit, offset, reverse, from, to) takes 2 "
				     "to 6 arguments",
				     -1);
		return;
	}
	if (!call_read(context, count, arguments, &call))
		return;
	if (call.integers[0] < 0 || call.integers[1] < 0) {
		shared_set_release(call.set);
		sqlite3_result_error(context, "rb_select(): limit and offset are 0 or more", -1);
		return;
	}
	if (count > 4)
		bounds.first = call.integers[3];
	if (count > 5)
		bounds = range_of(call.integers[3], call.integers[4]);
	status = row_set_cut(&call.set->rows, bounds.first, bounds.last, &range, &message);
	if (status == STATUS_OK)
		status = places_cut(&range, (uint64_t)call.integers[0], (uint64_t)call.integers[1],
				    call.integers[2] != 0, &part, &message);
	row_set_free(&range);
	call_finish(context, &call, status, &part, &message);
}

static void shift(sqlite3_context *context, struct call *call, int64_t distance)
{
	struct row_set moved;
	struct message message;
	const enum status status = row_set_shift(&call->set->rows, distance, &moved, &message);

	call_finish(context, call, status, &moved, &message);
}

static void rb_shiftright(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (call_read(context, count, arguments, &call))
		shift(context, &call, call.integers[0]);
}

static void rb_shiftleft(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct call call;

	if (!call_read(context, count, arguments, &call))
		return;
	/* INT64_MIN has no opposite. */
	if (call.integers[0] == INT64_MIN) {
		shared_set_release(call.set);
		sqlite3_result_error(context, "rb_shiftleft(): the distance is too long", -1);
		return;
	}
	shift(context, &call, -call.integers[0]);
}

int rb_member_register(sqlite3 *database)
{
	static const struct rb_function functions[] = {
		{"rb_cardinality", 1, 0, false, rb_cardinality},
		{"rb_is_empty", 1, 0, false, rb_is_empty},
		{"rb_min", 1, LEAST, false, extreme},
		{"rb_max", 1, GREATEST, false, extreme},
		{"rb_rank", 2, 0, false, rb_rank},
		{"rb_index", 2, 0, false, rb_index},
		{"rb_add", 2, SET_OR, false, one_changed},
		{"rb_remove", 2, SET_ANDNOT, false, one_changed},
		{"rb_range", 3, 0, false, rb_range},
		{"rb_range_cardinality", 3, 0, false, rb_range_cardinality},
		{"rb_fill", 3, SET_OR, true, range_changed},
		{"rb_clear", 3, 0, false, rb_clear},
		{"rb_flip", 3, SET_XOR, true, range_changed},
		{"rb_select", -1, 0, false, rb_select},
		{"rb_shiftright", 2, 0, true, rb_shiftright},
		{"rb_shiftleft", 2, 0, true, rb_shiftleft},
	};

	return rb_functions_register(database, functions, sizeof(functions) / sizeof(*functions));
}
