#include "rb_iterate.h"

#include "rb_argument.h"
#include "set_table.h"

static enum status bitmap_get(void *context, sqlite3_value *const *arguments,
			      struct answer **answer, struct message *message)
{
	enum status status;

	*answer = answer_new();
	if (!*answer)
		return message_out_of_memory(message);
	status = rb_set_read(context, arguments[0], &(*answer)->rows, message);
	if (status != STATUS_OK) {
		answer_release(*answer);
		*answer = NULL;
	}
	return status;
}

/* As little is known as of any other table-valued function. */
static double bitmap_guess(void *context)
{
	(void)context;
	return 1000;
}

int rb_iterate_register(sqlite3 *database)
{
	static const struct set_table_kind kind = {
		.name = "rb_iterate",
		.declaration = "CREATE TABLE rb_iterate (value INTEGER, bitmap HIDDEN)",
		.arguments = 1,
		.missing = "rb_iterate() needs a bitmap: rb_iterate(rb_build(1, 2, 3))",
		.get = bitmap_get,
		.guess = bitmap_guess,
	};

	return set_table_register(database, &kind, database, NULL);
}
