#include "bitmap_functions.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "facet_table.h"
#include "result.h"
#include "set_table.h"

/* What is kept with a statement for its first argument. */
struct kept {
	char *schema;		   /* the schema it was asked with; NULL without */
	struct shared_set *answer; /* NULL where only the number was asked for */
	uint64_t rows;
};

static void kept_free(void *data)
{
	struct kept *kept = data;

	shared_set_release(kept->answer);
	free(kept->schema);
	free(kept);
}

/* The argument's text; NULL for NULL, and where an error is the function's result. */
static const char *argument_text(sqlite3_context *context, sqlite3_value *argument)
{
	const char *text = (const char *)sqlite3_value_text(argument);

	if (!text && sqlite3_value_type(argument) != SQLITE_NULL)
		sqlite3_result_error_nomem(context);
	if (text && strlen(text) != (size_t)sqlite3_value_bytes(argument)) {
		sqlite3_result_error(context, "the expression has a zero byte", -1);
		return NULL;
	}
	return text;
}

/* Asks the cache: for the answer, or where that is not wanted for the number of its rows. */
static enum status kept_make(struct answer_cache *cache, const char *expression, const char *schema,
			     bool wants_answer, struct kept **kept, struct message *message)
{
	struct kept *made = calloc(1, sizeof(*made));
	enum status status = STATUS_OK;

	if (made && schema)
		made->schema = strdup(schema);
	if (!made || (schema && !made->schema))
		status = message_out_of_memory(message);
	if (status == STATUS_OK && wants_answer)
		status = answer_cache_get(cache, schema, expression, &made->answer, message);
	else if (status == STATUS_OK)
		status = answer_cache_count(cache, schema, expression, &made->rows, message);
	if (status == STATUS_OK)
		*kept = made;
	else if (made)
		kept_free(made);
	return status;
}

/*
 * What is kept for the first argument; `schema` is the argument's place or -1.
 * Kept with the statement, so that a constant expression is looked up once.
 * NULL where an error or NULL is the function's result.
 */
static const struct kept *argument_kept(sqlite3_context *context, sqlite3_value **arguments,
					int schema, bool wants_answer)
{
	const char *expression = argument_text(context, arguments[0]);
	const char *schema_name = schema < 0 ? NULL : argument_text(context, arguments[schema]);
	struct kept *kept = sqlite3_get_auxdata(context, 0);
	struct message message;

	if (!expression || (schema >= 0 && !schema_name))
		return NULL;
	if (kept && answer_same_text(kept->schema, schema_name))
		return kept;
	if (kept_make(sqlite3_user_data(context), expression, schema_name, wants_answer, &kept,
		      &message) != STATUS_OK) {
		result_failure(context, &message);
		return NULL;
	}
	sqlite3_set_auxdata(context, 0, kept, kept_free);
	/* SQLite may have let go of it at once, for want of memory, which it reports. */
	return sqlite3_get_auxdata(context, 0);
}

static const struct shared_set *argument_answer(sqlite3_context *context, sqlite3_value **arguments,
						int schema)
{
	const struct kept *kept = argument_kept(context, arguments, schema, true);

	return kept ? kept->answer : NULL;
}

static void bitmap_count(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const struct kept *kept = argument_kept(context, arguments, count > 1 ? 1 : -1, false);

	if (kept)
		sqlite3_result_int64(context, (sqlite3_int64)kept->rows);
}

/* What the cache holds, for whoever wonders where memory and time go. */
static void bitmap_cache(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct answer_cache_state state;
	char *text;

	(void)count;
	(void)arguments;
	answer_cache_look(sqlite3_user_data(context), &state);
	text = sqlite3_mprintf("{\"answers\":%llu,\"bytes\":%llu,\"bytes_max\":%d,"
			       "\"evaluated\":%llu,\"filters_read\":%llu}",
			       (unsigned long long)state.answers, (unsigned long long)state.bytes,
			       ANSWER_CACHE_BYTES, (unsigned long long)state.evaluated,
			       (unsigned long long)state.filters_read);
	if (text)
		sqlite3_result_text(context, text, -1, sqlite3_free);
	else
		sqlite3_result_error_nomem(context);
}

static void bitmap_contains(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const struct shared_set *answer;

	if (sqlite3_value_type(arguments[1]) == SQLITE_NULL)
		return;
	answer = argument_answer(context, arguments, count > 2 ? 2 : -1);
	if (!answer)
		return;
	if (sqlite3_value_numeric_type(arguments[1]) != SQLITE_INTEGER) {
		sqlite3_result_error(context, "bitmap_contains(): the row id is not an integer",
				     -1);
		return;
	}
	sqlite3_result_int(context,
			   row_set_contains(&answer->rows, sqlite3_value_int64(arguments[1])));
}

static void bitmap_blob(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const struct shared_set *answer = argument_answer(context, arguments, count > 1 ? 1 : -1);

	if (answer)
		result_set_blob(context, &answer->rows);
}

static void bitmap_table(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const char *expression = argument_text(context, arguments[0]);
	const char *schema = count > 1 ? argument_text(context, arguments[1]) : NULL;
	struct message message;
	char *table;

	if (!expression || (count > 1 && !schema))
		return;
	if (answer_cache_table(sqlite3_user_data(context), schema, expression, &table, &message) !=
	    STATUS_OK)
		result_failure(context, &message);
	else
		sqlite3_result_text(context, table, -1, free);
}

/* A table's argument's text; NULL for one that was left out. */
static enum status table_argument(sqlite3_value *argument, const char **text,
				  struct message *message)
{
	*text = argument ? (const char *)sqlite3_value_text(argument) : NULL;
	if (argument && !*text)
		return message_out_of_memory(message);
	if (*text && strlen(*text) != (size_t)sqlite3_value_bytes(argument))
		return message_set(message, STATUS_USAGE, "the expression has a zero byte");
	return STATUS_OK;
}

static enum status bitmap_get(void *context, sqlite3_value *const *arguments,
			      struct shared_set **answer, struct message *message)
{
	const char *expression;
	const char *schema;
	enum status status = table_argument(arguments[0], &expression, message);

	if (status == STATUS_OK)
		status = table_argument(arguments[1], &schema, message);
	if (status == STATUS_OK)
		status = answer_cache_get(context, schema, expression, answer, message);
	return status;
}

static double bitmap_guess(void *context)
{
	return answer_cache_guess(context);
}

static int table_register(sqlite3 *database, struct answer_cache *cache)
{
	static const struct set_table_kind kind = {
		.name = "bitmap",
		.declaration =
			"CREATE TABLE bitmap (value INTEGER, expression HIDDEN, schema HIDDEN)",
		.arguments = 2,
		.missing = "bitmap() needs an expression: bitmap('smb')",
		.get = bitmap_get,
		.guess = bitmap_guess,
	};

	return set_table_register(database, &kind, answer_cache_retain(cache),
				  answer_cache_release);
}

int bitmap_functions_register(sqlite3 *database, struct answer_cache *cache)
{
	static const struct {
		const char *name;
		int arguments;
		void (*function)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{"bitmap_count", 1, bitmap_count},	 {"bitmap_count", 2, bitmap_count},
		{"bitmap_contains", 2, bitmap_contains}, {"bitmap_contains", 3, bitmap_contains},
		{"bitmap_blob", 1, bitmap_blob},	 {"bitmap_blob", 2, bitmap_blob},
		{"bitmap_table", 1, bitmap_table},	 {"bitmap_table", 2, bitmap_table},
		{"bitmap_cache", 0, bitmap_cache},
	};
	int code = table_register(database, cache);

	if (code == SQLITE_OK)
		code = facet_table_register(database, cache);

	/*
	 * Not deterministic in SQLite's sense: the answer changes with the index. And not
	 * innocuous: a schema that is not trusted is not to read what lies in another file.
	 */
	for (size_t i = 0; code == SQLITE_OK && i < sizeof(functions) / sizeof(*functions); i++)
		code = sqlite3_create_function_v2(database, functions[i].name,
						  functions[i].arguments, SQLITE_UTF8,
						  answer_cache_retain(cache), functions[i].function,
						  NULL, NULL, answer_cache_release);
	return code;
}
