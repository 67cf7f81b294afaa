#include "notes_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"

enum status notes_find(sqlite3 *log, const char *database_name, const struct layout *layout,
		       int64_t last, bool *found, int64_t *row, struct message *message)
{
	sqlite3_stmt *statement;
	int any = 0;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT row FROM \"%w\".connbits_change WHERE table_name = %Q AND row <= %lld AND "
		"row >= (SELECT min(%s) FROM \"%w\".\"%w\") LIMIT 1",
		database_name, layout->table, (long long)last, layout->rowid, database_name,
		layout->table);

	if (status == STATUS_OK)
		status = database_step(statement, &any, message);
	*found = status == STATUS_OK && any;
	if (*found)
		*row = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

enum status notes_has_row(sqlite3 *log, const char *database_name, const struct layout *layout,
			  int64_t row, bool *noted, struct message *message)
{
	return database_asks(
		log, noted, message,
		"SELECT 1 FROM \"%w\".connbits_change WHERE table_name = %Q AND row = %lld",
		database_name, layout->table, (long long)row);
}

enum status notes_watch_read(sqlite3 *log, const char *database_name, const struct layout *layout,
			     struct notes_watch *watch, struct message *message)
{
	sqlite3_stmt *statement;
	const char *mark;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT last_row, round, ahead, mark FROM \"%w\".connbits_watch WHERE table_name = "
		"%Q",
		database_name, layout->table);

	*watch = (struct notes_watch){0};
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		watch->last_row = sqlite3_column_int64(statement, 0);
		watch->round = sqlite3_column_int64(statement, 1);
		watch->ahead = sqlite3_column_int64(statement, 2) != 0;
		mark = (const char *)sqlite3_column_text(statement, 3);
		snprintf(watch->mark, sizeof(watch->mark), "%s", mark ? mark : "");
		status = database_values(statement, status, message);
	}
	sqlite3_finalize(statement);
	return status;
}

static bool number_append(int64_t **numbers, size_t *count, size_t *capacity, int64_t number)
{
	if (*count == *capacity) {
		const size_t more = *capacity ? *capacity * 2 : 64;
		int64_t *larger = realloc(*numbers, more * sizeof(*larger));

		if (!larger)
			return false;
		*numbers = larger;
		*capacity = more;
	}
	(*numbers)[(*count)++] = number;
	return true;
}

/* One look-up a segment: a segment may have 65,536 notes. */
enum status notes_segments(sqlite3 *log, const struct layout *layout, int64_t **segments,
			   size_t *count, bool *damaged, struct message *message)
{
	sqlite3_stmt *statement;
	size_t capacity = 0;
	int64_t next = INT64_MIN;
	int row;
	enum status status =
		database_prepare(log, &statement, message,
				 "SELECT row FROM main.connbits_change WHERE table_name = %Q AND "
				 "row >= ?1 ORDER BY row LIMIT 1",
				 layout->table);

	*segments = NULL;
	*count = 0;
	*damaged = false;
	while (status == STATUS_OK) {
		int64_t segment;

		sqlite3_bind_int64(statement, 1, next);
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		*damaged = sqlite3_column_type(statement, 0) != SQLITE_INTEGER;
		if (*damaged)
			break;
		segment = segment_of(sqlite3_column_int64(statement, 0));
		if (!number_append(segments, count, &capacity, segment))
			status = message_out_of_memory(message);
		if (segment == segment_of(INT64_MAX))
			break;
		next = segment_first_row(segment + 1);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	if (status != STATUS_OK) {
		free(*segments);
		*segments = NULL;
	}
	return status;
}
