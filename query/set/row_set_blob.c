#include "row_set_blob.h"

#include <stdlib.h>

#include "base/byte_reader.h"
#include "base/little_endian.h"
#include "bitmap/roaring_format.h"

enum {
	COUNT_BYTES = 8, /* of the number of buckets, before the first */
	KEY_BYTES = 4,	 /* of the upper 32 bits, before each bucket */
	/* What stands before the containers of a chunk, at most: cookie, flags, keys, offsets. */
	CHUNK_HEAD_BYTES = 8 + 2 + CHUNK_SEGMENTS * 8,
	/* The cookies of the 32-bit format, in the low 16 bits. */
	COOKIE_PLAIN = 12346,
	COOKIE_RUNS = 12347,
	ARRAY_MAX = 4096, /* values; a container that has more and no runs is a bitset */
};

static bool fits_32_bits(const struct row_set *set)
{
	return set->count == 0 ||
	       (set->chunks[0].chunk >= 0 && set->chunks[set->count - 1].chunk < BUCKET_CHUNKS);
}

/* The number of chunks from `first` on that share the upper 32 bits. */
static size_t bucket_length(const struct row_set *set, size_t first)
{
	size_t end = first;

	while (end < set->count &&
	       bucket_of_chunk(set->chunks[end].chunk) == bucket_of_chunk(set->chunks[first].chunk))
		end++;
	return end - first;
}

/* The containers of a bucket, each in the smallest of its forms. */
struct bucket {
	struct container *containers;
	size_t count;
	int64_t first_segment;
	uint8_t *bytes; /* that they point into */
	size_t size;
};

static enum status bucket_take(void *context, uint16_t key, const struct container *container,
			       struct message *message)
{
	struct bucket *bucket = context;

	(void)message;
	bucket->containers[bucket->count] = *container;
	bucket->containers[bucket->count++].segment = bucket->first_segment + key;
	return STATUS_OK;
}

/*
 * Runs that take no fewer bytes than an array would: CRoaring leaves them as
 * they are where they were runs before, but the bytes are to follow from the
 * set alone.
 */
static void runs_to_array(struct container *container, uint8_t *bytes)
{
	uint16_t values[ARRAY_MAX];
	size_t count = 0;

	for (size_t at = 2; at < container->size; at += 4)
		for (unsigned i = 0; i <= read_little_endian_16(bytes + at + 2); i++)
			values[count++] = (uint16_t)(read_little_endian_16(bytes + at) + i);
	for (size_t i = 0; i < count; i++)
		write_little_endian_16(bytes + i * 2, values[i]);
	container->is_run = false;
	container->size = (uint32_t)count * 2;
}

static void bucket_settle(struct bucket *bucket, size_t from)
{
	for (size_t i = from; i < bucket->count; i++) {
		struct container *container = &bucket->containers[i];

		if (container->is_run && container->cardinality <= ARRAY_MAX &&
		    container->size >= container->cardinality * 2)
			runs_to_array(container,
				      bucket->bytes + (container->bytes - bucket->bytes));
	}
}

/* A chunk's containers, from a copy of it: sets are shared, and to shrink them is to write. */
static enum status bucket_add(struct bucket *bucket, const roaring_bitmap_t *bits,
			      struct message *message)
{
	roaring_bitmap_t *smallest = roaring_bitmap_copy(bits);
	uint8_t *bytes = bucket->bytes + bucket->size;
	const size_t before = bucket->count;
	size_t size;
	size_t used;
	enum status status;

	if (!smallest)
		return message_out_of_memory(message);
	roaring_bitmap_run_optimize(smallest);
	size = roaring_bitmap_portable_serialize(smallest, (char *)bytes);
	roaring_bitmap_free(smallest);
	bucket->size += size;
	status = roaring_format_visit(bytes, size, bucket_take, bucket, &used, message);
	bucket_settle(bucket, before);
	return status;
}

/* No container's smallest form is larger than the one it has, but what stands before may be. */
static enum status bucket_make(const struct row_set *set, size_t first, size_t count,
			       struct bucket *bucket, struct message *message)
{
	size_t most = 0;
	enum status status = STATUS_OK;

	*bucket = (struct bucket){.first_segment = count ? bucket_first_segment(bucket_of_chunk(
								   set->chunks[first].chunk))
							 : 0};
	for (size_t i = first; i < first + count; i++)
		most += CHUNK_HEAD_BYTES +
			roaring_bitmap_portable_size_in_bytes(set->chunks[i].bits);
	bucket->containers = malloc((count * CHUNK_SEGMENTS + 1) * sizeof(*bucket->containers));
	bucket->bytes = malloc(most + 1);
	if (!bucket->containers || !bucket->bytes)
		return message_out_of_memory(message);
	for (size_t i = first; status == STATUS_OK && i < first + count; i++)
		status = bucket_add(bucket, set->chunks[i].bits, message);
	return status;
}

/* The empty bitmap: no containers, and so no runs. */
static size_t empty_encode(uint8_t *out)
{
	write_little_endian_32(out, COOKIE_PLAIN);
	write_little_endian_32(out + 4, 0);
	return 8;
}

/* A blob on its way out of a set. */
struct blob {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

/* Grows by half, so that many small buckets are not copied once for each other. */
static enum status blob_reserve(struct blob *blob, size_t more, struct message *message)
{
	const size_t needed = blob->size + more;
	const size_t capacity = needed + needed / 2;
	uint8_t *longer;

	if (blob->bytes && needed <= blob->capacity)
		return STATUS_OK;
	longer = realloc(blob->bytes, capacity);
	if (!longer)
		return message_out_of_memory(message);
	blob->bytes = longer;
	blob->capacity = capacity;
	return STATUS_OK;
}

static enum status append_bucket(struct blob *blob, const struct row_set *set, size_t first,
				 size_t count, bool with_key, struct message *message)
{
	const size_t head = with_key ? KEY_BYTES : 0;
	struct bucket bucket;
	enum status status = bucket_make(set, first, count, &bucket, message);
	uint64_t rows;

	if (status == STATUS_OK)
		status = blob_reserve(blob, head + 8 + bucket.count * 9 + bucket.size, message);
	if (status == STATUS_OK) {
		if (with_key)
			write_little_endian_32(blob->bytes + blob->size,
					       (uint32_t)bucket_of_chunk(set->chunks[first].chunk));
		blob->size += head;
		blob->size += bucket.count ? roaring_format_encode(bucket.containers, bucket.count,
								   blob->bytes + blob->size, &rows)
					   : empty_encode(blob->bytes + blob->size);
	}
	free(bucket.containers);
	free(bucket.bytes);
	return status;
}

/* The buckets of the chunks first to end, and no others. */
static enum status append_buckets(struct blob *blob, const struct row_set *set, size_t first,
				  size_t end, uint64_t *buckets, struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && first < end) {
		size_t length = bucket_length(set, first);

		status = append_bucket(blob, set, first, length, true, message);
		first += length;
		(*buckets)++;
	}
	return status;
}

static enum status export_64_bits(const struct row_set *set, struct blob *blob,
				  struct message *message)
{
	size_t first_positive = row_set_seek(set, 0);
	uint64_t buckets = 0;
	enum status status = blob_reserve(blob, COUNT_BYTES, message);

	if (status != STATUS_OK)
		return status;
	blob->size = COUNT_BYTES;
	/* As unsigned numbers, negative row ids come behind all others. */
	status = append_buckets(blob, set, first_positive, set->count, &buckets, message);
	if (status == STATUS_OK)
		status = append_buckets(blob, set, 0, first_positive, &buckets, message);
	write_little_endian_64(blob->bytes, buckets);
	return status;
}

enum status row_set_export(const struct row_set *set, uint8_t **bytes, size_t *size,
			   struct message *message)
{
	struct blob blob = {0};
	enum status status;

	if (fits_32_bits(set))
		status = append_bucket(&blob, set, 0, set->count, false, message);
	else
		status = export_64_bits(set, &blob, message);
	if (status != STATUS_OK) {
		free(blob.bytes);
		blob.bytes = NULL;
	}
	*bytes = blob.bytes;
	*size = blob.size;
	return status;
}

enum status row_set_kinds_count(const struct row_set *set, struct row_set_kinds *kinds,
				struct message *message)
{
	enum status status = STATUS_OK;

	*kinds = (struct row_set_kinds){0};
	for (size_t i = 0; status == STATUS_OK && i < set->count; i++) {
		struct bucket bucket;

		status = bucket_make(set, i, 1, &bucket, message);
		for (size_t j = 0; status == STATUS_OK && j < bucket.count; j++) {
			const struct container *container = &bucket.containers[j];

			kinds->runs += container->is_run;
			kinds->arrays += !container->is_run && container->cardinality <= ARRAY_MAX;
			kinds->bitsets += !container->is_run && container->cardinality > ARRAY_MAX;
		}
		free(bucket.containers);
		free(bucket.bytes);
	}
	return status;
}

/* One bucket on its way into a set: its containers, gathered chunk by chunk. */
struct import {
	struct row_set *set;
	int64_t first_segment; /* of the bucket */
	struct container containers[CHUNK_SEGMENTS];
	size_t count;
	uint8_t *scratch; /* the chunk as a bitmap of its own */
	size_t capacity;
};

static enum status scratch_reserve(struct import *import, struct message *message)
{
	size_t needed = CHUNK_HEAD_BYTES;
	uint8_t *larger;

	for (size_t i = 0; i < import->count; i++)
		needed += import->containers[i].size;
	if (needed <= import->capacity)
		return STATUS_OK;
	larger = realloc(import->scratch, needed);
	if (!larger)
		return message_out_of_memory(message);
	import->scratch = larger;
	import->capacity = needed;
	return STATUS_OK;
}

/* The containers at hand are all of their chunk. */
static enum status chunk_finish(struct import *import, struct message *message)
{
	const int64_t chunk = chunk_of_segment(import->containers[0].segment);
	roaring_bitmap_t *bits;
	uint64_t rows;
	size_t size;
	enum status status;

	if (import->count == 0)
		return STATUS_OK;
	status = scratch_reserve(import, message);
	if (status != STATUS_OK)
		return status;
	size = roaring_format_encode(import->containers, import->count, import->scratch, &rows);
	import->count = 0;
	bits = roaring_bitmap_portable_deserialize_safe((const char *)import->scratch, size);
	return bits ? row_set_append(import->set, chunk, bits, message)
		    : message_out_of_memory(message);
}

static enum status container_take(void *context, uint16_t key, const struct container *container,
				  struct message *message)
{
	struct import *import = context;
	const int64_t segment = import->first_segment + key;
	enum status status = STATUS_OK;

	if (import->count &&
	    chunk_of_segment(import->containers[0].segment) != chunk_of_segment(segment))
		status = chunk_finish(import, message);
	if (status != STATUS_OK)
		return status;
	import->containers[import->count] = *container;
	import->containers[import->count++].segment = segment;
	return STATUS_OK;
}

/* Appends the bucket with which the input begins to set. */
static enum status bucket_import(struct byte_reader *input, int32_t key, struct row_set *set,
				 struct message *message)
{
	struct import import = {.set = set, .first_segment = bucket_first_segment(key)};
	size_t used = 0;
	enum status status = roaring_format_visit(input->next, input->left, container_take, &import,
						  &used, message);

	if (status == STATUS_OK)
		status = chunk_finish(&import, message);
	byte_reader_take(input, used);
	free(import.scratch);
	return status;
}

static enum status import_32_bits(const uint8_t *bytes, size_t size, struct row_set *set,
				  struct message *message)
{
	struct byte_reader input = byte_reader_of(bytes, size);
	enum status status = bucket_import(&input, 0, set, message);

	if (status == STATUS_OK && input.left)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: %zu bytes behind its end", input.left);
	return status;
}

/* As unsigned numbers negative row ids come last, in a set they come first. */
static enum status buckets_import(struct byte_reader *input, uint64_t count,
				  struct row_set *positive, struct row_set *negative,
				  struct message *message)
{
	uint32_t last = 0;
	enum status status = STATUS_OK;

	for (uint64_t i = 0; status == STATUS_OK && i < count; i++) {
		const uint8_t *bytes = byte_reader_take(input, KEY_BYTES);
		uint32_t key;

		if (!bytes)
			return message_set(message, STATUS_FAILED,
					   "damaged bitmap: it ends too early");
		key = read_little_endian_32(bytes);
		if (i > 0 && key <= last)
			return message_set(message, STATUS_FAILED,
					   "damaged bitmap: its 64-bit keys are not ascending");
		last = key;
		status = bucket_import(input, (int32_t)key, key >> 31 ? negative : positive,
				       message);
	}
	if (status == STATUS_OK && input->left)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: %zu bytes behind its end", input->left);
	return status;
}

static enum status import_64_bits(const uint8_t *bytes, size_t size, struct row_set *set,
				  struct message *message)
{
	struct byte_reader input = byte_reader_of(bytes, size);
	const uint8_t *head = byte_reader_take(&input, COUNT_BYTES);
	struct row_set positive = {0};
	uint64_t count;
	enum status status;

	if (!head)
		return message_set(message, STATUS_FAILED, "damaged bitmap: it ends too early");
	count = read_little_endian_64(head);
	/* Each bucket has a key and at least the head of a bitmap. */
	if (count > input.left / (KEY_BYTES + 8))
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: it is neither a 32-bit one nor has it room for "
				   "the %llu parts of a 64-bit one",
				   (unsigned long long)count);
	status = buckets_import(&input, count, &positive, set, message);
	if (status == STATUS_OK)
		status = row_set_join(set, &positive, message);
	row_set_free(&positive);
	return status;
}

static bool has_cookie(const uint8_t *bytes, size_t size)
{
	return size >= 4 && (read_little_endian_32(bytes) == COOKIE_PLAIN ||
			     (read_little_endian_32(bytes) & 0xffff) == COOKIE_RUNS);
}

/*
 * A 64-bit bitmap begins with the number of its buckets, which may look like
 * the cookie of a 32-bit one. But then it has so many buckets that it is longer
 * than any 32-bit bitmap with that cookie can be: only one of the two readings
 * ends where the bytes do.
 */
enum status row_set_import(const uint8_t *bytes, size_t size, struct row_set *set,
			   struct message *message)
{
	struct message ignored;
	enum status status;

	*set = (struct row_set){0};
	if (!has_cookie(bytes, size)) {
		status = import_64_bits(bytes, size, set, message);
	} else {
		status = import_32_bits(bytes, size, set, message);
		if (status != STATUS_OK) {
			row_set_free(set);
			if (import_64_bits(bytes, size, set, &ignored) == STATUS_OK)
				return STATUS_OK;
		}
	}
	if (status != STATUS_OK)
		row_set_free(set);
	return status;
}
