#include "set_match_print.h"

#include <time.h>

#include "database/database.h"
#include "packet/instant.h"

enum { TIME_TEXT_SIZE = 40 };

static enum status time_bind(sqlite3_stmt *line, int place, int64_t microseconds,
			     char text[static TIME_TEXT_SIZE], struct message *message)
{
	const time_t seconds = (time_t)instant_floor(microseconds, 1000000);
	struct tm parts;

	if (microseconds == INSTANT_NONE || !gmtime_r(&seconds, &parts)) {
		sqlite3_bind_null(line, place);
		return STATUS_OK;
	}
	snprintf(text, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
		 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
	return database_bind_text(line, place, text, message);
}

static enum status match_write(sqlite3_stmt *line, struct row_output *output,
			       const struct set_match *match, struct message *message)
{
	enum { FIRST_END = 3, COLUMNS_AN_END = 3 };
	char texts[2][2][TIME_TEXT_SIZE];
	int row;
	enum status status = database_bind_text(line, 1, match->name, message);

	sqlite3_bind_int64(line, 2, (int64_t)match->entries);
	for (int i = 0; status == STATUS_OK && i < 2; i++) {
		const struct end_match *end = &match->ends[i];
		const int place = FIRST_END + i * COLUMNS_AN_END;

		sqlite3_bind_int64(line, place, (int64_t)end->rows);
		status = time_bind(line, place + 1, end->first, texts[i][0], message);
		if (status == STATUS_OK)
			status = time_bind(line, place + 2, end->last, texts[i][1], message);
	}
	if (status == STATUS_OK)
		status = database_step(line, &row, message);
	if (status == STATUS_OK)
		status = row_output_write(output, line, message);
	sqlite3_reset(line);
	return status;
}

enum status set_match_print(sqlite3 *database, const struct set_matches *matches,
			    enum row_format format, FILE *stream, struct message *message)
{
	struct row_output *output = NULL;
	sqlite3_stmt *line;
	enum status status = database_prepare(
		database, &line, message,
		"SELECT ?1 AS \"set\", ?2 AS entries, ?3 AS src_rows, ?4 AS src_first, ?5 AS "
		"src_last, ?6 AS dst_rows, ?7 AS dst_first, ?8 AS dst_last");

	if (status == STATUS_OK && !(output = row_output_open(stream, format, line)))
		status = message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < matches->count; i++)
		status = match_write(line, output, &matches->items[i], message);
	if (status == STATUS_OK)
		status = row_output_close(output, message);
	else
		row_output_abandon(output);
	sqlite3_finalize(line);
	return status;
}
