/*
 * How many rows of a filter are on each day (UTC), counted for a chunk: of what is stored, to be
 * taken off, and of what is about to be written in its place.
 */
#ifndef CONNBITS_INDEX_CHUNK_DAYS_H
#define CONNBITS_INDEX_CHUNK_DAYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "bitmap/container.h"
#include "column/segment_columns.h"
#include "column_reader.h"
#include "write_batch.h"

enum chunk_days_side { DAYS_STORED, DAYS_MADE, DAYS_SIDES };

struct chunk_days;

/* NULL without memory. Free with chunk_days_free. */
struct chunk_days *chunk_days_new(void);

/* Begins a chunk, of which no segment is known. */
void chunk_days_begin(struct chunk_days *days);

/* Reads the days of a segment, by its place in the chunk. Its columns have one of times. */
enum status chunk_days_add(struct chunk_days *days, enum chunk_days_side side, size_t place,
			   struct segment_columns *columns, struct message *message);

/* The same for all segments of a chunk that have columns, as they are stored. */
enum status chunk_days_add_stored(struct chunk_days *days, enum chunk_days_side side,
				  struct column_reader *reader, int64_t chunk,
				  struct message *message);

/* The same for one of them, by its number. */
enum status chunk_days_add_segment(struct chunk_days *days, enum chunk_days_side side,
				   struct column_reader *reader, int64_t number,
				   struct message *message);

/* Called once the segments are added, and before anything is counted. */
enum status chunk_days_ready(struct chunk_days *days, struct message *message);

/*
 * Counts the rows that a filter of that kind has in the segments that were added to that side,
 * those of DAYS_STORED as less than none.
 */
void chunk_days_count(struct chunk_days *days, enum chunk_days_side side, enum filter_kind kind,
		      const struct container containers[static CHUNK_SEGMENTS]);

/* What was counted goes to the batch as the filter's, and the count starts again. */
enum status chunk_days_take(struct chunk_days *days, int64_t filter, struct write_batch *batch,
			    struct message *message);

void chunk_days_free(struct chunk_days *days);

#endif
