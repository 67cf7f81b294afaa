/*
 * The arguments of the rb_ functions: bitmaps as portable Roaring blobs, or as
 * JSON arrays of integers, and integers.
 */
#ifndef CONNBITS_SQL_RB_ARGUMENT_H
#define CONNBITS_SQL_RB_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/answer.h"
#include "base/message.h"
#include "database/sqlite.h"

/* One function as sqlite3_create_function_v2 wants it. */
struct rb_function {
	const char *name;
	int arguments; /* -1 for any number */
	int kind;      /* which of several that share a function */
	bool grows;    /* it may take more than a small multiple of its arguments' memory */
	void (*function)(sqlite3_context *, int, sqlite3_value **);
};

/* The function that is called. */
static inline const struct rb_function *rb_function_of(sqlite3_context *context)
{
	return sqlite3_user_data(context);
}

/*
 * Registers functions, all of them deterministic, and innocuous but for those that grow: a
 * schema that is not trusted may call what takes no more than it is given. The list has to
 * outlive the connection. Returns a SQLite code.
 */
int rb_functions_register(sqlite3 *database, const struct rb_function *functions, size_t count);

/* True if an argument is NULL: then so is the result. */
bool rb_any_null(int count, sqlite3_value **arguments);

/*
 * Reads a bitmap, given as a blob or as a JSON array. STATUS_FAILED says what is wrong
 * with it. On success the caller frees *set with row_set_free.
 */
enum status rb_set_read(sqlite3 *database, sqlite3_value *value, struct row_set *set,
			struct message *message);

/*
 * The bitmap that is argument `number`, kept with the statement where it is
 * constant. NULL where an error is now the function's result; else the caller
 * releases it.
 */
struct shared_set *rb_set(sqlite3_context *context, sqlite3_value **arguments, int number);

/* Reads an integer; false where an error is now the function's result. */
bool rb_integer(sqlite3_context *context, sqlite3_value *value, int64_t *integer);

/* Makes a set the function's result, as a blob, and frees it. */
void rb_result_set(sqlite3_context *context, struct row_set *set);

#endif
