/*
 * The numbers of which SQLite's files are made: www.sqlite.org/fileformat2.html, sections 1.6 and
 * 2.1. What is fixed is big-endian: base/big_endian.h.
 */
#ifndef CONNBITS_DATABASE_PAGE_FORMAT_H
#define CONNBITS_DATABASE_PAGE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* The first byte of a page of a table's b-tree, and the bytes of its header. */
enum {
	PAGE_INTERIOR = 0x05,
	PAGE_LEAF = 0x0d,
	PAGE_INTERIOR_HEADER = 12,
	PAGE_LEAF_HEADER = 8,
	PAGE_DEPTH_MAX = 20, /* pages from the root to a leaf: BTCURSOR_MAX_DEPTH in btreeInt.h */
};

/*
 * Variable-length integers have seven bits a byte, the most significant first, and the high bit
 * set in all but the last; a ninth byte counts with all its eight bits.
 */

/* Reads the one at bytes, of which `left` are there. Returns its length in bytes, 0 for none. */
static inline size_t page_varint_read(const uint8_t *bytes, size_t left, uint64_t *value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < 8; i++) {
		if (i == left)
			return 0;
		number = number << 7 | (bytes[i] & 0x7f);
		if (bytes[i] < 0x80) {
			*value = number;
			return i + 1;
		}
	}
	if (left < 9)
		return 0;
	*value = number << 8 | bytes[8];
	return 9;
}

/*
 * The same for what SQLite keeps in 32 bits: 0 also for one of more than five bytes, or of a value
 * from 2^31 on, which different places of SQLite read differently.
 */
static inline size_t page_varint_read_31(const uint8_t *bytes, size_t left, uint32_t *value)
{
	uint64_t number = 0;
	size_t length;

	if (left > 0 && *bytes < 0x80) {
		*value = *bytes;
		return 1;
	}
	length = page_varint_read(bytes, left, &number);
	if (length > 5 || (length > 0 && number > INT32_MAX))
		return 0;
	*value = (uint32_t)number;
	return length;
}

/* How many bytes of a payload lie in the leaf of a table, of whose page `usable` bytes are used. */
static inline uint32_t page_local_size(uint32_t usable, uint32_t payload)
{
	const uint32_t most = usable - 35;
	const uint32_t least = (usable - 12) * 32 / 255 - 23;
	uint32_t surplus;

	if (payload <= most)
		return payload;
	surplus = least + (payload - least) % (usable - 4);
	return surplus <= most ? surplus : least;
}

enum { PAGE_TYPE_BLOB = 12 /* and every even serial type from it on; odd ones are text */ };

/* Bytes of a value by its serial type. */
static inline uint64_t page_type_size(uint64_t type)
{
	static const uint8_t fixed[PAGE_TYPE_BLOB] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};

	return type < PAGE_TYPE_BLOB ? fixed[type] : (type - PAGE_TYPE_BLOB) / 2;
}

#endif
