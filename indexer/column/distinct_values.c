#include "distinct_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"

enum {
	SLOT_BITS = 17,
	SLOTS = 1 << SLOT_BITS, /* twice as many as values: a search ends soon */
	DIGIT_BITS = 11,
	DIGITS = 1 << DIGIT_BITS,
};

/* An address, and which one it was in the order of the rows. */
struct address_key {
	uint8_t address[VALUE_ADDRESS_SIZE];
	uint32_t found;
};

struct distinct_scratch {
	uint32_t slots[SLOTS];	      /* the place of what was found, and 1; 0 is none */
	uint32_t found[SEGMENT_ROWS]; /* numbers in the order of the rows */
	struct address_key addresses[SEGMENT_ROWS]; /* and addresses */
	uint32_t sorted_as[SEGMENT_ROWS];	    /* by place in found */
	uint64_t keys[SEGMENT_ROWS];
	uint64_t spare[SEGMENT_ROWS];
	uint32_t counts[SEGMENT_ROWS];
};

struct distinct_values *distinct_values_new(void)
{
	struct distinct_values *distinct = calloc(1, sizeof(*distinct));

	if (!distinct)
		return NULL;
	distinct->number = malloc(SEGMENT_ROWS * sizeof(*distinct->number));
	distinct->address = malloc(SEGMENT_ROWS * sizeof(*distinct->address));
	distinct->counts = malloc(SEGMENT_ROWS * sizeof(*distinct->counts));
	distinct->places = malloc(SEGMENT_ROWS * sizeof(*distinct->places));
	distinct->scratch = malloc(sizeof(*distinct->scratch));
	if (distinct->number && distinct->address && distinct->counts && distinct->places &&
	    distinct->scratch)
		return distinct;
	distinct_values_free(distinct);
	return NULL;
}

void distinct_values_free(struct distinct_values *distinct)
{
	if (!distinct)
		return;
	free(distinct->number);
	free(distinct->address);
	free(distinct->counts);
	free(distinct->places);
	free(distinct->scratch);
	free(distinct);
}

/*
 * Sorts `count` keys by their upper 32 bits, ascending; what is alike there keeps its
 * order. In *keys is the result; *spare has room for as many.
 */
static void keys_sort(uint64_t **keys, uint64_t **spare, size_t count)
{
	for (unsigned shift = 32; shift < 64; shift += DIGIT_BITS) {
		uint32_t starts[DIGITS + 1] = {0};
		uint64_t *from = *keys;
		uint64_t *to = *spare;

		for (size_t i = 0; i < count; i++)
			starts[(from[i] >> shift & (DIGITS - 1)) + 1]++;
		for (size_t digit = 1; digit < DIGITS; digit++)
			starts[digit] += starts[digit - 1];
		for (size_t i = 0; i < count; i++)
			to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
		*keys = to;
		*spare = from;
	}
}

static uint32_t mixed(uint64_t value)
{
	return (uint32_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS));
}

static uint32_t address_hash(const uint8_t *address)
{
	uint64_t halves[2];

	memcpy(halves, address, sizeof(halves));
	return mixed(halves[0] ^ (halves[1] * UINT64_C(0xff51afd7ed558ccd)));
}

/* Numbers of 16 bits at most: there is room for every one that there can be, in their order. */
static size_t small_numbers_find(struct distinct_values *distinct, const struct column_input *input)
{
	uint32_t *of_number = distinct->scratch->slots; /* its rows, and then its place */
	uint32_t greatest = 0;
	size_t count = 0;

	for (size_t row = 0; row < input->rows; row++)
		greatest = input->numbers[row] > greatest ? input->numbers[row] : greatest;
	memset(of_number, 0, (greatest + (size_t)1) * sizeof(*of_number));
	for (size_t row = 0; row < input->rows; row++)
		of_number[input->numbers[row]]++;
	for (uint32_t number = 0; number <= greatest; number++) {
		const uint32_t rows = of_number[number];

		/* What is written for a number without rows is written over by the next one. */
		distinct->number[count] = number;
		distinct->counts[count] = rows;
		of_number[number] = (uint32_t)count;
		count += rows > 0;
	}
	for (size_t row = 0; row < input->rows; row++)
		distinct->places[row] = of_number[input->numbers[row]];
	return count;
}

/* Each row gets the place of its number in the order of the rows, then in ascending order. */
static size_t numbers_find(struct distinct_values *distinct, const struct column_input *input)
{
	struct distinct_scratch *scratch = distinct->scratch;
	size_t count = 0;
	uint64_t *keys = scratch->keys;
	uint64_t *spare = scratch->spare;

	memset(scratch->slots, 0, sizeof(scratch->slots));
	for (size_t row = 0; row < input->rows; row++) {
		const uint32_t number = input->numbers[row];
		uint32_t slot;

		if (input->is_address[row])
			continue;
		slot = mixed(number);
		while (scratch->slots[slot] && scratch->found[scratch->slots[slot] - 1] != number)
			slot = (slot + 1) % SLOTS;
		if (!scratch->slots[slot]) {
			scratch->found[count] = number;
			scratch->counts[count] = 0;
			scratch->slots[slot] = (uint32_t)++count;
		}
		distinct->places[row] = scratch->slots[slot] - 1;
		scratch->counts[distinct->places[row]]++;
	}
	for (size_t i = 0; i < count; i++)
		keys[i] = (uint64_t)scratch->found[i] << 32 | i;
	keys_sort(&keys, &spare, count);
	for (size_t i = 0; i < count; i++) {
		const uint32_t found = (uint32_t)keys[i];

		distinct->number[i] = scratch->found[found];
		distinct->counts[i] = scratch->counts[found];
		scratch->sorted_as[found] = (uint32_t)i;
	}
	for (size_t row = 0; row < input->rows; row++)
		if (!input->is_address[row])
			distinct->places[row] = scratch->sorted_as[distinct->places[row]];
	return count;
}

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, VALUE_ADDRESS_SIZE);
}

/* The same for addresses, whose places follow the numbers'. */
static size_t addresses_find(struct distinct_values *distinct, const struct column_input *input)
{
	struct distinct_scratch *scratch = distinct->scratch;
	struct address_key *keys = scratch->addresses;
	size_t count = 0;

	memset(scratch->slots, 0, sizeof(scratch->slots));
	for (size_t row = 0; row < input->rows; row++) {
		const uint8_t *address;
		uint32_t slot;

		if (!input->is_address[row])
			continue;
		address = input->addresses[input->numbers[row]];
		slot = address_hash(address);
		while (scratch->slots[slot] && memcmp(keys[scratch->slots[slot] - 1].address,
						      address, VALUE_ADDRESS_SIZE) != 0)
			slot = (slot + 1) % SLOTS;
		if (!scratch->slots[slot]) {
			memcpy(keys[count].address, address, VALUE_ADDRESS_SIZE);
			keys[count].found = (uint32_t)count;
			scratch->counts[count] = 0;
			scratch->slots[slot] = (uint32_t)++count;
		}
		distinct->places[row] = scratch->slots[slot] - 1;
		scratch->counts[distinct->places[row]]++;
	}
	qsort(keys, count, sizeof(*keys), compare_addresses);
	for (size_t i = 0; i < count; i++) {
		memcpy(distinct->address[i], keys[i].address, VALUE_ADDRESS_SIZE);
		distinct->counts[distinct->numbers + i] = scratch->counts[keys[i].found];
		scratch->sorted_as[keys[i].found] = (uint32_t)(distinct->numbers + i);
	}
	for (size_t row = 0; row < input->rows; row++)
		if (input->is_address[row])
			distinct->places[row] = scratch->sorted_as[distinct->places[row]];
	return count;
}

void distinct_values_find(struct distinct_values *distinct, const struct column_input *input)
{
	distinct->rows = input->rows;
	distinct->numbers = input->is_address ? numbers_find(distinct, input)
					      : small_numbers_find(distinct, input);
	distinct->count = distinct->numbers;
	if (input->is_address)
		distinct->count += addresses_find(distinct, input);
}

/* Ascending where the rows descend: 0 for as many as a digit holds, or more. */
static uint32_t rows_digit(uint32_t rows)
{
	return rows < DIGITS ? DIGITS - 1 - rows : 0;
}

void distinct_values_by_count(struct distinct_values *distinct, uint32_t *places)
{
	uint32_t starts[DIGITS] = {0};
	size_t most = 0;

	/* By the rows up to a number that few can reach: their rows are at most all. */
	for (size_t i = 0; i < distinct->count; i++)
		starts[rows_digit(distinct->counts[i])]++;
	most = starts[0];
	for (uint32_t digit = 0, start = 0; digit < DIGITS; digit++) {
		const uint32_t values = starts[digit];

		starts[digit] = start;
		start += values;
	}
	for (size_t i = 0; i < distinct->count; i++)
		places[starts[rows_digit(distinct->counts[i])]++] = (uint32_t)i;
	/* Those few are in ascending order of their values. */
	for (size_t i = 1; i < most; i++) {
		const uint32_t place = places[i];
		size_t at = i;

		for (; at > 0 && distinct->counts[places[at - 1]] < distinct->counts[place]; at--)
			places[at] = places[at - 1];
		places[at] = place;
	}
}
