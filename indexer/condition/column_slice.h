/*
 * Values of an exact abstract run that are cut out of one column: what most
 * tests ask for.
 */
#ifndef CONNBITS_CONDITION_COLUMN_SLICE_H
#define CONNBITS_CONDITION_COLUMN_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "filter/abstract_value.h"
#include "packet/header_column.h"

/* ((column >> by) & mask) | bits, where mask and bits share no bit. */
struct column_slice {
	enum column column;
	int by; /* -31 to 31; below 0 it is moved to the left */
	uint32_t mask;
	uint32_t bits;
};

/* A load of size bytes at offset. False where it reaches into two columns, or into none. */
bool column_slice_of_load(const struct abstract_class *class, uint32_t offset, uint32_t size,
			  struct column_slice *slice);

/*
 * A load, or masks and shifts by constants of one. False for all else. It
 * follows the operations down to the load without recursion.
 */
bool column_slice_of_value(const struct abstract_values *values, const struct abstract_class *class,
			   uint32_t number, struct column_slice *slice);

/* The value where the column holds `number`. */
uint32_t column_slice_value(const struct column_slice *slice, uint32_t number);

#endif
