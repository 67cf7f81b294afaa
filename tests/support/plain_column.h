/* A stored column read by the page that says what it is, one bit and one byte at a time. */
#ifndef CONNBITS_PLAIN_COLUMN_H
#define CONNBITS_PLAIN_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column/coded_column.h"

struct plain_value {
	bool is_address;
	uint8_t bytes[16]; /* of a number the last four count, in network byte order */
};

struct plain_column {
	size_t rows;
	struct plain_value *values; /* by row */
};

/* False for bytes that are no column. The caller frees *column with plain_column_free. */
bool plain_column_read(const uint8_t *bytes, size_t size, struct plain_column *column);

/* True if `values`, read from a column with so many rows, are the same. */
bool plain_column_equals(const struct plain_column *column, const struct column_values *values,
			 size_t rows);

void plain_column_free(struct plain_column *column);

#endif
