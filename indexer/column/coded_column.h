/*
 * One column of a segment in codes. A row's code is the place of its value among
 * the column's distinct values in ascending order, so that every set of values
 * is a few ranges of codes; and codes lie in planes, one bit of all rows each, so
 * that a range is found 64 rows and more at a time.
 *
 * Where a few values are most rows', they have a layer with short codes, in
 * which the code of all ones says that the row's value is a rare one. Rare
 * values are a second layer, which has only those rows, in their order.
 *
 *   8 bits   layers, 1 or 2
 *   of each layer, 24 bytes, all integers little-endian:
 *     32 bits  rows
 *     32 bits  distinct numbers, and 32 bits distinct IPv6 addresses: see
 *              value_list.h; neither where every number of so many bits has itself as
 *              its code
 *     32 bits  the size of the list in bytes
 *     32 bits  bits of a code, 0 to 16
 *     32 bits  0
 *   of each layer its list of values
 *   of each layer its planes, that of the highest bit first: 64 bits for 64 rows,
 *   the first row's bit lowest; bits behind the last row are 0
 */
#ifndef CONNBITS_COLUMN_CODED_COLUMN_H
#define CONNBITS_COLUMN_CODED_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "bitmap/kernel.h"
#include "column_bytes.h"
#include "value_list.h"

enum {
	COLUMN_LAYERS = 2,
	COLUMN_BITS_MAX = 16,
	COLUMN_VALUES_MAX = COLUMN_LAYERS << COLUMN_BITS_MAX,
};

struct column_layer {
	size_t rows;
	unsigned bits;
	bool every; /* every number of so many bits is its own code: there is no list */
	struct value_list list;
	size_t stride;	  /* words of one plane */
	size_t words;	  /* the same in whole groups of PLANE_GROUP */
	size_t planes_at; /* offset in the column */
	bool loaded;	  /* the planes are in memory: */
	uint64_t *planes;
	size_t capacity; /* words */
};

/* Zero-initialise; free with coded_column_free. Memory is kept from one column to the next. */
struct coded_column {
	struct column_bytes bytes;
	size_t layer_count;
	struct column_layer layers[COLUMN_LAYERS];
};

/* Begins a column of size bytes: reads what its layers are, and neither lists nor planes. */
enum status coded_column_open(struct coded_column *column, column_read read, void *context,
			      size_t size, struct message *message);

/* Reads the planes of a layer, if they were not yet. */
enum status coded_column_load(struct coded_column *column, size_t layer, struct message *message);

/* The distinct values of a layer; its codes are less. */
size_t column_layer_values(const struct column_layer *layer);

/* Whether the code of all ones of a layer says that the value is in the next one. */
static inline bool coded_column_escapes(const struct coded_column *column, size_t layer)
{
	return layer + 1 < column->layer_count;
}

/*
 * The values of all rows: every layer's list one behind the other, and for each
 * row the place of its value in them.
 */
struct column_values {
	uint32_t *numbers; /* of those that are no address; there the first 32 bits */
	uint8_t (*addresses)[VALUE_ADDRESS_SIZE]; /* of those that are */
	bool *is_address;
	size_t count;
	uint32_t *places; /* by row */
	uint16_t *codes;  /* of one layer */
	uint16_t *rare;	  /* rows of the second one, */
	uint64_t *mask;	  /* and the same as bits */
};

/* Room for the values of any column, or NULL without memory. Free with column_values_free. */
struct column_values *column_values_new(void);

/* Reads the values of all rows, and whatever else there is of the column. */
enum status coded_column_values(struct coded_column *column, const struct kernels *kernels,
				struct column_values *values, struct message *message);

/*
 * Reads the number of each row of a column that has no addresses; what else `values` has room
 * for is used on the way.
 */
enum status coded_column_numbers(struct coded_column *column, const struct kernels *kernels,
				 struct column_values *values, uint32_t *numbers,
				 struct message *message);

void column_values_free(struct column_values *values);
void coded_column_free(struct coded_column *column);

#endif
