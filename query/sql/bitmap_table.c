#include "bitmap_table.h"

#include <stddef.h>
#include <string.h>

#include "set_table.h"

/* An argument's text; NULL for one that was left out. */
static enum status argument_text(sqlite3_value *argument, const char **text,
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
			      struct answer **answer, struct message *message)
{
	const char *expression;
	const char *schema;
	enum status status = argument_text(arguments[0], &expression, message);

	if (status == STATUS_OK)
		status = argument_text(arguments[1], &schema, message);
	if (status == STATUS_OK)
		status = answer_cache_get(context, schema, expression, answer, message);
	return status;
}

static double bitmap_guess(void *context)
{
	return answer_cache_guess(context);
}

int bitmap_table_register(sqlite3 *database, struct answer_cache *cache)
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
