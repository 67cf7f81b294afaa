/*
 * The rows of a log as SQLite hands them out, one step after the other, over a read-only
 * connection of its own. What log_reader.h falls back to, and is held against.
 */
#ifndef CONNBITS_LOG_ROW_STEPS_H
#define CONNBITS_LOG_ROW_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "log.h"
#include "packet/segment.h"
#include "row_connection.h"

struct row_steps;

/* It belongs to one thread; log has to outlive it. Free with row_steps_close. */
enum status row_steps_open(const struct log *log, struct row_steps **reader,
			   struct message *message);

/* That its statements are prepared on. */
struct row_connection *row_steps_connection(const struct row_steps *reader);

/*
 * Begins a read transaction, which lasts until row_steps_rest, at the first row with an id from
 * `first` to `last`. *found is false where there is none, and then there is no transaction.
 */
enum status row_steps_begin(struct row_steps *reader, int64_t first, int64_t last, bool *found,
			    int64_t *rowid, struct message *message);
void row_steps_rest(struct row_steps *reader);

/* Goes on to the transaction's next row. *found is false behind the last one. */
enum status row_steps_next(struct row_steps *reader, bool *found, struct message *message);

/* Holds the values of a row against those of the row at hand. *same as below. */
enum status row_steps_hold(struct row_steps *reader, int64_t rowid, const struct field *fields,
			   const struct field *time, bool *same, struct message *message);

/*
 * Holds the values of a row against those that SQLite has for it. fields has ROLE_COUNT items.
 * *same is false where one of them, or the time, is another, or there is no such row.
 */
enum status row_steps_compare(struct row_steps *reader, int64_t rowid, const struct field *fields,
			      const struct field *time, bool *same, struct message *message);

/*
 * Finds the first segment from number `from` on that has rows. *found is false
 * where there is none.
 */
enum status row_steps_next_segment(struct row_steps *reader, int64_t from, int64_t *number,
				   bool *found, struct message *message);

/*
 * Reads the rows of one segment, in one read transaction, into a segment that is empty. A row
 * for which an expression fails is skipped, and read on behind it.
 */
enum status row_steps_segment(struct row_steps *reader, int64_t number, struct segment *segment,
			      struct message *message);

/*
 * Reads the first row whose id is from or more. *found is false where there is
 * none; else *rowid, *outcome and, with OUTCOME_HEADER, *connection are set.
 */
enum status row_steps_row(struct row_steps *reader, int64_t from, bool *found, int64_t *rowid,
			  enum outcome *outcome, struct connection *connection,
			  struct message *message);

/*
 * Finds a row with that outcome, which is one that skips, among the first ones, and
 * prints the values that it was skipped for. *found is false where there is none.
 */
enum status row_steps_skipped(struct row_steps *reader, enum outcome wanted, bool *found,
			      int64_t *rowid, char *values, size_t size, struct message *message);

/*
 * Finds a row among the first ones from `from` on for which an expression of
 * [source] fails, and SQLite's reason. *found is false where there is none.
 */
enum status row_steps_failed(struct row_steps *reader, int64_t from, bool *found, int64_t *rowid,
			     char *reason, size_t size, struct message *message);

/*
 * The time of the row with that id in microseconds since 1970 UTC, INSTANT_NONE where it has
 * none that can be read.
 */
enum status row_steps_time(struct row_steps *reader, int64_t rowid, int64_t *time,
			   struct message *message);

/* The statement that row_steps_segment steps over, to measure it: rows ?1 to ?2, columns by role.
 */
sqlite3_stmt *row_steps_statement(struct row_steps *reader);

void row_steps_close(struct row_steps *reader);

#endif
