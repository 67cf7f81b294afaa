#include "row_set_range.h"

#include <stdlib.h>

#include "bitmap/roaring_format.h"
#include "row_set_builder.h"

/* The lower 32 bits of the part of a range that lies in a chunk. */
struct part {
	uint32_t first;
	uint32_t last;
};

static struct part part_of(int64_t chunk, int64_t first, int64_t last)
{
	const uint32_t start = (uint32_t)chunk_first_row(chunk);
	const uint32_t end = start + (CHUNK_ROWS - 1);

	return (struct part){
		.first = chunk == chunk_of_row(first) ? (uint32_t)first : start,
		.last = chunk == chunk_of_row(last) ? (uint32_t)last : end,
	};
}

static roaring_bitmap_t *part_make(struct part part)
{
	return roaring_bitmap_from_range(part.first, (uint64_t)part.last + 1, 1);
}

enum status row_set_make_range(int64_t first, int64_t last, struct row_set *set,
			       struct message *message)
{
	enum status status = STATUS_OK;

	*set = (struct row_set){0};
	if (first > last)
		return STATUS_OK;
	if ((uint64_t)last - (uint64_t)first >= ROW_SET_RANGE_MAX)
		return message_set(message, STATUS_USAGE,
				   "the range has more than %llu numbers, which is the most",
				   (unsigned long long)ROW_SET_RANGE_MAX);
	for (int64_t chunk = chunk_of_row(first);
	     status == STATUS_OK && chunk <= chunk_of_row(last); chunk++) {
		roaring_bitmap_t *bits = part_make(part_of(chunk, first, last));

		status = bits ? row_set_append(set, chunk, bits, message)
			      : message_out_of_memory(message);
	}
	if (status != STATUS_OK)
		row_set_free(set);
	return status;
}

/* Copies the part of a chunk that lies in the range. NULL without memory. */
static roaring_bitmap_t *chunk_cut(const struct row_set_chunk *chunk, int64_t first, int64_t last)
{
	roaring_bitmap_t *part;
	roaring_bitmap_t *bits;

	if (chunk->chunk > chunk_of_row(first) && chunk->chunk < chunk_of_row(last))
		return roaring_bitmap_copy(chunk->bits);
	part = part_make(part_of(chunk->chunk, first, last));
	if (!part)
		return NULL;
	bits = roaring_bitmap_and(chunk->bits, part);
	roaring_bitmap_free(part);
	return bits;
}

enum status row_set_cut(const struct row_set *set, int64_t first, int64_t last,
			struct row_set *part, struct message *message)
{
	enum status status = STATUS_OK;

	*part = (struct row_set){0};
	if (first > last)
		return STATUS_OK;
	for (size_t i = row_set_seek(set, first);
	     status == STATUS_OK && i < set->count && set->chunks[i].chunk <= chunk_of_row(last);
	     i++) {
		roaring_bitmap_t *bits = chunk_cut(&set->chunks[i], first, last);

		status = bits ? row_set_append(part, set->chunks[i].chunk, bits, message)
			      : message_out_of_memory(message);
	}
	if (status != STATUS_OK)
		row_set_free(part);
	return status;
}

uint64_t row_set_range_rows(const struct row_set *set, int64_t first, int64_t last)
{
	if (first > last)
		return 0;
	return row_set_rank(set, last) + row_set_contains(set, last) - row_set_rank(set, first);
}

static enum status chunk_shift(const struct row_set_chunk *chunk, int64_t distance,
			       struct row_set_builder *builder, struct message *message)
{
	uint32_t *low = malloc(chunk->rows * sizeof(*low));
	enum status status = low ? STATUS_OK : message_out_of_memory(message);

	if (low)
		row_set_decode(chunk, low);
	for (uint64_t i = 0; status == STATUS_OK && i < chunk->rows; i++) {
		int64_t moved;

		if (!__builtin_add_overflow(row_set_rowid(chunk, low[i]), distance, &moved))
			status = row_set_builder_add(builder, moved, message);
	}
	free(low);
	return status;
}

enum status row_set_shift(const struct row_set *set, int64_t distance, struct row_set *moved,
			  struct message *message)
{
	struct row_set_builder builder = {0};
	enum status status = STATUS_OK;

	*moved = (struct row_set){0};
	if (set->rows > ROW_SET_SHIFT_MAX)
		return message_set(message, STATUS_USAGE,
				   "the bitmap has more than %llu numbers, which is the most that "
				   "can be moved",
				   (unsigned long long)ROW_SET_SHIFT_MAX);
	for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
		status = chunk_shift(&set->chunks[i], distance, &builder, message);
	if (status == STATUS_OK)
		status = row_set_builder_finish(&builder, moved, message);
	row_set_builder_free(&builder);
	return status;
}
