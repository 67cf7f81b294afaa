#include "log_reader.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/rowid.h"
#include "database/database.h"
#include "database/immutable.h"
#include "packet/instant.h"
#include "page_reader.h"
#include "row_calls.h"
#include "row_steps.h"

/* The first row of a segment, and then one of the next so many, is read both ways. */
enum { SAMPLE_ROWS = 8192 };

struct log_reader {
	const struct log *log;
	struct row_steps *steps;
	struct row_calls *calls;   /* NULL where rows have to be stepped over */
	struct page_reader *pages; /* NULL where they are not to be read */
	struct connection_memo *memo;
	struct log_reading reading;
	uint64_t random; /* not 0 */
};

enum status log_reader_open(const struct log *log, struct log_reader **reader,
			    struct message *message)
{
	struct log_reader *opened = calloc(1, sizeof(*opened));
	sqlite3 *database;
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->log = log;
	opened->random = (uint64_t)(clock_seconds() * 1e9) | 1;
	opened->memo = connection_memo_new();
	status = opened->memo ? row_steps_open(log, &opened->steps, message)
			      : message_out_of_memory(message);
	/* Where an expression may fail its row is found by stepping. */
	if (status == STATUS_OK && !layout_has_expressions(&log->layout)) {
		database = row_connection_database(row_steps_connection(opened->steps));
		status = row_calls_open(log, database, &opened->calls, message);
		if (status == STATUS_OK && log->read != LOG_READ_SQL &&
		    !(opened->pages = page_reader_new(database, &log->layout)))
			status = message_out_of_memory(message);
	}
	if (status == STATUS_OK) {
		*reader = opened;
		return status;
	}
	log_reader_close(opened);
	return status;
}

void log_reader_close(struct log_reader *reader)
{
	if (!reader)
		return;
	page_reader_free(reader->pages);
	row_calls_close(reader->calls);
	row_steps_close(reader->steps);
	connection_memo_free(reader->memo);
	free(reader);
}

static sqlite3 *reader_database(const struct log_reader *reader)
{
	return row_connection_database(row_steps_connection(reader->steps));
}

enum status log_reader_next_segment(struct log_reader *reader, int64_t from, int64_t *number,
				    bool *found, struct message *message)
{
	return row_steps_next_segment(reader->steps, from, number, found, message);
}

static void row_take(struct log_reader *reader, const struct page_row *row, struct segment *segment)
{
	const uint16_t low = segment_place(row->rowid);
	struct connection connection;
	const enum outcome outcome = connection_read_next(
		reader->memo, row->fields, &reader->log->layout.reading, &connection);

	if (segment->timed && !instant_read(row->time, &segment->times[low]))
		segment->times[low] = INSTANT_NONE;
	segment_append(segment, low, outcome, &connection);
}

/* How many rows on the next one is read both ways: another number each time, in each run. */
static uint32_t sample_next(struct log_reader *reader)
{
	/* Marsaglia's xorshift64. */
	reader->random ^= reader->random << 13;
	reader->random ^= reader->random >> 7;
	reader->random ^= reader->random << 17;
	return 1 + (uint32_t)(reader->random >> 32) % SAMPLE_ROWS;
}

static enum status row_differs(const struct log_reader *reader, int64_t rowid,
			       struct message *message)
{
	return message_wrap(
		message, STATUS_FAILED, LOG_READ_DIFFERS,
		"%.300s: row %lld reads differently by page than through SQLite, so nothing that "
		"was read by page counts; run again with --read sql --rebuild, and please report "
		"it",
		reader->log->path, (long long)rowid);
}

static enum status row_sample(struct log_reader *reader, const struct page_row *row,
			      struct message *message)
{
	bool same;
	enum status status = row_steps_compare(reader->steps, row->rowid, row->fields, row->time,
					       &same, message);

	return status == STATUS_OK && !same ? row_differs(reader, row->rowid, message) : status;
}

/* The rows of a segment from the first on. *read is false with *why where SQLite has to read. */
static enum status pages_read(struct log_reader *reader, int64_t first, int64_t last,
			      struct segment *segment, bool *read, const char **why,
			      struct message *message)
{
	struct page_row row;
	uint32_t left = 1;
	enum status status = STATUS_OK;

	*read = page_reader_begin(reader->pages, first, last, why);
	/* Where a row differs the pages behind it may say that they are damaged. */
	while (*read && (status == STATUS_OK || message->code == LOG_READ_DIFFERS)) {
		*read = page_reader_next(reader->pages, &row, why);
		if (!*read || !row.found)
			break;
		if (status == STATUS_OK && --left == 0) {
			left = sample_next(reader);
			status = row_sample(reader, &row, message);
		}
		if (status == STATUS_OK)
			row_take(reader, &row, segment);
	}
	*read = *read && page_reader_end(reader->pages, why);
	/* By damage, or by a writer that keeps no lock, SQLite found another row: it reads all. */
	if (!*read && status == STATUS_FAILED && message->code == LOG_READ_DIFFERS)
		status = STATUS_OK;
	return status;
}

static size_t rows_of(const struct segment *segment)
{
	size_t rows = 0;

	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		rows += segment->outcomes[outcome];
	return rows;
}

static void segment_begin(const struct log_reader *reader, int64_t number, struct segment *segment)
{
	segment_reset(segment, number);
	segment->timed = reader->log->layout.timestamp != NULL;
}

/* The same segment by page, where that can be. */
static enum status segment_by_page(struct log_reader *reader, int64_t number,
				   struct segment *segment, bool *read, struct message *message)
{
	int64_t last = segment_last_row(number);
	const char *why = NULL;
	int64_t first;
	bool found;
	enum status status;

	*read = false;
	if (!reader->pages)
		return STATUS_OK;
	if (last > reader->log->last)
		last = reader->log->last;
	segment_begin(reader, number, segment);
	status = row_steps_begin(reader->steps, segment_first_row(number), last, &found, &first,
				 message);
	if (status != STATUS_OK || !found) {
		*read = true;
		return status;
	}
	status = pages_read(reader, first, last, segment, read, &why, message);
	row_steps_rest(reader->steps);
	if (*read)
		reader->reading.by_page += rows_of(segment);
	else if (!reader->reading.why)
		reader->reading.why = why;
	return status;
}

static enum status segment_by_sql(struct log_reader *reader, int64_t number,
				  struct segment *segment, struct message *message)
{
	bool read = false;
	enum status status = STATUS_OK;

	if (reader->calls)
		status = row_calls_segment(reader->calls, number, segment, &read, message);
	if (status == STATUS_OK && !read) {
		segment_begin(reader, number, segment);
		status = row_steps_segment(reader->steps, number, segment, message);
	}
	reader->reading.by_sql += rows_of(segment);
	return status;
}

enum status log_reader_segment(struct log_reader *reader, int64_t number, struct segment *segment,
			       struct message *message)
{
	bool read;
	enum status status = segment_by_page(reader, number, segment, &read, message);

	if (status == STATUS_OK && !read) {
		segment_begin(reader, number, segment);
		status = segment_by_sql(reader, number, segment, message);
	}
	if (status == STATUS_OK)
		status = immutable_check(reader_database(reader), message);
	return status;
}

/* Both ways go on together, the transaction's statement being at its first row. */
static enum status span_hold(struct log_reader *reader, int64_t first, int64_t last, uint64_t *rows,
			     struct message *message)
{
	const char *why;
	bool read = page_reader_begin(reader->pages, first, last, &why);
	bool found = true;
	struct page_row row;
	enum status status = STATUS_OK;

	while (read && status == STATUS_OK) {
		bool same = false;

		read = page_reader_next(reader->pages, &row, &why);
		if (!read || (!row.found && !found))
			break;
		if (row.found && found)
			status = row_steps_hold(reader->steps, row.rowid, row.fields, row.time,
						&same, message);
		if (status == STATUS_OK && !same)
			return row_differs(reader, row.found ? row.rowid : last, message);
		if (status == STATUS_OK)
			status = row_steps_next(reader->steps, &found, message);
		++*rows;
	}
	if (!read || !page_reader_end(reader->pages, &why))
		*rows = 0;
	return status;
}

enum status log_reader_hold(struct log_reader *reader, int64_t first, int64_t last, uint64_t *rows,
			    struct message *message)
{
	bool found;
	int64_t rowid;
	enum status status;

	*rows = 0;
	if (!reader->pages)
		return STATUS_OK;
	status = row_steps_begin(reader->steps, first, last, &found, &rowid, message);
	if (status == STATUS_OK && found) {
		status = span_hold(reader, rowid, last, rows, message);
		row_steps_rest(reader->steps);
	}
	return status;
}

struct log_reading log_reader_reading(const struct log_reader *reader)
{
	return reader->reading;
}

enum status log_reader_begin(struct log_reader *reader, struct message *message)
{
	return database_execute(reader_database(reader), "BEGIN", message);
}

void log_reader_end(struct log_reader *reader)
{
	/* Fails only where an error has ended the transaction before. */
	sqlite3_exec(reader_database(reader), "COMMIT", NULL, NULL, NULL);
}

enum status log_reader_row(struct log_reader *reader, int64_t from, bool *found, int64_t *rowid,
			   enum outcome *outcome, struct connection *connection,
			   struct message *message)
{
	return row_steps_row(reader->steps, from, found, rowid, outcome, connection, message);
}

enum status log_reader_skipped(struct log_reader *reader, enum outcome wanted, bool *found,
			       int64_t *rowid, char *values, size_t size, struct message *message)
{
	return row_steps_skipped(reader->steps, wanted, found, rowid, values, size, message);
}

enum status log_reader_failed(struct log_reader *reader, int64_t from, bool *found, int64_t *rowid,
			      char *reason, size_t size, struct message *message)
{
	return row_steps_failed(reader->steps, from, found, rowid, reason, size, message);
}

enum status log_reader_time(struct log_reader *reader, int64_t rowid, int64_t *time,
			    struct message *message)
{
	return row_steps_time(reader->steps, rowid, time, message);
}

sqlite3_stmt *log_reader_statement(struct log_reader *reader)
{
	return row_steps_statement(reader->steps);
}
