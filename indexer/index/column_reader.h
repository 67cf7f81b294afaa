/*
 * The stored columns of segments, one segment after the other, of which no more
 * is read than is asked for. Nothing here trusts what it reads.
 */
#ifndef CONNBITS_INDEX_COLUMN_READER_H
#define CONNBITS_INDEX_COLUMN_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "column/segment_columns.h"
#include "database/sqlite.h"
#include "index_reader.h"
#include "packet/segment.h"

struct column_reader;

/*
 * Opens a reader over the segments of a source, those of its first to its last
 * row. Free with column_reader_close, before the connection is closed.
 */
enum status column_reader_open(sqlite3 *database, const char *database_name,
			       const struct index_source *source, struct column_reader **reader,
			       struct message *message);

/*
 * Goes to the first segment from number `from` on that has columns. *found is false
 * where there is none. The index stays locked until column_reader_rest.
 */
enum status column_reader_next(struct column_reader *reader, int64_t from, int64_t *number,
			       bool *found, struct message *message);

/* Begins the columns of a segment; they are missing where it has none. */
enum status column_reader_begin(struct column_reader *reader, int64_t number,
				struct segment_columns **columns, struct message *message);

/* Whether the segment that was begun has any columns. */
bool column_reader_has(const struct column_reader *reader);

/* Copies all columns of a segment. On success the caller frees packed->bytes with free. */
enum status column_reader_copy(struct column_reader *reader, int64_t number,
			       struct packed_columns *packed, struct message *message);

/*
 * Makes the headers of a segment, none where it has no columns, and rests. With with_times
 * the segment gets their times too, which have to be stored.
 */
enum status column_reader_headers(struct column_reader *reader, int64_t number, bool with_times,
				  struct segment *segment, struct message *message);

/* The same words for what is wrong with a segment, whoever found it. */
enum status column_reader_damaged(int64_t number, const struct message *cause,
				  struct message *message);

/*
 * Holds the headers of all segments that were read against what the source
 * declares: where some are missing, every answer from them would be wrong.
 */
enum status column_reader_complete(const struct index_source *source, uint64_t headers,
				   struct message *message);

/* Ends a read, so that the index is not locked until the next. */
void column_reader_rest(struct column_reader *reader);

void column_reader_close(struct column_reader *reader);

#endif
