#include "day_reader.h"

#include <stdlib.h>
#include <string.h>

#include "database/database.h"

/* julianday of a day at noon is a whole number, that of 1970-01-01 2440588. */
enum status day_reader_span(sqlite3 *database, const char *database_name,
			    const struct index_source *source, struct day_span *span, bool *found,
			    struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		database, &statement, message,
		"WITH days AS (SELECT day, rows FROM \"%w\".connbits_day WHERE filter IN (SELECT "
		"id FROM \"%w\".connbits_filter WHERE source = %lld AND name = %Q)), "
		"past AS (SELECT day FROM days WHERE day BETWEEN '0001-01-01' AND date('now') AND "
		"length(day) = 10), "
		"last AS (SELECT coalesce((SELECT max(day) FROM past WHERE day < date('now')), "
		"(SELECT max(day) FROM past)) AS day) "
		"SELECT CAST(julianday(day, '12:00') - 2440588 AS INTEGER), (SELECT "
		"CAST(max(total(rows), 0) AS INTEGER) FROM "
		"days WHERE (day > last.day OR length(day) > 10) AND day NOT LIKE '-%%'), (SELECT "
		"CAST(julianday(min(day), '12:00') - 2440588 AS INTEGER) FROM past) FROM last "
		"WHERE "
		"day IS NOT NULL",
		database_name, database_name, (long long)source->id, INDEX_ALL);

	*found = false;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		*found = sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
		span->last = sqlite3_column_int64(statement, 0);
		span->later = (uint64_t)sqlite3_column_int64(statement, 1);
		span->first = sqlite3_column_int64(statement, 2);
	}
	sqlite3_finalize(statement);
	return status;
}

struct day_reader {
	sqlite3_stmt *counts; /* ?1: filter, ?2: the last day, ?3: days */
};

enum status day_reader_open(sqlite3 *database, const char *database_name,
			    struct day_reader **reader, struct message *message)
{
	struct day_reader *opened = calloc(1, sizeof(*opened));
	enum status status = opened ? STATUS_OK : message_out_of_memory(message);

	*reader = opened;
	if (status == STATUS_OK)
		status = database_prepare(
			database, &opened->counts, message,
			"SELECT CAST(julianday(day, '12:00') - 2440588 AS INTEGER), rows FROM "
			"\"%w\".connbits_day WHERE filter = ?1 AND day BETWEEN date((?2 - ?3 + 1) "
			"* "
			"86400, 'unixepoch') AND date(?2 * 86400, 'unixepoch')",
			database_name);
	return status;
}

enum status day_reader_counts(struct day_reader *reader, int64_t filter, int64_t last,
			      uint64_t *rows, size_t count, struct message *message)
{
	int row = 1;
	enum status status = STATUS_OK;

	memset(rows, 0, count * sizeof(*rows));
	sqlite3_bind_int64(reader->counts, 1, filter);
	sqlite3_bind_int64(reader->counts, 2, last);
	sqlite3_bind_int64(reader->counts, 3, (int64_t)count);
	while (status == STATUS_OK) {
		int64_t back;

		status = database_step(reader->counts, &row, message);
		if (status != STATUS_OK || !row)
			break;
		back = last - sqlite3_column_int64(reader->counts, 0);
		if (back >= 0 && back < (int64_t)count &&
		    sqlite3_column_int64(reader->counts, 1) > 0)
			rows[count - 1 - (size_t)back] =
				(uint64_t)sqlite3_column_int64(reader->counts, 1);
	}
	sqlite3_reset(reader->counts);
	return status;
}

void day_reader_close(struct day_reader *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->counts);
	free(reader);
}
