/*
 * One bit for each row id of a segment. Words that hold nothing are left out:
 * a word counts only where its bit in occupied is set, and is 0 elsewhere
 * whatever stands in it.
 */
#ifndef CONNBITS_BITMAP_SEGMENT_BITS_H
#define CONNBITS_BITMAP_SEGMENT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/rowid.h"

enum {
	BLOCK_WORDS = 64, /* words that share a word of occupied */
	BLOCK_ROWS = BLOCK_WORDS * 64,
	SEGMENT_BLOCKS = SEGMENT_WORDS / BLOCK_WORDS,
};

struct segment_bits {
	uint64_t occupied[SEGMENT_BLOCKS];
	uint64_t words[SEGMENT_WORDS];
};

static inline void segment_bits_clear(struct segment_bits *bits)
{
	memset(bits->occupied, 0, sizeof(bits->occupied));
}

static inline bool segment_bits_occupied(const struct segment_bits *bits, size_t word)
{
	return bits->occupied[word / BLOCK_WORDS] >> (word % BLOCK_WORDS) & 1;
}

/* The word, 0 where it is not occupied. */
static inline uint64_t segment_bits_word(const struct segment_bits *bits, size_t word)
{
	return segment_bits_occupied(bits, word) ? bits->words[word] : 0;
}

/* Sets the bit of the row whose id ends in these 16 bits. */
static inline void segment_bits_add(struct segment_bits *bits, uint16_t low)
{
	const size_t word = low / 64;

	if (!segment_bits_occupied(bits, word)) {
		bits->occupied[word / BLOCK_WORDS] |= UINT64_C(1) << (word % BLOCK_WORDS);
		bits->words[word] = 0;
	}
	bits->words[word] |= UINT64_C(1) << (low % 64);
}

static inline void segment_bits_remove(struct segment_bits *bits, uint16_t low)
{
	if (segment_bits_occupied(bits, low / 64))
		bits->words[low / 64] &= ~(UINT64_C(1) << (low % 64));
}

#endif
