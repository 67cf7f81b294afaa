#include "row_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "database/table.h"
#include "set/row_set_blob.h"
#include "set/row_set_cursor.h"

/*
 * Calls visit for each row id, ascending, until it fails or has counted as many
 * as the limit: a row that is gone from the log does not count.
 */
static enum status for_each_row(const struct row_set *rows, uint64_t limit,
				enum status (*visit)(void *context, int64_t rowid, bool *counted),
				void *context, struct message *message)
{
	struct row_set_cursor cursor = {0};
	enum status status =
		row_set_cursor_start(&cursor, rows, INT64_MIN, INT64_MAX, false, message);

	while (status == STATUS_OK && limit > 0 && !cursor.at_end) {
		bool counted = true;

		status = visit(context, cursor.rowid, &counted);
		limit -= counted;
		if (status == STATUS_OK)
			status = row_set_cursor_next(&cursor, message);
	}
	row_set_cursor_free(&cursor);
	return status;
}

struct id_printer {
	FILE *stream;
	struct message *message;
};

static enum status print_id(void *context, int64_t rowid, bool *counted)
{
	struct id_printer *printer = context;

	*counted = true;
	if (fprintf(printer->stream, "%" PRId64 "\n", rowid) < 0)
		return message_set(printer->message, STATUS_FAILED, "cannot write the output: %s",
				   strerror(errno));
	return STATUS_OK;
}

enum status row_print_ids(const struct row_set *rows, uint64_t limit, FILE *stream,
			  struct message *message)
{
	struct id_printer printer = {.stream = stream, .message = message};

	return for_each_row(rows, limit, print_id, &printer, message);
}

struct row_printer {
	struct moment *moment;
	sqlite3_stmt *statement;
	struct row_output *output;
	uint64_t missing;
	struct message *message;
};

static enum status print_row(void *context, int64_t rowid, bool *counted)
{
	struct row_printer *printer = context;
	int row = 0;
	enum status status = moment_row(printer->moment, rowid, printer->message);

	sqlite3_bind_int64(printer->statement, 1, rowid);
	if (status == STATUS_OK)
		status = database_step(printer->statement, &row, printer->message);
	if (status == STATUS_OK && row)
		status = row_output_write(printer->output, printer->statement, printer->message);
	else if (status == STATUS_OK)
		printer->missing++;
	*counted = row;
	sqlite3_reset(printer->statement);
	return status;
}

static enum status column_check(sqlite3 *database, const struct layout *layout, const char *column,
				struct message *message)
{
	bool found;
	enum status status =
		table_has_column(database, "main", layout->table, column, &found, message);

	if (status == STATUS_OK && !found && sqlite3_stricmp(column, "rowid") != 0 &&
	    sqlite3_stricmp(column, "_rowid_") != 0 && sqlite3_stricmp(column, "oid") != 0)
		status = message_set(message, STATUS_USAGE,
				     "--columns: the table '%.200s' has no column '%.200s'",
				     layout->table, column);
	return status;
}

/* "a,b,c" as quoted identifiers; "*" for NULL. sqlite3_free *list. */
static enum status column_list(sqlite3 *database, const struct layout *layout, const char *columns,
			       char **list, struct message *message)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	enum status status = STATUS_OK;

	if (!columns)
		sqlite3_str_appendall(text, "*");
	while (status == STATUS_OK && columns) {
		const char *comma = strchr(columns, ',');
		size_t length = comma ? (size_t)(comma - columns) : strlen(columns);
		char *column = strndup(columns, length);

		status = column ? column_check(database, layout, column, message)
				: message_out_of_memory(message);
		if (column)
			sqlite3_str_appendf(text, "\"%w\" AS \"%w\"%s", column, column,
					    comma ? ", " : "");
		free(column);
		columns = comma ? comma + 1 : NULL;
	}
	*list = sqlite3_str_finish(text);
	if (status == STATUS_OK && !*list)
		status = message_out_of_memory(message);
	return status;
}

enum status row_print_rows(struct moment *moment, const struct row_set *rows,
			   const struct row_print_options *options, FILE *stream, uint64_t *missing,
			   struct message *message)
{
	sqlite3 *database = moment->database;
	struct layout *layout = &moment->index->source.layout;
	struct row_printer printer = {.moment = moment, .message = message};
	char *list = NULL;
	enum status status = layout_check(database, "main", layout, message);

	*missing = 0;
	if (status == STATUS_OK)
		status = column_list(database, layout, options->columns, &list, message);
	if (status == STATUS_OK)
		status = database_prepare(database, &printer.statement, message,
					  "SELECT %s FROM main.\"%w\" WHERE %s = ?1", list,
					  layout->table, layout->rowid);
	sqlite3_free(list);
	if (status == STATUS_OK &&
	    !(printer.output = row_output_open(stream, options->format, printer.statement)))
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = for_each_row(rows, options->limit, print_row, &printer, message);
	if (status == STATUS_OK)
		status = row_output_close(printer.output, message);
	else
		row_output_abandon(printer.output);
	sqlite3_finalize(printer.statement);
	*missing = printer.missing;
	return status;
}

enum status row_print_bitmap(const struct row_set *rows, FILE *stream, struct message *message)
{
	uint8_t *bytes;
	size_t size;
	enum status status = row_set_export(rows, &bytes, &size, message);

	if (status == STATUS_OK && fwrite(bytes, 1, size, stream) != size)
		status = message_set(message, STATUS_FAILED, "cannot write the output: %s",
				     strerror(errno));
	sqlite3_free(bytes);
	return status;
}
