#include "facet_print.h"

#include <string.h>

#include "database/database.h"

/* SQLite holds each line while it is written: its values are as those of any row. */
static enum status line_write(sqlite3_stmt *line, struct row_output *output, const char *value,
			      uint64_t rows, struct message *message)
{
	int row;
	enum status status = STATUS_OK;

	if (value)
		status = database_bind_text(line, 1, value, message);
	else
		sqlite3_bind_null(line, 1);
	sqlite3_bind_int64(line, 2, (int64_t)rows);
	if (status == STATUS_OK)
		status = database_step(line, &row, message);
	if (status == STATUS_OK)
		status = row_output_write(output, line, message);
	sqlite3_reset(line);
	return status;
}

enum status facet_print(sqlite3 *database, const struct facet *facet, enum facet_by by,
			const struct row_print_options *options, FILE *stream,
			struct message *message)
{
	struct row_output *output = NULL;
	sqlite3_stmt *line;
	uint64_t left = options->limit;
	enum status status =
		database_prepare(database, &line, message, "SELECT ?1 AS value, ?2 AS rows");

	if (status == STATUS_OK && !(output = row_output_open(stream, options->format, line)))
		status = message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < facet->count && left > 0; i++, left--) {
		char text[FACET_TEXT_SIZE];

		facet_value_text(by, facet->values[i].value, text);
		status = line_write(line, output, text, facet->values[i].rows, message);
	}
	if (status == STATUS_OK && facet->without && left > 0)
		status = line_write(line, output, NULL, facet->without, message);
	if (status == STATUS_OK)
		status = row_output_close(output, message);
	else
		row_output_abandon(output);
	sqlite3_finalize(line);
	return status;
}
