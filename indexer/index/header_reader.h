/*
 * What is stored of segments: header_reader reads their headers, one after the
 * other, outcome_reader which end their rows came to. Nothing here trusts what
 * it reads.
 */
#ifndef CONNBITS_INDEX_HEADER_READER_H
#define CONNBITS_INDEX_HEADER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"
#include "packet/segment.h"

struct header_reader;

/*
 * Opens a reader over the segments of a source, those of its first to its last
 * row. Free with header_reader_close, before the connection is closed.
 */
enum status header_reader_open(sqlite3 *database, const char *database_name,
			       const struct index_source *source, struct header_reader **headers,
			       struct message *message);

/* Finds the first segment from number `from` on. *found is false where there is none. */
enum status header_reader_next(struct header_reader *headers, int64_t from, int64_t *number,
			       bool *found, struct message *message);

/*
 * Reads the packed headers of a segment: *size is 0 where it has none. The
 * bytes are valid until the reader is used again.
 */
enum status header_reader_bytes(struct header_reader *headers, int64_t number,
				const uint8_t **bytes, size_t *size, struct message *message);

/* Unpacks bytes that header_reader_bytes gave; can be called by any thread. */
enum status header_reader_unpack(const uint8_t *bytes, size_t size, int64_t number,
				 struct segment *segment, struct message *message);

/* Both at once. */
enum status header_reader_read(struct header_reader *headers, int64_t number,
			       struct segment *segment, struct message *message);

/*
 * Holds the headers that were read of all segments against what the source
 * declares: where some are missing, every answer from them would be wrong.
 */
enum status header_reader_complete(const struct index_source *source, uint64_t headers,
				   struct message *message);

/* Subtracts the outcomes of a segment, stored in that column of a row, from totals. */
enum status outcome_row_subtract(sqlite3_stmt *row, int column, uint64_t *totals,
				 struct message *message);

/*
 * Lists the stored segments from first to last, at most last - first + 1 of
 * them, in numbers. STATUS_FAILED where there are more: then some are no whole
 * numbers.
 */
enum status header_reader_list(sqlite3 *database, const struct index_source *source, int64_t first,
			       int64_t last, int64_t *numbers, size_t *count,
			       struct message *message);

/* The stored outcomes of segments, one at a time. */
struct outcome_reader;

/* Opens a reader in main. Free with outcome_reader_close. */
enum status outcome_reader_open(sqlite3 *database, int64_t source, struct outcome_reader **reader,
				struct message *message);

/* Subtracts what is stored of a segment, if anything is, from totals. */
enum status outcome_reader_subtract(struct outcome_reader *reader, int64_t segment,
				    uint64_t *totals, struct message *message);

void outcome_reader_close(struct outcome_reader *reader);

/* Ends a read, so that the index is not locked until the next. */
void header_reader_rest(struct header_reader *headers);

void header_reader_close(struct header_reader *headers);

#endif
