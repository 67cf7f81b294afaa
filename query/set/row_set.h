/*
 * A set of row ids, or of any other integers, in memory: signed 64-bit, in
 * chunks of 2^20, each a Roaring bitmap.
 */
#ifndef CONNBITS_SET_ROW_SET_H
#define CONNBITS_SET_ROW_SET_H

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"

struct row_set_chunk {
	int64_t chunk;		/* row id >> 20 */
	uint64_t rows;		/* 1 to 2^20 */
	uint64_t before;	/* rows of all earlier chunks */
	roaring_bitmap_t *bits; /* of (rowid & 0xffffffff) */
};

/* Zero-initialise; free with row_set_free. Chunks ascend. */
struct row_set {
	struct row_set_chunk *chunks;
	size_t count;
	size_t capacity;
	uint64_t rows;
	size_t bytes; /* memory that it takes, about */
};

/* Appends a chunk behind all others and takes bits over, also on failure. Drops an empty one. */
enum status row_set_append(struct row_set *set, int64_t chunk, roaring_bitmap_t *bits,
			   struct message *message);

bool row_set_contains(const struct row_set *set, int64_t rowid);

/* The first chunk that may hold rowid or more; set->count if there is none. */
size_t row_set_seek(const struct row_set *set, int64_t rowid);

/* How many row ids of the set are less than rowid. */
uint64_t row_set_rank(const struct row_set *set, int64_t rowid);

/* Writes the lower 32 bits of a chunk's row ids, ascending, to out: chunk->rows of them. */
void row_set_decode(const struct row_set_chunk *chunk, uint32_t *out);

/* The row id of a decoded value. */
static inline int64_t row_set_rowid(const struct row_set_chunk *chunk, uint32_t low)
{
	return chunk_row(chunk->chunk, low);
}

/* The lowest and the highest row id; false where the set is empty. */
bool row_set_first(const struct row_set *set, int64_t *rowid);
bool row_set_last(const struct row_set *set, int64_t *rowid);

/* The row id that has `place` others before it; place is less than set->rows. */
int64_t row_set_at(const struct row_set *set, uint64_t place);

/* Appends all chunks of another set, which is empty afterwards, whatever is returned. */
enum status row_set_join(struct row_set *set, struct row_set *behind, struct message *message);

void row_set_free(struct row_set *set);

#endif
