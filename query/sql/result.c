#include "result.h"

#include "set/row_set_blob.h"

int result_code(const struct message *message)
{
	return message->code ? message->code : SQLITE_ERROR;
}

void result_failure(sqlite3_context *context, const struct message *message)
{
	if (message->code == SQLITE_NOMEM) {
		sqlite3_result_error_nomem(context);
		return;
	}
	sqlite3_result_error(context, message->text, -1);
	/* It keeps the text. */
	sqlite3_result_error_code(context, result_code(message));
}

void result_set_blob(sqlite3_context *context, const struct row_set *set)
{
	sqlite3 *database = sqlite3_context_db_handle(context);
	struct message message;
	uint8_t *bytes;
	size_t size;

	if (row_set_export_size(set) > (size_t)sqlite3_limit(database, SQLITE_LIMIT_LENGTH, -1))
		sqlite3_result_error_toobig(context);
	else if (row_set_export(set, &bytes, &size, &message) == STATUS_OK)
		sqlite3_result_blob64(context, bytes, size, sqlite3_free);
	else
		result_failure(context, &message);
}
