#include "row_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"

enum status row_set_append(struct row_set *set, int64_t chunk, roaring_bitmap_t *bits,
			   struct message *message)
{
	uint64_t rows = roaring_bitmap_get_cardinality(bits);

	if (rows == 0) {
		roaring_bitmap_free(bits);
		return STATUS_OK;
	}
	if (set->count == set->capacity) {
		size_t capacity = set->capacity ? set->capacity * 2 : 8;
		struct row_set_chunk *chunks = realloc(set->chunks, capacity * sizeof(*chunks));

		if (!chunks) {
			roaring_bitmap_free(bits);
			return message_out_of_memory(message);
		}
		set->chunks = chunks;
		set->capacity = capacity;
	}
	set->chunks[set->count++] = (struct row_set_chunk){
		.chunk = chunk, .rows = rows, .before = set->rows, .bits = bits};
	set->rows += rows;
	set->bytes += sizeof(*set->chunks) + 256 + roaring_bitmap_portable_size_in_bytes(bits);
	return STATUS_OK;
}

size_t row_set_seek(const struct row_set *set, int64_t rowid)
{
	const int64_t chunk = chunk_of_row(rowid);
	size_t low = 0;
	size_t high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->chunks[middle].chunk < chunk)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool row_set_contains(const struct row_set *set, int64_t rowid)
{
	size_t i = row_set_seek(set, rowid);

	return i < set->count && set->chunks[i].chunk == chunk_of_row(rowid) &&
	       roaring_bitmap_contains(set->chunks[i].bits, (uint32_t)rowid);
}

uint64_t row_set_rank(const struct row_set *set, int64_t rowid)
{
	size_t i = row_set_seek(set, rowid);
	uint32_t low = (uint32_t)rowid;

	if (i == set->count)
		return set->rows;
	if (set->chunks[i].chunk != chunk_of_row(rowid) ||
	    rowid == chunk_first_row(set->chunks[i].chunk))
		return set->chunks[i].before;
	/* roaring's rank counts what is less or equal. */
	return set->chunks[i].before + roaring_bitmap_rank(set->chunks[i].bits, low - 1);
}

void row_set_decode(const struct row_set_chunk *chunk, uint32_t *out)
{
	roaring_bitmap_to_uint32_array(chunk->bits, out);
}

bool row_set_first(const struct row_set *set, int64_t *rowid)
{
	if (set->count == 0)
		return false;
	*rowid = row_set_rowid(&set->chunks[0], roaring_bitmap_minimum(set->chunks[0].bits));
	return true;
}

bool row_set_last(const struct row_set *set, int64_t *rowid)
{
	const struct row_set_chunk *last;

	if (set->count == 0)
		return false;
	last = &set->chunks[set->count - 1];
	*rowid = row_set_rowid(last, roaring_bitmap_maximum(last->bits));
	return true;
}

int64_t row_set_at(const struct row_set *set, uint64_t place)
{
	size_t low = 0;
	size_t high = set->count;
	uint32_t value = 0;

	/* The last chunk that begins at place or before. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (set->chunks[middle].before <= place)
			low = middle;
		else
			high = middle;
	}
	roaring_bitmap_select(set->chunks[low].bits, (uint32_t)(place - set->chunks[low].before),
			      &value);
	return row_set_rowid(&set->chunks[low], value);
}

enum status row_set_join(struct row_set *set, struct row_set *behind, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < behind->count; i++) {
		status = row_set_append(set, behind->chunks[i].chunk, behind->chunks[i].bits,
					message);
		behind->chunks[i].bits = NULL;
	}
	row_set_free(behind);
	return status;
}

void row_set_free(struct row_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->chunks[i].bits)
			roaring_bitmap_free(set->chunks[i].bits);
	free(set->chunks);
	*set = (struct row_set){0};
}
