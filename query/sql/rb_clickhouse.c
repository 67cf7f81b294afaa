#include "rb_clickhouse.h"

#include "rb_argument.h"
#include "result.h"
#include "set/group_bitmap.h"

/* Which width is asked for, or else the narrowest; false where an error is now the result. */
static bool width_read(sqlite3_context *context, int count, sqlite3_value **arguments,
		       const struct row_set *set, enum group_bitmap_width *width)
{
	int64_t bits;

	*width = group_bitmap_width(set);
	if (count < 2)
		return true;
	if (!rb_integer(context, arguments[1], &bits))
		return false;
	if (bits != 32 && bits != 64) {
		sqlite3_result_error(context,
				     "rb_to_clickhouse(bitmap, bits): bits are 32 or 64, for "
				     "a column of UInt32 or UInt64",
				     -1);
		return false;
	}
	*width = bits == 32 ? GROUP_BITMAP_32 : GROUP_BITMAP_64;
	return true;
}

static void result_state(sqlite3_context *context, const struct row_set *set,
			 enum group_bitmap_width width)
{
	sqlite3 *database = sqlite3_context_db_handle(context);
	struct message message;
	uint8_t *bytes;
	size_t size;

	if (group_bitmap_size(set, width) >
	    (size_t)sqlite3_limit(database, SQLITE_LIMIT_LENGTH, -1))
		sqlite3_result_error_toobig(context);
	else if (group_bitmap_export(set, width, &bytes, &size, &message) == STATUS_OK)
		sqlite3_result_blob64(context, bytes, size, sqlite3_free);
	else
		result_failure(context, &message);
}

static void rb_to_clickhouse(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	enum group_bitmap_width width;
	struct shared_set *set;

	if (rb_any_null(count, arguments) || !(set = rb_set(context, arguments, 0)))
		return;
	if (width_read(context, count, arguments, &set->rows, &width))
		result_state(context, &set->rows, width);
	shared_set_release(set);
}

static void rb_from_clickhouse(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct message message;
	struct row_set set;

	if (rb_any_null(count, arguments))
		return;
	if (sqlite3_value_type(arguments[0]) != SQLITE_BLOB) {
		sqlite3_result_error(context, "rb_from_clickhouse() needs the state as a blob", -1);
		return;
	}
	const void *bytes = sqlite3_value_blob(arguments[0]);
	const size_t size = (size_t)sqlite3_value_bytes(arguments[0]);

	if (group_bitmap_import(bytes, size, &set, &message) == STATUS_OK)
		rb_result_set(context, &set);
	else
		result_failure(context, &message);
}

int rb_clickhouse_register(sqlite3 *database)
{
	static const struct rb_function functions[] = {
		{"rb_to_clickhouse", 1, 0, false, rb_to_clickhouse},
		{"rb_to_clickhouse", 2, 0, false, rb_to_clickhouse},
		{"rb_from_clickhouse", 1, 0, false, rb_from_clickhouse},
	};

	return rb_functions_register(database, functions, sizeof(functions) / sizeof(*functions));
}
