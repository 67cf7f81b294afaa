#include "value_list.h"

#include <string.h>

#include "base/little_endian.h"

enum {
	NUMBER_SIZE = 4,
	END_SIZE = 4,
	GAP_SIZE_MAX = 5, /* bytes of 32 bits in groups of 7 */
	GROUP_BITS = 7,
	GROUP_FOLLOWS = 1 << GROUP_BITS,
	HEAD_SIZE = NUMBER_SIZE + END_SIZE, /* of a block of numbers, */
	ADDRESS_HEAD_SIZE = VALUE_ADDRESS_SIZE + END_SIZE,
};

/* One of the two parts of a list: where its heads and its rests lie. */
struct part {
	size_t values;
	size_t block; /* values in one */
	size_t blocks;
	size_t first_size;
	size_t firsts; /* offsets in the column */
	size_t ends;
	size_t rests;
};

static size_t blocks_of(size_t values, size_t block)
{
	return (values + block - 1) / block;
}

size_t value_list_size_max(size_t numbers, size_t addresses)
{
	return blocks_of(numbers, VALUE_BLOCK) * HEAD_SIZE + numbers * GAP_SIZE_MAX +
	       blocks_of(addresses, VALUE_ADDRESS_BLOCK) * ADDRESS_HEAD_SIZE +
	       addresses * (1 + VALUE_ADDRESS_SIZE);
}

static size_t numbers_encode(const uint32_t *numbers, size_t count, uint8_t *out)
{
	const size_t blocks = blocks_of(count, VALUE_BLOCK);
	uint8_t *ends = out + blocks * NUMBER_SIZE;
	uint8_t *const rests = out + blocks * HEAD_SIZE;
	uint8_t *rest = rests;

	for (size_t i = 0; i < count; i++) {
		if (i % VALUE_BLOCK == 0) {
			write_little_endian_32(out + i / VALUE_BLOCK * NUMBER_SIZE, numbers[i]);
		} else {
			uint32_t gap = numbers[i] - numbers[i - 1] - 1;

			for (; gap >= GROUP_FOLLOWS; gap >>= GROUP_BITS)
				*rest++ = (uint8_t)(gap | GROUP_FOLLOWS);
			*rest++ = (uint8_t)gap;
		}
		if (i % VALUE_BLOCK == VALUE_BLOCK - 1 || i + 1 == count)
			write_little_endian_32(ends + i / VALUE_BLOCK * END_SIZE,
					       (uint32_t)(rest - rests));
	}
	return (size_t)(rest - out);
}

static size_t addresses_encode(const uint8_t (*addresses)[VALUE_ADDRESS_SIZE], size_t count,
			       uint8_t *out)
{
	const size_t blocks = blocks_of(count, VALUE_ADDRESS_BLOCK);
	uint8_t *ends = out + blocks * VALUE_ADDRESS_SIZE;
	uint8_t *const rests = out + blocks * ADDRESS_HEAD_SIZE;
	uint8_t *rest = rests;

	for (size_t i = 0; i < count; i++) {
		const size_t block = i / VALUE_ADDRESS_BLOCK;

		if (i % VALUE_ADDRESS_BLOCK == 0) {
			memcpy(out + block * VALUE_ADDRESS_SIZE, addresses[i], VALUE_ADDRESS_SIZE);
		} else {
			size_t shared = 0;

			while (addresses[i][shared] == addresses[i - 1][shared])
				shared++;
			*rest++ = (uint8_t)shared;
			memcpy(rest, addresses[i] + shared, VALUE_ADDRESS_SIZE - shared);
			rest += VALUE_ADDRESS_SIZE - shared;
		}
		if (i % VALUE_ADDRESS_BLOCK == VALUE_ADDRESS_BLOCK - 1 || i + 1 == count)
			write_little_endian_32(ends + block * END_SIZE, (uint32_t)(rest - rests));
	}
	return (size_t)(rest - out);
}

size_t value_list_encode(const uint32_t *numbers, size_t number_count,
			 const uint8_t (*addresses)[VALUE_ADDRESS_SIZE], size_t address_count,
			 uint8_t *out)
{
	const size_t size = numbers_encode(numbers, number_count, out);

	return size + addresses_encode(addresses, address_count, out + size);
}

static struct part part_at(size_t at, size_t values, size_t block, size_t first_size)
{
	const size_t blocks = blocks_of(values, block);

	return (struct part){.values = values,
			     .block = block,
			     .blocks = blocks,
			     .first_size = first_size,
			     .firsts = at,
			     .ends = at + blocks * first_size,
			     .rests = at + blocks * (first_size + END_SIZE)};
}

static struct part numbers_part(const struct value_list *list)
{
	return part_at(list->at, list->numbers, VALUE_BLOCK, NUMBER_SIZE);
}

/* Where the rest of a block begins and ends, counted from the part's first rest on. */
static enum status rest_find(const struct part *part, struct column_bytes *bytes, size_t block,
			     size_t *begin, size_t *end, struct message *message)
{
	const size_t before = block ? 1 : 0;
	const uint8_t *ends;
	enum status status = column_bytes_get(bytes, part->ends + (block - before) * END_SIZE,
					      (before + 1) * END_SIZE, &ends, message);

	if (status != STATUS_OK)
		return status;
	*begin = before ? read_little_endian_32(ends) : 0;
	*end = read_little_endian_32(ends + before * END_SIZE);
	if (*begin > *end || *end > bytes->size)
		return column_bytes_damaged(message, "a block of values ends before it begins");
	return STATUS_OK;
}

static enum status addresses_part(const struct value_list *list, struct column_bytes *bytes,
				  struct part *part, struct message *message)
{
	const struct part numbers = numbers_part(list);
	size_t begin;
	size_t end = 0;
	enum status status = STATUS_OK;

	if (numbers.blocks)
		status = rest_find(&numbers, bytes, numbers.blocks - 1, &begin, &end, message);
	*part = part_at(numbers.rests + end, list->addresses, VALUE_ADDRESS_BLOCK,
			VALUE_ADDRESS_SIZE);
	return status;
}

static size_t values_in(const struct part *part, size_t block)
{
	const size_t left = part->values - block * part->block;

	return left < part->block ? left : part->block;
}

/* Reads one block of numbers. */
static enum status numbers_decode(const struct part *part, struct column_bytes *bytes, size_t block,
				  uint32_t numbers[static VALUE_BLOCK], struct message *message)
{
	const size_t count = values_in(part, block);
	const uint8_t *first;
	const uint8_t *rest;
	const uint8_t *behind;
	size_t begin;
	size_t end;
	uint64_t number;
	enum status status = column_bytes_get(bytes, part->firsts + block * NUMBER_SIZE,
					      NUMBER_SIZE, &first, message);

	if (status == STATUS_OK)
		status = rest_find(part, bytes, block, &begin, &end, message);
	if (status == STATUS_OK)
		status = column_bytes_get(bytes, part->rests + begin, end - begin, &rest, message);
	if (status != STATUS_OK)
		return status;
	behind = rest + (end - begin);
	number = numbers[0] = read_little_endian_32(first);
	for (size_t i = 1; i < count; i++) {
		uint64_t gap = 0;
		unsigned shift = 0;

		while (rest < behind && *rest & GROUP_FOLLOWS && shift < 4 * GROUP_BITS) {
			gap |= (uint64_t)(*rest++ & (GROUP_FOLLOWS - 1)) << shift;
			shift += GROUP_BITS;
		}
		if (rest == behind || *rest & GROUP_FOLLOWS)
			return column_bytes_damaged(message, "a number of a list ends too early");
		gap |= (uint64_t)*rest++ << shift;
		number += gap + 1;
		if (number > UINT32_MAX)
			return column_bytes_damaged(message, "a number of a list is too large");
		numbers[i] = (uint32_t)number;
	}
	return rest == behind ? STATUS_OK
			      : column_bytes_damaged(message, "bytes behind a block of values");
}

/* Reads one block of addresses. */
static enum status addresses_decode(const struct part *part, struct column_bytes *bytes,
				    size_t block, uint8_t (*addresses)[VALUE_ADDRESS_SIZE],
				    struct message *message)
{
	const size_t count = values_in(part, block);
	const uint8_t *first;
	const uint8_t *rest;
	const uint8_t *behind;
	size_t begin;
	size_t end;
	enum status status = column_bytes_get(bytes, part->firsts + block * VALUE_ADDRESS_SIZE,
					      VALUE_ADDRESS_SIZE, &first, message);

	if (status == STATUS_OK)
		status = rest_find(part, bytes, block, &begin, &end, message);
	if (status == STATUS_OK)
		status = column_bytes_get(bytes, part->rests + begin, end - begin, &rest, message);
	if (status != STATUS_OK)
		return status;
	behind = rest + (end - begin);
	memcpy(addresses[0], first, VALUE_ADDRESS_SIZE);
	for (size_t i = 1; i < count; i++) {
		const size_t shared = rest < behind ? *rest++ : VALUE_ADDRESS_SIZE;

		if (shared >= VALUE_ADDRESS_SIZE ||
		    (size_t)(behind - rest) < VALUE_ADDRESS_SIZE - shared)
			return column_bytes_damaged(message, "an address of a list ends too early");
		memcpy(addresses[i], addresses[i - 1], shared);
		memcpy(addresses[i] + shared, rest, VALUE_ADDRESS_SIZE - shared);
		rest += VALUE_ADDRESS_SIZE - shared;
		if (memcmp(addresses[i], addresses[i - 1], VALUE_ADDRESS_SIZE) <= 0)
			return column_bytes_damaged(message, "addresses of a list do not ascend");
	}
	return rest == behind ? STATUS_OK
			      : column_bytes_damaged(message, "bytes behind a block of values");
}

static uint32_t first_word(const uint8_t *address)
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 |
	       address[3];
}

/* The first 32 bits of the first value of a block. */
static uint32_t block_first(const struct part *part, const uint8_t *firsts, size_t block)
{
	const uint8_t *first = firsts + block * part->first_size;

	return part->first_size == NUMBER_SIZE ? read_little_endian_32(first) : first_word(first);
}

/*
 * Gives the last block whose first value is less than `number`; blocks - 1 others
 * are before or behind it. *any is false where there is none.
 */
static enum status block_find(const struct part *part, struct column_bytes *bytes, uint64_t number,
			      size_t *block, bool *any, struct message *message)
{
	size_t low = 0;
	size_t high = part->blocks;
	const uint8_t *firsts;
	enum status status = column_bytes_get(bytes, part->firsts, part->blocks * part->first_size,
					      &firsts, message);

	if (status != STATUS_OK)
		return status;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (block_first(part, firsts, middle) < number)
			low = middle + 1;
		else
			high = middle;
	}
	*any = low > 0;
	*block = low ? low - 1 : 0;
	return STATUS_OK;
}

enum status value_list_rank(const struct value_list *list, struct column_bytes *bytes,
			    uint64_t number, size_t *rank, struct message *message)
{
	const struct part part = numbers_part(list);
	uint32_t numbers[VALUE_BLOCK];
	size_t block;
	bool any;
	enum status status = block_find(&part, bytes, number, &block, &any, message);

	*rank = 0;
	if (status != STATUS_OK || !any)
		return status;
	status = numbers_decode(&part, bytes, block, numbers, message);
	if (status != STATUS_OK)
		return status;
	*rank = block * VALUE_BLOCK;
	for (size_t i = 0; i < values_in(&part, block) && numbers[i] < number; i++)
		++*rank;
	return STATUS_OK;
}

enum status value_list_rank_address(const struct value_list *list, struct column_bytes *bytes,
				    uint64_t number, size_t *rank, struct message *message)
{
	uint8_t addresses[VALUE_ADDRESS_BLOCK][VALUE_ADDRESS_SIZE];
	struct part part;
	size_t block;
	bool any;
	enum status status = addresses_part(list, bytes, &part, message);

	*rank = 0;
	if (status == STATUS_OK)
		status = block_find(&part, bytes, number, &block, &any, message);
	if (status != STATUS_OK || !any)
		return status;
	status = addresses_decode(&part, bytes, block, addresses, message);
	if (status != STATUS_OK)
		return status;
	*rank = block * VALUE_ADDRESS_BLOCK;
	for (size_t i = 0; i < values_in(&part, block) && first_word(addresses[i]) < number; i++)
		++*rank;
	return STATUS_OK;
}

enum status value_list_decode(const struct value_list *list, struct column_bytes *bytes,
			      uint32_t *numbers, uint8_t (*addresses)[VALUE_ADDRESS_SIZE],
			      struct message *message)
{
	struct part part = numbers_part(list);
	size_t begin;
	size_t end = 0;
	uint32_t block_numbers[VALUE_BLOCK];
	enum status status = STATUS_OK;

	for (size_t block = 0; status == STATUS_OK && block < part.blocks; block++) {
		const size_t at = block * VALUE_BLOCK;

		status = numbers_decode(&part, bytes, block, block_numbers, message);
		if (status == STATUS_OK && block && block_numbers[0] <= numbers[at - 1])
			status = column_bytes_damaged(message, "numbers of a list do not ascend");
		if (status == STATUS_OK)
			memcpy(numbers + at, block_numbers,
			       values_in(&part, block) * sizeof(*numbers));
	}
	if (status == STATUS_OK)
		status = addresses_part(list, bytes, &part, message);
	for (size_t block = 0; status == STATUS_OK && block < part.blocks; block++) {
		const size_t at = block * VALUE_ADDRESS_BLOCK;

		status = addresses_decode(&part, bytes, block, addresses + at, message);
		if (status == STATUS_OK && block &&
		    memcmp(addresses[at], addresses[at - 1], VALUE_ADDRESS_SIZE) <= 0)
			status = column_bytes_damaged(message, "addresses of a list do not ascend");
	}
	if (status == STATUS_OK && part.blocks)
		status = rest_find(&part, bytes, part.blocks - 1, &begin, &end, message);
	if (status == STATUS_OK && part.rests + end != list->at + list->size)
		return column_bytes_damaged(message, "bytes behind a list of values");
	return status;
}
