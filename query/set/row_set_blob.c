#include "row_set_blob.h"

#include <string.h>

#include "base/byte_reader.h"
#include "base/little_endian.h"
#include "bitmap/roaring_format.h"
#include "database/sqlite.h"

enum {
	COUNT_BYTES = 8, /* of the number of buckets, before the first */
	KEY_BYTES = 4,	 /* of the upper 32 bits, before each bucket */
	/* The cookies of the 32-bit format, in the low 16 bits. */
	COOKIE_PLAIN = 12346,
	COOKIE_RUNS = 12347,
};

static int64_t bucket_at(const struct row_set *set, size_t number)
{
	return bucket_of_chunk(chunk_of_segment(set->containers[number].segment));
}

static bool fits_32_bits(const struct row_set *set)
{
	return set->count == 0 || (bucket_at(set, 0) == 0 && bucket_at(set, set->count - 1) == 0);
}

/* The number of containers from `first` on that share the upper 32 bits. */
static size_t bucket_length(const struct row_set *set, size_t first)
{
	size_t end = first;

	while (end < set->count && bucket_at(set, end) == bucket_at(set, first))
		end++;
	return end - first;
}

size_t row_set_export_size(const struct row_set *set)
{
	size_t size = COUNT_BYTES;
	size_t length;

	if (fits_32_bits(set))
		return roaring_format_size(set->containers, set->count);
	for (size_t first = 0; first < set->count; first += length) {
		length = bucket_length(set, first);
		size += KEY_BYTES + roaring_format_size(set->containers + first, length);
	}
	return size;
}

/* Writes the buckets of the containers first to end, and counts them. */
static uint8_t *buckets_write(const struct row_set *set, size_t first, size_t end,
			      uint64_t *buckets, uint8_t *out)
{
	size_t length;

	for (; first < end; first += length) {
		uint64_t rows;

		length = bucket_length(set, first);
		write_little_endian_32(out, (uint32_t)bucket_at(set, first));
		out += KEY_BYTES;
		out += roaring_format_encode(set->containers + first, length, out, &rows);
		(*buckets)++;
	}
	return out;
}

enum status row_set_export(const struct row_set *set, uint8_t **bytes, size_t *size,
			   struct message *message)
{
	const size_t positive = row_set_seek(set, 0);
	uint64_t buckets = 0;
	uint64_t rows;
	uint8_t *out;

	*size = row_set_export_size(set);
	*bytes = sqlite3_malloc64(*size);
	if (!*bytes)
		return message_out_of_memory(message);
	if (fits_32_bits(set)) {
		roaring_format_encode(set->containers, set->count, *bytes, &rows);
		return STATUS_OK;
	}
	/* As unsigned numbers, negative row ids come behind all others. */
	out = buckets_write(set, positive, set->count, &buckets, *bytes + COUNT_BYTES);
	buckets_write(set, 0, positive, &buckets, out);
	write_little_endian_64(*bytes, buckets);
	return STATUS_OK;
}

void row_set_kinds_count(const struct row_set *set, struct row_set_kinds *kinds)
{
	*kinds = (struct row_set_kinds){0};
	for (size_t i = 0; i < set->count; i++) {
		const struct container *container = &set->containers[i];
		const bool small = container->cardinality <= CONTAINER_ARRAY_MAX;

		kinds->runs += container->is_run;
		kinds->arrays += !container->is_run && small;
		kinds->bitsets += !container->is_run && !small;
	}
}

/* A bucket on its way into a set. */
struct import {
	struct row_set *set;
	int64_t first_segment; /* of the bucket */
};

static enum status container_take(void *context, uint16_t key, const struct container *container,
				  struct message *message)
{
	const struct import *import = context;
	struct container taken = *container;

	taken.segment = import->first_segment + key;
	return row_set_append(import->set, &taken, message);
}

/* Appends the bucket with which the input begins to set. */
static enum status bucket_import(struct byte_reader *input, int32_t key, struct row_set *set,
				 struct message *message)
{
	struct import import = {.set = set, .first_segment = bucket_first_segment(key)};
	size_t used = 0;
	enum status status = roaring_format_visit(input->next, input->left, container_take, &import,
						  &used, message);

	byte_reader_take(input, used);
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
