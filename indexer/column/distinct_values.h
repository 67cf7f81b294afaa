/* The distinct values of a segment's rows in ascending order, and how many rows have each. */
#ifndef CONNBITS_COLUMN_DISTINCT_VALUES_H
#define CONNBITS_COLUMN_DISTINCT_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "column_maker.h"

struct distinct_scratch;

struct distinct_values {
	size_t rows;
	size_t count;
	size_t numbers;				/* the first of them; addresses follow */
	uint32_t *number;			/* by place */
	uint8_t (*address)[VALUE_ADDRESS_SIZE]; /* by place less numbers */
	uint32_t *counts;			/* rows, by place */
	uint32_t *places;			/* by row */
	struct distinct_scratch *scratch;
};

/* Room for SEGMENT_ROWS values, or NULL without memory. Free with distinct_values_free. */
struct distinct_values *distinct_values_new(void);

void distinct_values_find(struct distinct_values *distinct, const struct column_input *input);

/* Gives all places, those of the most rows first, and of as many rows in ascending order. */
void distinct_values_by_count(struct distinct_values *distinct, uint32_t *places);

void distinct_values_free(struct distinct_values *distinct);

#endif
