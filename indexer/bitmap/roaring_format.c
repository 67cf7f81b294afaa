#include "roaring_format.h"

#include <string.h>

#include "base/byte_reader.h"
#include "base/little_endian.h"

enum {
	COOKIE_WITHOUT_RUNS = 12346,
	COOKIE_WITH_RUNS = 12347,
	OFFSETS_FROM = 4, /* with runs, fewer containers have no offsets */
	CONTAINERS_MAX = 1 << 16,
};

size_t roaring_format_encode(const struct container *containers, size_t count, uint8_t *out,
			     uint64_t *rows)
{
	uint8_t *next = out;
	uint8_t *offsets;
	bool any_run = false;

	*rows = 0;
	for (size_t i = 0; i < count; i++)
		any_run |= containers[i].is_run;
	if (any_run) {
		write_little_endian_32(next, COOKIE_WITH_RUNS | (uint32_t)(count - 1) << 16);
		next += 4;
		memset(next, 0, (count + 7) / 8);
		for (size_t i = 0; i < count; i++)
			next[i / 8] = (uint8_t)(next[i / 8] | containers[i].is_run << (i % 8));
		next += (count + 7) / 8;
	} else {
		write_little_endian_32(next, COOKIE_WITHOUT_RUNS);
		write_little_endian_32(next + 4, (uint32_t)count);
		next += 8;
	}
	for (size_t i = 0; i < count; i++, next += 4) {
		write_little_endian_16(next, segment_key(containers[i].segment));
		write_little_endian_16(next + 2, containers[i].cardinality - 1);
		*rows += containers[i].cardinality;
	}
	offsets = next;
	if (!any_run || count >= OFFSETS_FROM)
		next += count * 4;
	for (size_t i = 0; i < count; i++) {
		if (!any_run || count >= OFFSETS_FROM)
			write_little_endian_32(offsets + i * 4, (uint32_t)(next - out));
		memcpy(next, containers[i].bytes, containers[i].size);
		next += containers[i].size;
	}
	return (size_t)(next - out);
}

size_t roaring_format_size(const struct container *containers, size_t count)
{
	size_t size = 0;
	bool any_run = false;

	for (size_t i = 0; i < count; i++) {
		any_run |= containers[i].is_run;
		size += containers[i].size;
	}
	size += any_run ? 4 + (count + 7) / 8 : 8;
	size += count * 4;
	return !any_run || count >= OFFSETS_FROM ? size + count * 4 : size;
}

size_t chunk_encode(const struct container containers[static CHUNK_SEGMENTS],
		    uint8_t out[static CHUNK_BYTES_MAX], uint64_t *rows)
{
	struct container present[CHUNK_SEGMENTS];
	size_t count = 0;

	for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
		if (containers[i].cardinality)
			present[count++] = containers[i];
	*rows = 0;
	return count ? roaring_format_encode(present, count, out, rows) : 0;
}

static enum status truncated(struct message *message)
{
	return message_set(message, STATUS_FAILED, "damaged bitmap: it ends too early");
}

static enum status check_array(const uint8_t *bytes, uint32_t cardinality, struct message *message)
{
	for (size_t i = 1; i < cardinality; i++)
		if (read_little_endian_16(bytes + i * 2) <=
		    read_little_endian_16(bytes + i * 2 - 2))
			return message_set(message, STATUS_FAILED,
					   "damaged bitmap: an array is not ascending");
	return STATUS_OK;
}

static enum status check_bitset(const uint8_t *bytes, uint32_t cardinality, struct message *message)
{
	uint32_t bits;
	uint32_t runs;

	container_count_bitset(bytes, &bits, &runs);
	if (bits != cardinality)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: a bitset has %u bits where %u are declared",
				   bits, cardinality);
	return STATUS_OK;
}

static enum status check_runs(struct byte_reader *input, uint32_t cardinality,
			      struct message *message)
{
	const uint8_t *bytes = byte_reader_take(input, 2);
	uint32_t runs;
	uint32_t total = 0;
	uint32_t free_from = 0; /* the first value that no run has yet */

	if (!bytes)
		return truncated(message);
	runs = read_little_endian_16(bytes);
	bytes = byte_reader_take(input, runs * (size_t)4);
	if (!bytes)
		return truncated(message);
	for (uint32_t i = 0; i < runs; i++) {
		uint32_t start = read_little_endian_16(bytes + i * (size_t)4);
		uint32_t more = read_little_endian_16(bytes + i * (size_t)4 + 2);

		/* Runs that touch are one run: CRoaring compares sets as if nobody wrote two. */
		if (start < free_from || (i > 0 && start == free_from) || start + more > UINT16_MAX)
			return message_set(
				message, STATUS_FAILED,
				"damaged bitmap: runs touch, overlap or leave their container");
		free_from = start + more + 1;
		total += more + 1;
	}
	if (total != cardinality)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: runs have %u values where %u are declared",
				   total, cardinality);
	return STATUS_OK;
}

static enum status check_container(struct byte_reader *input, bool is_run, uint32_t cardinality,
				   struct message *message)
{
	const uint8_t *bytes;

	if (is_run)
		return check_runs(input, cardinality, message);
	bytes = byte_reader_take(input, cardinality > CONTAINER_ARRAY_MAX
						? CONTAINER_BYTES_MAX
						: cardinality * (size_t)2);
	if (!bytes)
		return truncated(message);
	if (cardinality > CONTAINER_ARRAY_MAX)
		return check_bitset(bytes, cardinality, message);
	return check_array(bytes, cardinality, message);
}

/* Reads the cookie and, where there are runs, the flags. *run_flags is NULL without. */
static enum status check_head(struct byte_reader *input, size_t *count, const uint8_t **run_flags,
			      struct message *message)
{
	const uint8_t *bytes = byte_reader_take(input, 4);
	uint32_t cookie;

	*run_flags = NULL;
	if (!bytes)
		return truncated(message);
	cookie = read_little_endian_32(bytes);
	if ((cookie & 0xffff) == COOKIE_WITH_RUNS) {
		*count = (cookie >> 16) + 1;
		*run_flags = byte_reader_take(input, (*count + 7) / 8);
		return *run_flags ? STATUS_OK : truncated(message);
	}
	if (cookie != COOKIE_WITHOUT_RUNS)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: the cookie %u is unknown", cookie);
	bytes = byte_reader_take(input, 4);
	if (!bytes)
		return truncated(message);
	*count = read_little_endian_32(bytes);
	if (*count > CONTAINERS_MAX)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: %zu containers, where 65536 are the most",
				   *count);
	return STATUS_OK;
}

enum status roaring_format_visit(const uint8_t *bytes, size_t length, container_visitor visit,
				 void *context, size_t *used, struct message *message)
{
	struct byte_reader input = byte_reader_of(bytes, length);
	const uint8_t *run_flags;
	const uint8_t *keys;
	const uint8_t *offsets = NULL;
	uint16_t last_key = 0;
	size_t count = 0;
	enum status status = check_head(&input, &count, &run_flags, message);

	if (status != STATUS_OK)
		return status;
	keys = byte_reader_take(&input, count * 4);
	if (!keys)
		return truncated(message);
	if (!run_flags || count >= OFFSETS_FROM) {
		offsets = byte_reader_take(&input, count * 4);
		if (!offsets)
			return truncated(message);
	}
	for (size_t i = 0; i < count; i++) {
		bool is_run = run_flags && (run_flags[i / 8] >> (i % 8) & 1);
		uint16_t key = read_little_endian_16(keys + i * 4);
		struct container container = {
			.cardinality = read_little_endian_16(keys + i * 4 + 2) + UINT32_C(1),
			.is_run = is_run,
			.bytes = input.next,
		};

		if (i > 0 && key <= last_key)
			return message_set(message, STATUS_FAILED,
					   "damaged bitmap: containers are not ascending");
		if (offsets &&
		    read_little_endian_32(offsets + i * 4) != (size_t)(input.next - input.start))
			return message_set(message, STATUS_FAILED,
					   "damaged bitmap: the offset of container %zu is wrong",
					   i);
		status = check_container(&input, is_run, container.cardinality, message);
		container.size = (uint32_t)(input.next - container.bytes);
		if (status == STATUS_OK)
			status = visit(context, key, &container, message);
		if (status != STATUS_OK)
			return status;
		last_key = key;
	}
	*used = length - input.left;
	return STATUS_OK;
}

/* The same for a bitmap that has to fill all the bytes. */
static enum status containers_check(const uint8_t *bytes, size_t length, container_visitor visit,
				    void *context, struct message *message)
{
	size_t used = 0;
	enum status status = roaring_format_visit(bytes, length, visit, context, &used, message);

	if (status == STATUS_OK && used < length)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: %zu bytes behind its end", length - used);
	return status;
}

struct extent {
	uint64_t rows;
	uint16_t first_key;
	uint16_t last_key;
};

static enum status extent_add(void *context, uint16_t key, const struct container *container,
			      struct message *message)
{
	struct extent *extent = context;

	(void)message;
	if (extent->rows == 0)
		extent->first_key = key;
	extent->last_key = key;
	extent->rows += container->cardinality;
	return STATUS_OK;
}

enum status roaring_format_check(const uint8_t *bytes, size_t length, uint64_t *rows,
				 uint16_t *first_key, uint16_t *last_key, struct message *message)
{
	struct extent extent = {0};
	enum status status = containers_check(bytes, length, extent_add, &extent, message);

	*rows = extent.rows;
	*first_key = extent.first_key;
	*last_key = extent.last_key;
	return status;
}

struct chunk_parts {
	int64_t chunk;
	struct container *containers;
	uint64_t rows;
};

static enum status chunk_part_add(void *context, uint16_t key, const struct container *container,
				  struct message *message)
{
	struct chunk_parts *parts = context;
	const unsigned first = segment_key(chunk_first_segment(parts->chunk));
	const unsigned place = key - first;

	if (key < first || place >= CHUNK_SEGMENTS)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: it has rows of another chunk");
	if (container->size > CONTAINER_BYTES_MAX)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: a container of %u bytes, where %d are the most",
				   container->size, CONTAINER_BYTES_MAX);
	parts->containers[place] = *container;
	parts->containers[place].segment = chunk_first_segment(parts->chunk) + (int64_t)place;
	parts->rows += container->cardinality;
	return STATUS_OK;
}

enum status chunk_decode(int64_t chunk, const uint8_t *bytes, size_t length,
			 struct container containers[static CHUNK_SEGMENTS], uint64_t *rows,
			 struct message *message)
{
	struct chunk_parts parts = {.chunk = chunk, .containers = containers};
	enum status status;

	memset(containers, 0, CHUNK_SEGMENTS * sizeof(*containers));
	status = containers_check(bytes, length, chunk_part_add, &parts, message);
	*rows = parts.rows;
	return status;
}

enum status container_check(const struct container *container, struct message *message)
{
	struct byte_reader input = byte_reader_of(container->bytes, container->size);
	enum status status =
		container->cardinality == 0 || container->cardinality > SEGMENT_ROWS
			? message_set(message, STATUS_FAILED, "damaged container: its cardinality")
			: check_container(&input, container->is_run, container->cardinality,
					  message);

	if (status == STATUS_OK && input.left)
		return message_set(message, STATUS_FAILED,
				   "damaged container: bytes behind its end");
	return status;
}

enum status container_decode(const struct container *container, uint16_t low[static SEGMENT_ROWS],
			     struct message *message)
{
	const enum status status = container_check(container, message);
	const uint8_t *bytes = container->bytes;

	if (status != STATUS_OK)
		return status;
	if (container->is_run) {
		for (size_t run = read_little_endian_16(bytes); run > 0; run--) {
			bytes += 4;
			for (uint32_t i = 0; i <= read_little_endian_16(bytes); i++)
				*low++ = (uint16_t)(read_little_endian_16(bytes - 2) + i);
		}
	} else if (container->cardinality <= CONTAINER_ARRAY_MAX) {
		for (size_t i = 0; i < container->cardinality; i++)
			low[i] = read_little_endian_16(bytes + i * 2);
	} else {
		for (size_t i = 0; i < SEGMENT_WORDS; i++)
			for (uint64_t word = read_little_endian_64(bytes + i * 8); word;
			     word &= word - 1)
				*low++ = (uint16_t)(i * 64 + (size_t)__builtin_ctzll(word));
	}
	return STATUS_OK;
}
