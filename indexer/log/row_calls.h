/*
 * The rows of a log as SQLite hands them to an aggregate function, one call for each: the same rows
 * as row_steps.h has, at about two thirds of the time, since nothing is copied out of SQLite's
 * registers and its machine is not left between rows.
 */
#ifndef CONNBITS_LOG_ROW_CALLS_H
#define CONNBITS_LOG_ROW_CALLS_H

#include "base/message.h"
#include "log.h"
#include "packet/segment.h"

struct row_calls;

/*
 * Over a connection that is for reading the log's rows, of a layout without expressions; both
 * outlive it. Free with row_calls_close.
 */
enum status row_calls_open(const struct log *log, sqlite3 *database, struct row_calls **calls,
			   struct message *message);

/*
 * Reads the rows of one segment, in one read transaction, into a segment that is empty. *read is
 * false where they did not come in ascending order, and then none counts.
 */
enum status row_calls_segment(struct row_calls *calls, int64_t number, struct segment *segment,
			      bool *read, struct message *message);

/* NULL is fine. */
void row_calls_close(struct row_calls *calls);

#endif
