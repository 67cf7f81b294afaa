/* How many rows have each value: numbers of 64 bits, and addresses of 16 bytes. */
#ifndef CONNBITS_ASK_VALUE_COUNTS_H
#define CONNBITS_ASK_VALUE_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VALUE_COUNTS_ADDRESS = 16 };

struct number_count {
	uint64_t number;
	uint64_t rows; /* 0 of a slot that is free */
};

struct address_count {
	uint8_t address[VALUE_COUNTS_ADDRESS];
	uint64_t rows;
};

/* Zero-initialise; free with value_counts_free. Slots lie as their hashes have it. */
struct value_counts {
	uint64_t seed; /* of the hashes, which nobody can foresee who chooses values */
	struct number_count *numbers;
	size_t number_count;
	size_t number_slots; /* 0 or a power of two */
	struct address_count *addresses;
	size_t address_count;
	size_t address_slots;
};

/* Adds rows, 1 or more, to a value. False without memory. */
bool value_counts_add(struct value_counts *counts, uint64_t number, uint64_t rows);

/* The same for count values, of which those with 0 rows are passed over. */
bool value_counts_add_all(struct value_counts *counts, const uint32_t *numbers,
			  const uint32_t *rows, size_t count);
bool value_counts_add_address(struct value_counts *counts,
			      const uint8_t address[static VALUE_COUNTS_ADDRESS], uint64_t rows);

/* Whether a value was added. */
bool value_counts_has(const struct value_counts *counts, uint64_t number);
bool value_counts_has_address(const struct value_counts *counts,
			      const uint8_t address[static VALUE_COUNTS_ADDRESS]);

/* Adds all of other ones. False without memory. */
bool value_counts_join(struct value_counts *counts, const struct value_counts *more);

void value_counts_free(struct value_counts *counts);

#endif
