/*
 * The rows of a log, read by segment: one description of the log for all
 * threads, and one reader with its own read-only connection for each.
 */
#ifndef CONNBITS_LOG_LOG_READER_H
#define CONNBITS_LOG_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "fingerprint.h"
#include "index/index_fit.h"
#include "layout.h"
#include "packet/segment.h"

struct source {
	const char *path;
	struct layout layout;
	bool empty;			/* no row at all: first and last say nothing */
	int64_t first;			/* the lowest row id when the log was opened */
	int64_t last;			/* the highest; rows that come later are not read */
	struct fingerprint fingerprint; /* of the rows first to last, before any was read */
	struct change change;		/* since it was indexed */
	uint64_t device; /* of the file, with inode: another file may take its name */
	uint64_t inode;
	char encoding[16]; /* of the file's text: UTF-8, UTF-16le or UTF-16be */
	bool text_is_utf8;
};

struct source_reader;

/*
 * Describes the log at path through a connection of its own, which is closed
 * again. layout is taken over, also on failure. indexed, where not NULL, is
 * what an index says of the log: source->change then tells whether that still
 * holds. path has to outlive *source; free with source_free whatever is
 * returned.
 */
enum status source_open(const char *path, struct layout *layout,
			const struct stored_source *indexed, struct source *source,
			struct message *message);

/*
 * Holds another index against the log that was opened, as it is now: its
 * change since.
 */
enum status source_compare(const struct source *source, const struct stored_source *indexed,
			   struct change *change, struct message *message);

/*
 * STATUS_OK if the log is still the one that was opened: the same file, and the
 * sampled rows as they were. With tracked, rows that triggers have noted may be
 * anything.
 */
enum status source_check(const struct source *source, bool tracked, struct message *message);

void source_free(struct source *source);

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
