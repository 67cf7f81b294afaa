/*
 * The distinct values of a column in ascending order: numbers of up to 32 bits,
 * and behind them IPv6 addresses. The place of a value in the list is its code.
 * All integers are little-endian. Of the numbers, in blocks of 64:
 *   32 bits  the first number of each block
 *   32 bits  where the rest of each block ends, counted from the first rest on
 *   the rests: each further number as what it exceeds the one before by, less 1,
 *   in groups of 7 bits, the lowest first, with bit 7 set where one follows
 * Of the addresses, in blocks of 16:
 *   16 bytes the first address of each block
 *   32 bits  where the rest of each block ends
 *   the rests: each further address as a byte that says how many bytes it shares
 *   with the one before, 0 to 15, and the other bytes
 * So a value is found by reading the firsts and one block.
 */
#ifndef CONNBITS_COLUMN_VALUE_LIST_H
#define CONNBITS_COLUMN_VALUE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "column_bytes.h"

enum {
	VALUE_BLOCK = 64,	  /* numbers that share a first one */
	VALUE_ADDRESS_BLOCK = 16, /* addresses that do */
	VALUE_ADDRESS_SIZE = 16,  /* bytes, network byte order */
};

/* Where a list lies in the bytes of its column. */
struct value_list {
	size_t numbers;	  /* how many: */
	size_t addresses; /* both together 1 to SEGMENT_ROWS */
	size_t at;	  /* offset of its first byte */
	size_t size;	  /* bytes */
};

/* Bytes that a list may take at most. */
size_t value_list_size_max(size_t numbers, size_t addresses);

/* Writes ascending, distinct values to out; returns the size in bytes. */
size_t value_list_encode(const uint32_t *numbers, size_t number_count,
			 const uint8_t (*addresses)[VALUE_ADDRESS_SIZE], size_t address_count,
			 uint8_t *out);

/*
 * Gives how many numbers are less than `number`, 0 to list->numbers: the code of the first one
 * that is not. `number` may be 2^32.
 */
enum status value_list_rank(const struct value_list *list, struct column_bytes *bytes,
			    uint64_t number, size_t *rank, struct message *message);

/*
 * Gives how many addresses have first 32 bits less than `number`, which may be
 * 2^32.
 */
enum status value_list_rank_address(const struct value_list *list, struct column_bytes *bytes,
				    uint64_t number, size_t *rank, struct message *message);

/*
 * Reads the whole list, which has to be ascending with nothing before, between or
 * behind its parts. numbers and addresses have room for as many as it has.
 */
enum status value_list_decode(const struct value_list *list, struct column_bytes *bytes,
			      uint32_t *numbers, uint8_t (*addresses)[VALUE_ADDRESS_SIZE],
			      struct message *message);

#endif
