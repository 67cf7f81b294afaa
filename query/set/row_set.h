/*
 * A set of row ids, or of any other integers, in memory: signed 64-bit, as
 * settled Roaring containers by segment, one behind the other in blocks of the
 * set. All of its memory is SQLite's, so that sqlite3_hard_heap_limit64 and
 * sqlite3_memory_used count it, and no more than a few bytes a container beyond
 * what the set takes as a blob.
 */
#ifndef CONNBITS_SET_ROW_SET_H
#define CONNBITS_SET_ROW_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "bitmap/container.h"

struct row_set_block;

/* Zero-initialise; free with row_set_free. Segments ascend. */
struct row_set {
	struct container *containers;
	uint64_t *before; /* by container: rows of all earlier ones */
	size_t count;
	size_t capacity;
	uint64_t rows;
	struct row_set_block *blocks; /* the containers' bytes; the last one first */
	size_t bytes;		      /* memory that it takes */
};

/* Appends a copy of a container, settled, behind all others; none where it has no rows. */
enum status row_set_append(struct row_set *set, const struct container *container,
			   struct message *message);

bool row_set_contains(const struct row_set *set, int64_t rowid);

/* The first container that may hold rowid or more; set->count if there is none. */
size_t row_set_seek(const struct row_set *set, int64_t rowid);

/* How many row ids of the set are less than rowid. */
uint64_t row_set_rank(const struct row_set *set, int64_t rowid);

/* The row id at a place of a segment. */
static inline int64_t row_set_rowid(int64_t segment, uint16_t place)
{
	return segment_first_row(segment) + place;
}

/* The lowest and the highest row id; false where the set is empty. */
bool row_set_first(const struct row_set *set, int64_t *rowid);
bool row_set_last(const struct row_set *set, int64_t *rowid);

/* The row id that has `number` others before it; number is less than set->rows. */
int64_t row_set_at(const struct row_set *set, uint64_t number);

/* True if all of more lies in later segments than set. */
bool row_set_lies_behind(const struct row_set *set, const struct row_set *more);

/*
 * Moves all of another set, which lies behind, to the end of the set. `behind`
 * is empty afterwards, whatever is returned.
 */
enum status row_set_join(struct row_set *set, struct row_set *behind, struct message *message);

void row_set_free(struct row_set *set);

#endif
