/*
 * The rows of a log, read by segment: one reader for each thread, with a read-only connection of
 * its own. From the pages of its file where that is provably the same (page_reader.h), else through
 * SQLite; the first row of each segment and some sixteen others are read both ways.
 */
#ifndef CONNBITS_LOG_LOG_READER_H
#define CONNBITS_LOG_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "log.h"
#include "packet/segment.h"

struct log_reader;

/*
 * Opens a reader. It belongs to one thread; log has to outlive it. Free with
 * log_reader_close.
 */
enum status log_reader_open(const struct log *log, struct log_reader **reader,
			    struct message *message);

/* How the rows were read that a reader has given. */
struct log_reading {
	uint64_t by_page;
	uint64_t by_sql;
	const char *why; /* not by page, the first time; NULL where all were, or none should be */
};

/* Adds up what several readers have done. */
static inline void log_reading_add(struct log_reading *sum, const struct log_reading *reading)
{
	sum->by_page += reading->by_page;
	sum->by_sql += reading->by_sql;
	if (!sum->why)
		sum->why = reading->why;
}

struct log_reading log_reader_reading(const struct log_reader *reader);

/* The message's code where a row reads differently by page than through SQLite. */
enum { LOG_READ_DIFFERS = -1 };

/*
 * Finds the first segment from number `from` on that has rows. *found is false
 * where there is none.
 */
enum status log_reader_next_segment(struct log_reader *reader, int64_t from, int64_t *number,
				    bool *found, struct message *message);

/*
 * Reads the rows of one segment, in one read transaction, and builds their
 * headers. A row for which an expression fails is skipped, and read on behind it. The log is not
 * locked between calls. STATUS_FAILED with LOG_READ_DIFFERS where pages are not to be trusted.
 */
enum status log_reader_segment(struct log_reader *reader, int64_t number, struct segment *segment,
			       struct message *message);

/*
 * Holds every field of the rows with ids from `first` to `last`, read by page, against SQLite's, in
 * one read transaction. *rows are those that could be read by page, 0 where they cannot.
 */
enum status log_reader_hold(struct log_reader *reader, int64_t first, int64_t last, uint64_t *rows,
			    struct message *message);

/*
 * Between the two the rows that are read one by one are of one moment of the log, and its lock is
 * taken once instead of twice a row. A writer may wait meanwhile: for few rows only.
 */
enum status log_reader_begin(struct log_reader *reader, struct message *message);
void log_reader_end(struct log_reader *reader);

/*
 * Reads the first row whose id is from or more. *found is false where there is
 * none; else *rowid, *outcome and, with OUTCOME_HEADER, *connection are set.
 */
enum status log_reader_row(struct log_reader *reader, int64_t from, bool *found, int64_t *rowid,
			   enum outcome *outcome, struct connection *connection,
			   struct message *message);

/*
 * Finds a row with that outcome, which is one that skips, among the first ones, and
 * prints the values that it was skipped for. *found is false where there is none.
 */
enum status log_reader_skipped(struct log_reader *reader, enum outcome wanted, bool *found,
			       int64_t *rowid, char *values, size_t size, struct message *message);

/*
 * Finds a row among the first ones from `from` on for which an expression of
 * [source] fails, and SQLite's reason. *found is false where there is none.
 */
enum status log_reader_failed(struct log_reader *reader, int64_t from, bool *found, int64_t *rowid,
			      char *reason, size_t size, struct message *message);

/*
 * The time of the row with that id in microseconds since 1970 UTC, INSTANT_NONE where it has
 * none that can be read.
 */
enum status log_reader_time(struct log_reader *reader, int64_t rowid, int64_t *time,
			    struct message *message);

/* What log_reader_segment steps over where it has to, to measure it: rows ?1 to ?2, columns by
 * role. */
sqlite3_stmt *log_reader_statement(struct log_reader *reader);

void log_reader_close(struct log_reader *reader);

#endif
