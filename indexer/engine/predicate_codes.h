/* A predicate of a plan as codes of a stored column: what of its set a segment has at all. */
#ifndef CONNBITS_ENGINE_PREDICATE_CODES_H
#define CONNBITS_ENGINE_PREDICATE_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "column/segment_columns.h"
#include "plan.h"

/* With more ranges, rows' values are looked at one by one. */
enum { CODE_RANGES_MAX = 16 };

struct code_range {
	uint32_t first;
	uint32_t last;
};

/* Codes of one layer, in ascending ranges that do not touch. */
struct layer_codes {
	size_t count;
	bool all; /* every value of the layer */
	struct code_range ranges[CODE_RANGES_MAX];
};

enum predicate_meets {
	PREDICATE_UNKNOWN,
	PREDICATE_NONE,	   /* no row of the segment has a value of the set */
	PREDICATE_ALL,	   /* every row has */
	PREDICATE_SOME,	   /* those of the codes */
	PREDICATE_MANY,	   /* codes of more ranges than are kept */
	PREDICATE_FORMULA, /* not of one column: rows have to be computed */
};

struct predicate_codes {
	enum predicate_meets meets;
	enum stored_column column;
	struct layer_codes layers[COLUMN_LAYERS];
};

/* The stored column that has a column of headers. */
enum stored_column predicate_stored_in(uint32_t column);

/* The number in a column of headers that a distinct value of its stored column is or has. */
static inline uint32_t column_value_number(const struct column_values *values, size_t place,
					   uint32_t column)
{
	const uint32_t base = column >= COLUMN_DESTINATION ? COLUMN_DESTINATION : COLUMN_SOURCE;
	const uint8_t *bytes;

	if (!values->is_address[place])
		return values->numbers[place];
	bytes = values->addresses[place] + (size_t)(column - base) * 4;
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* Finds the codes by the column's lists of values alone. */
enum status predicate_codes_find(const struct plan *plan, uint32_t predicate,
				 struct segment_columns *columns, struct predicate_codes *codes,
				 struct message *message);

/*
 * The rows in the set of a predicate, by looking at each distinct value of the
 * segment: a bit a row in the (rows + 63) / 64 words of bits.
 */
enum status predicate_codes_bits(const struct plan *plan, uint32_t predicate,
				 struct segment_columns *columns, const struct kernels *kernels,
				 uint64_t *bits, struct message *message);

#endif
