/*
 * The chunks that are being worked on: each gathers what threads made of
 * its segments until all of them are in.
 */
#ifndef CONNBITS_ENGINE_CHUNK_TABLE_H
#define CONNBITS_ENGINE_CHUNK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "base/spill.h"
#include "bitmap/roaring_format.h"
#include "column/segment_columns.h"
#include "packet/connection.h"

/* Where the containers of a segment lie that are not in memory. */
struct segment_spill {
	struct spill *spill;
	uint64_t *places; /* of each container with bytes; bytes of the containers are NULL */
	uint64_t *blocks; /* that hold them */
	size_t block_count;
	size_t block_capacity;
};

/* What one thread made of one segment. */
struct segment_result {
	bool given;		       /* false for a segment that was left out */
	struct container *containers;  /* one a bitmap; cardinality 0 where no bit is set */
	uint8_t *bytes;		       /* of all containers, one behind the other, */
	struct segment_spill *spilled; /* or NULL and here, where memory did not hold them */
	struct spill *spill;	       /* whose memory the bytes take, or NULL */
	size_t size;		       /* of the bytes */
	uint64_t outcomes[OUTCOME_COUNT];
	struct packed_columns packed; /* its headers; empty where they were not asked for */
};

enum { CHUNK_ROOM = CHUNK_SEGMENTS * CONTAINER_BYTES_MAX };

struct chunk_work {
	struct chunk_work *next;
	int64_t chunk;
	size_t open; /* segments that were given out and are not back */
	bool closed; /* no further segment will be given out */
	struct segment_result segments[CHUNK_SEGMENTS];
};

/* Zero-initialise. Not thread-safe: whoever runs the threads calls it under a lock. */
struct chunk_table {
	struct chunk_work *first;
	struct chunk_work *last;
};

/*
 * Notes that segment was given out. Segments come in ascending order, so all
 * earlier chunks are closed. False without memory.
 */
bool chunk_table_give(struct chunk_table *table, int64_t segment);

/* Takes over what was made of a segment. */
void chunk_table_take(struct chunk_table *table, int64_t segment,
		      const struct segment_result *result);

/* No further segment comes: closes every chunk. */
void chunk_table_close(struct chunk_table *table);

/*
 * Removes and returns the lowest chunk if it is complete, or NULL: chunks come
 * out in the order of their numbers. Free with chunk_work_free.
 */
struct chunk_work *chunk_table_complete(struct chunk_table *table);

/* How many chunks are being worked on, or are complete and not yet out. */
size_t chunk_table_count(const struct chunk_table *table);

/* The bytes of the containers of that many bitmaps, all together. */
size_t chunk_work_bytes(const struct chunk_work *work, size_t bitmaps);

/*
 * Gives the containers of one bitmap, by segment within the chunk: those of the segments
 * that were given out, others stay as they are. Their bytes lie in the work, or in `room`
 * where they had to be read.
 */
enum status chunk_work_containers(const struct chunk_work *work, size_t bitmap,
				  uint8_t room[static CHUNK_ROOM],
				  struct container containers[static CHUNK_SEGMENTS],
				  struct message *message);

void segment_result_free(struct segment_result *result);
void chunk_work_free(struct chunk_work *work);
void chunk_table_free(struct chunk_table *table);

#endif
