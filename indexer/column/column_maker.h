/*
 * The values of a segment's rows to the bytes of a column: coded_column.h says
 * what they are. The same values in the same order are always the same bytes.
 */
#ifndef CONNBITS_COLUMN_COLUMN_MAKER_H
#define CONNBITS_COLUMN_COLUMN_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "value_list.h"

/* The values of all rows. */
struct column_input {
	size_t rows;		 /* 1 to SEGMENT_ROWS */
	const uint32_t *numbers; /* by row; of an address its place in addresses */
	const bool *is_address;	 /* by row; NULL where none is, and numbers have 16 bits */
	const uint8_t (*addresses)[VALUE_ADDRESS_SIZE]; /* each row's own, in their order */
	bool is_port; /* without is_address: each number may be its own code */
};

/* What one thread works with. */
struct column_maker;

/* The caller frees it with column_maker_free. NULL without memory. */
struct column_maker *column_maker_new(void);

/* Makes the column. The bytes are the maker's, until it makes the next one. */
void column_maker_run(struct column_maker *maker, const struct column_input *input,
		      const uint8_t **bytes, size_t *size);

void column_maker_free(struct column_maker *maker);

#endif
