#include "facet_print.h"

#include <string.h>

#include "database/database.h"

enum { BAR_MAX = 40, TABLE_ROOM = 56 /* columns that value and rows take at the most */ };

/* What the lines of a facet are written with. */
struct printing {
	sqlite3_stmt *line;
	struct row_output *output;
	size_t bar;    /* columns of the longest bar; 0 for none */
	uint64_t most; /* rows that it stands for */
	struct message *message;
};

/* SQLite holds each line while it is written: its values are as those of any row. */
static enum status line_write(struct printing *printing, const char *value, uint64_t rows)
{
	char bar[BAR_MAX + 1];
	size_t length = 0;
	int row;
	enum status status = STATUS_OK;

	if (printing->most)
		length = (size_t)((double)rows / (double)printing->most * (double)printing->bar +
				  0.5);
	memset(bar, '#', sizeof(bar));
	bar[length < printing->bar ? length : printing->bar] = '\0';
	if (value)
		status = database_bind_text(printing->line, 1, value, printing->message);
	else
		sqlite3_bind_null(printing->line, 1);
	sqlite3_bind_int64(printing->line, 2, (int64_t)rows);
	if (status == STATUS_OK && printing->bar)
		status = database_bind_text(printing->line, 3, bar, printing->message);
	if (status == STATUS_OK)
		status = database_step(printing->line, &row, printing->message);
	if (status == STATUS_OK)
		status = row_output_write(printing->output, printing->line, printing->message);
	sqlite3_reset(printing->line);
	return status;
}

/* The most rows that a line has. */
static uint64_t most_rows(const struct facet *facet)
{
	uint64_t most = facet->without;

	for (size_t i = 0; i < facet->count; i++)
		if (facet->values[i].rows > most)
			most = facet->values[i].rows;
	return most;
}

static enum status lines_write(struct printing *printing, const struct facet *facet,
			       enum facet_by by, uint64_t limit)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < facet->count && limit > 0; i++, limit--) {
		char text[FACET_TEXT_SIZE];

		facet_value_text(by, &facet->values[i], text);
		status = line_write(printing, text, facet->values[i].rows);
	}
	if (status == STATUS_OK && facet->without && limit > 0)
		status = line_write(printing, NULL, facet->without);
	return status;
}

enum status facet_print(sqlite3 *database, const struct facet *facet, enum facet_by by,
			const struct row_print_options *options, size_t width, FILE *stream,
			struct message *message)
{
	const bool bars = options->format == ROW_TABLE && width > TABLE_ROOM;
	struct printing printing = {.most = most_rows(facet), .message = message};
	enum status status = database_prepare(database, &printing.line, message, "%s",
					      bars ? "SELECT ?1 AS value, ?2 AS rows, ?3 AS bar"
						   : "SELECT ?1 AS value, ?2 AS rows");

	if (bars)
		printing.bar = width - TABLE_ROOM < BAR_MAX ? width - TABLE_ROOM : BAR_MAX;
	if (status == STATUS_OK &&
	    !(printing.output = row_output_open(stream, options->format, printing.line)))
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = lines_write(&printing, facet, by, options->limit);
	if (status == STATUS_OK)
		status = row_output_close(printing.output, message);
	else
		row_output_abandon(printing.output);
	sqlite3_finalize(printing.line);
	return status;
}
