/*
 * The rows of a log, read by segment: one reader for each thread, with a
 * read-only connection of its own.
 */
#ifndef CONNBITS_LOG_LOG_READER_H
#define CONNBITS_LOG_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "log.h"
#include "packet/segment.h"

struct source_reader;

/* Opens a reader. It belongs to one thread; source has to outlive it. */
enum status source_reader_open(const struct source *source, struct source_reader **reader,
			       struct message *message);

/*
 * Finds the first segment from number `from` on that has rows. *found is false
 * where there is none.
 */
enum status source_next_segment(struct source_reader *reader, int64_t from, int64_t *number,
				bool *found, struct message *message);

/*
 * Reads the rows of one segment, in one read transaction, and builds their
 * headers. The log is not locked between calls.
 */
enum status source_read_segment(struct source_reader *reader, int64_t number,
				struct segment *segment, struct message *message);

/*
 * Reads the first row whose id is from or more. *found is false where there is
 * none; else *rowid, *outcome and, with OUTCOME_HEADER, *connection are set.
 */
enum status source_read_row(struct source_reader *reader, int64_t from, bool *found, int64_t *rowid,
			    enum outcome *outcome, struct connection *connection,
			    struct message *message);

void source_reader_close(struct source_reader *reader);

#endif
