#include "value_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/platform.h"

enum {
	FIRST_SLOTS = 1024,
	AHEAD = 16, /* values whose slots are fetched before they are needed */
};

/* Another one with each set of counts; without it the counts are right all the same. */
static void seed_take(struct value_counts *counts)
{
	if (counts->seed == 0 && !platform_random(&counts->seed, sizeof(counts->seed)))
		counts->seed = 1;
}

/* The finaliser of MurmurHash3, by Austin Appleby (public domain). */
static uint64_t mixed(uint64_t number)
{
	number = (number ^ number >> 33) * UINT64_C(0xff51afd7ed558ccd);
	number = (number ^ number >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return number ^ number >> 33;
}

static uint64_t address_hash(uint64_t seed, const uint8_t address[static VALUE_COUNTS_ADDRESS])
{
	uint64_t halves[2];

	memcpy(halves, address, sizeof(halves));
	return mixed(halves[0] ^ mixed(halves[1] ^ seed));
}

/* The slot of a number, or the free one where it would be. There are slots. */
static size_t number_slot(const struct value_counts *counts, uint64_t number)
{
	const size_t mask = counts->number_slots - 1;
	size_t slot = mixed(number ^ counts->seed) & mask;

	while (counts->numbers[slot].rows && counts->numbers[slot].number != number)
		slot = (slot + 1) & mask;
	return slot;
}

static size_t address_slot(const struct value_counts *counts,
			   const uint8_t address[static VALUE_COUNTS_ADDRESS])
{
	const size_t mask = counts->address_slots - 1;
	size_t slot = address_hash(counts->seed, address) & mask;

	while (counts->addresses[slot].rows &&
	       memcmp(counts->addresses[slot].address, address, VALUE_COUNTS_ADDRESS) != 0)
		slot = (slot + 1) & mask;
	return slot;
}

/* Adds where there is room. */
static void number_put(struct value_counts *counts, uint64_t number, uint64_t rows)
{
	const size_t slot = number_slot(counts, number);

	counts->number_count += counts->numbers[slot].rows == 0;
	counts->numbers[slot].number = number;
	counts->numbers[slot].rows += rows;
}

static void address_put(struct value_counts *counts,
			const uint8_t address[static VALUE_COUNTS_ADDRESS], uint64_t rows)
{
	const size_t slot = address_slot(counts, address);

	counts->address_count += counts->addresses[slot].rows == 0;
	memcpy(counts->addresses[slot].address, address, VALUE_COUNTS_ADDRESS);
	counts->addresses[slot].rows += rows;
}

/* Makes room for so many more: half of the slots stay free. */
static bool numbers_reserve(struct value_counts *counts, size_t more)
{
	struct number_count *before = counts->numbers;
	const size_t slots = counts->number_slots;
	size_t larger = slots ? slots * 2 : FIRST_SLOTS;
	struct number_count *numbers;

	if (counts->number_count + more <= slots / 2)
		return true;
	seed_take(counts);
	while (counts->number_count + more > larger / 2)
		larger *= 2;
	numbers = calloc(larger, sizeof(*numbers));
	if (!numbers)
		return false;
	counts->numbers = numbers;
	counts->number_slots = larger;
	counts->number_count = 0;
	for (size_t i = 0; i < slots; i++)
		if (before[i].rows)
			number_put(counts, before[i].number, before[i].rows);
	free(before);
	return true;
}

/* The same for one more address. */
static bool addresses_reserve(struct value_counts *counts)
{
	struct address_count *before = counts->addresses;
	const size_t slots = counts->address_slots;
	const size_t larger = slots ? slots * 2 : FIRST_SLOTS;
	struct address_count *addresses;

	if (counts->address_count < slots / 2)
		return true;
	seed_take(counts);
	addresses = calloc(larger, sizeof(*addresses));
	if (!addresses)
		return false;
	counts->addresses = addresses;
	counts->address_slots = larger;
	counts->address_count = 0;
	for (size_t i = 0; i < slots; i++)
		if (before[i].rows)
			address_put(counts, before[i].address, before[i].rows);
	free(before);
	return true;
}

bool value_counts_add(struct value_counts *counts, uint64_t number, uint64_t rows)
{
	if (!numbers_reserve(counts, 1))
		return false;
	number_put(counts, number, rows);
	return true;
}

bool value_counts_add_all(struct value_counts *counts, const uint32_t *numbers,
			  const uint32_t *rows, size_t count)
{
	size_t mask;

	if (!numbers_reserve(counts, count))
		return false;
	mask = counts->number_slots - 1;
	for (size_t i = 0; i < count; i++) {
		if (i + AHEAD < count && rows[i + AHEAD])
			__builtin_prefetch(
				&counts->numbers[mixed(numbers[i + AHEAD] ^ counts->seed) & mask]);
		if (rows[i])
			number_put(counts, numbers[i], rows[i]);
	}
	return true;
}

bool value_counts_add_address(struct value_counts *counts,
			      const uint8_t address[static VALUE_COUNTS_ADDRESS], uint64_t rows)
{
	if (!addresses_reserve(counts))
		return false;
	address_put(counts, address, rows);
	return true;
}

bool value_counts_has(const struct value_counts *counts, uint64_t number)
{
	return counts->number_count && counts->numbers[number_slot(counts, number)].rows;
}

bool value_counts_has_address(const struct value_counts *counts,
			      const uint8_t address[static VALUE_COUNTS_ADDRESS])
{
	return counts->address_count && counts->addresses[address_slot(counts, address)].rows;
}

bool value_counts_join(struct value_counts *counts, const struct value_counts *more)
{
	bool room = true;

	for (size_t i = 0; room && i < more->number_slots; i++)
		if (more->numbers[i].rows)
			room = value_counts_add(counts, more->numbers[i].number,
						more->numbers[i].rows);
	for (size_t i = 0; room && i < more->address_slots; i++)
		if (more->addresses[i].rows)
			room = value_counts_add_address(counts, more->addresses[i].address,
							more->addresses[i].rows);
	return room;
}

void value_counts_free(struct value_counts *counts)
{
	free(counts->numbers);
	free(counts->addresses);
	*counts = (struct value_counts){0};
}
