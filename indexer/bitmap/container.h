/*
 * The rows of one segment in one of the three forms of the portable Roaring
 * format (github.com/RoaringBitmap/RoaringFormatSpec): an array of at most
 * 4,096 ascending values, a bitset, or runs. All integers are little-endian.
 *
 * A container is settled where it has the smallest of the three forms, an array
 * or bitset where runs are as large; settled ones of the same rows are the same
 * bytes. Nothing here takes memory: what is made is written where the caller
 * says, so that none of it can fail in the middle.
 */
#ifndef CONNBITS_BITMAP_CONTAINER_H
#define CONNBITS_BITMAP_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"
#include "segment_bits.h"

enum {
	CONTAINER_BYTES_MAX = 8192, /* of a settled one, and of any array or bitset */
	CONTAINER_ARRAY_MAX = 4096, /* a larger cardinality is a bitset, or runs */
};

/* One segment's rows, encoded. */
struct container {
	int64_t segment;
	uint32_t cardinality; /* 1 to SEGMENT_ROWS; 0 is no container */
	bool is_run;
	uint32_t size;	      /* bytes; runs that are not settled may exceed CONTAINER_BYTES_MAX */
	const uint8_t *bytes; /* owned by whoever encoded or stored it */
};

/*
 * Encodes the bits of one segment, settled, into out and describes them in
 * *container, whose bytes point to out. Where no bit is set the cardinality is
 * 0 and out is untouched.
 */
void container_encode(int64_t segment, const struct segment_bits *bits,
		      const struct kernels *kernels, uint8_t out[static CONTAINER_BYTES_MAX],
		      struct container *container);

/* Writes the rows from first to last, first <= last, settled, to out. */
void container_encode_range(int64_t segment, uint16_t first, uint16_t last,
			    uint8_t out[static CONTAINER_BYTES_MAX], struct container *container);

/* The bits of a container; every word of *bits is occupied then. */
void container_bits(const struct container *container, struct segment_bits *bits);

/* Counts the rows of a bitset, and the runs that they make. */
void container_count_bitset(const uint8_t bytes[static CONTAINER_BYTES_MAX], uint32_t *rows,
			    uint32_t *runs);

/* Gives the same rows settled: the container itself, or another one in out. */
void container_settle(const struct container *container, uint8_t out[static CONTAINER_BYTES_MAX],
		      struct container *settled);

bool container_has(const struct container *container, uint16_t place);

/* How many rows of the container lie before a place. */
uint32_t container_rows_before(const struct container *container, uint16_t place);

/* Writes `count` places of rows to out, ascending, from row number `from` on; it has them. */
void container_places(const struct container *container, uint32_t from, uint32_t count,
		      uint16_t *out);

/* The place of row number `number`, which it has. */
static inline uint16_t container_place(const struct container *container, uint32_t number)
{
	uint16_t place;

	container_places(container, number, 1, &place);
	return place;
}

#endif
