#include "row_set.h"

#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BITS = 20,
	BUCKET_CHUNKS = 1 << (32 - CHUNK_BITS), /* chunks that share the upper 32 bits */
};

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
	int64_t chunk = rowid >> CHUNK_BITS;
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

	return i < set->count && set->chunks[i].chunk == rowid >> CHUNK_BITS &&
	       roaring_bitmap_contains(set->chunks[i].bits, (uint32_t)rowid);
}

uint64_t row_set_rank(const struct row_set *set, int64_t rowid)
{
	size_t i = row_set_seek(set, rowid);
	uint32_t low = (uint32_t)rowid;

	if (i == set->count)
		return set->rows;
	if (set->chunks[i].chunk != rowid >> CHUNK_BITS || low % (1U << CHUNK_BITS) == 0)
		return set->chunks[i].before;
	/* roaring's rank counts what is less or equal. */
	return set->chunks[i].before + roaring_bitmap_rank(set->chunks[i].bits, low - 1);
}

void row_set_decode(const struct row_set_chunk *chunk, uint32_t *out)
{
	roaring_bitmap_to_uint32_array(chunk->bits, out);
}

static bool fits_32_bits(const struct row_set *set)
{
	return set->count == 0 ||
	       (set->chunks[0].chunk >= 0 && set->chunks[set->count - 1].chunk < BUCKET_CHUNKS);
}

/* The union of chunks that share the upper 32 bits of their row ids. NULL without memory. */
static roaring_bitmap_t *bucket_join(const struct row_set *set, size_t first, size_t count)
{
	roaring_bitmap_t *joined = roaring_bitmap_create();

	for (size_t i = first; joined && i < first + count; i++)
		roaring_bitmap_or_inplace(joined, set->chunks[i].bits);
	if (joined)
		roaring_bitmap_run_optimize(joined);
	return joined;
}

/* The number of chunks from `first` on that share the upper 32 bits. */
static size_t bucket_length(const struct row_set *set, size_t first)
{
	size_t end = first;

	while (end < set->count && set->chunks[end].chunk >> (32 - CHUNK_BITS) ==
					   set->chunks[first].chunk >> (32 - CHUNK_BITS))
		end++;
	return end - first;
}

static enum status append_bucket(uint8_t **bytes, size_t *size, const struct row_set *set,
				 size_t first, size_t count, bool with_key, struct message *message)
{
	roaring_bitmap_t *joined = bucket_join(set, first, count);
	uint32_t key = count ? (uint32_t)(set->chunks[first].chunk >> (32 - CHUNK_BITS)) : 0;
	size_t head = with_key ? 4 : 0;
	size_t length;
	uint8_t *longer;

	if (!joined)
		return message_out_of_memory(message);
	length = roaring_bitmap_portable_size_in_bytes(joined);
	longer = realloc(*bytes, *size + head + length);
	if (longer) {
		*bytes = longer;
		for (size_t i = 0; i < head; i++)
			longer[*size + i] = (uint8_t)(key >> (8 * i));
		roaring_bitmap_portable_serialize(joined, (char *)longer + *size + head);
		*size += head + length;
	}
	roaring_bitmap_free(joined);
	return longer ? STATUS_OK : message_out_of_memory(message);
}

/* The buckets of the chunks first to end, and no others. */
static enum status append_buckets(uint8_t **bytes, size_t *size, const struct row_set *set,
				  size_t first, size_t end, uint64_t *buckets,
				  struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && first < end) {
		size_t length = bucket_length(set, first);

		status = append_bucket(bytes, size, set, first, length, true, message);
		first += length;
		(*buckets)++;
	}
	return status;
}

static enum status export_64_bits(const struct row_set *set, uint8_t **bytes, size_t *size,
				  struct message *message)
{
	size_t first_positive = row_set_seek(set, 0);
	uint64_t buckets = 0;
	enum status status;

	*bytes = malloc(8);
	*size = 8;
	if (!*bytes)
		return message_out_of_memory(message);
	/* As unsigned numbers, negative row ids come behind all others. */
	status = append_buckets(bytes, size, set, first_positive, set->count, &buckets, message);
	if (status == STATUS_OK)
		status = append_buckets(bytes, size, set, 0, first_positive, &buckets, message);
	for (size_t i = 0; i < 8; i++)
		(*bytes)[i] = (uint8_t)(buckets >> (8 * i));
	return status;
}

enum status row_set_export(const struct row_set *set, uint8_t **bytes, size_t *size,
			   struct message *message)
{
	enum status status;

	*bytes = NULL;
	*size = 0;
	if (fits_32_bits(set))
		status = append_bucket(bytes, size, set, 0, set->count, false, message);
	else
		status = export_64_bits(set, bytes, size, message);
	if (status != STATUS_OK) {
		free(*bytes);
		*bytes = NULL;
	}
	return status;
}

void row_set_free(struct row_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		roaring_bitmap_free(set->chunks[i].bits);
	free(set->chunks);
	*set = (struct row_set){0};
}
