/*
 * The inner loops of the vector engine, in plain C that compilers vectorise,
 * compiled for several instruction sets. The processor's best one is picked
 * when the program runs; all give the same bits.
 */
#ifndef CONNBITS_BITMAP_KERNEL_H
#define CONNBITS_BITMAP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "segment_bits.h"

enum {
	/*
	 * Classes of a segment's rows lie in eight planes, the class of row r at
	 * [r % 8][r / 8], so that comparing the eight planes at one place gives the
	 * eight bits of one byte and no bit has to be moved. The padding keeps the
	 * planes out of each other's cache sets.
	 */
	PLANES = 8,
	PLANE_BYTES = SEGMENT_ROWS / PLANES + 64,
	CLASSES_BYTES = PLANES * PLANE_BYTES,
};

/* Numbers that are ranked at a time, and words of planes that are compared at a time. */
enum { RANK_GROUP = 32, PLANE_GROUP = 16 };

struct kernels {
	const char *name; /* "avx512", "avx2" or "baseline" */
	bool wide;	  /* takes 256 bits and more in one step */

	/*
	 * The bits of one block (0 to SEGMENT_BLOCKS - 1): is a row's class in
	 * first to last? The bits are written to words, or with add joined to those
	 * that are there.
	 */
	void (*classes_in)(const uint8_t classes[static CLASSES_BYTES], size_t block, uint8_t first,
			   uint8_t last, bool add, uint64_t words[static BLOCK_WORDS]);

	/*
	 * Gives for each of `rows` numbers, a multiple of RANK_GROUP, how many of
	 * the bounds are less.
	 */
	void (*numbers_rank)(const uint32_t *restrict numbers, size_t rows,
			     const uint32_t *restrict bounds, size_t bound_count,
			     uint32_t *restrict ranks);

	/* words &= other, or with inverted &= ~other. False if all of them are 0 then. */
	bool (*words_and)(uint64_t words[static BLOCK_WORDS],
			  const uint64_t other[static BLOCK_WORDS], bool inverted);

	/* words |= other */
	void (*words_or)(uint64_t words[static BLOCK_WORDS],
			 const uint64_t other[static BLOCK_WORDS]);

	/*
	 * Adds the number of bits and of runs of bits to *bits and *runs. before is
	 * the word ahead of the first.
	 */
	void (*words_count)(const uint64_t words[static BLOCK_WORDS], uint64_t before,
			    uint32_t *bits, uint32_t *runs);

	/*
	 * Is a row's code in low to high? Codes lie in `bits` planes of one bit a row, that
	 * of the highest bit first, and one `stride` words behind the other. Of each `words`
	 * words are read, a multiple of PLANE_GROUP, of which some may be the next plane's
	 * or what is behind the last. The bits are written to out, or with add joined to
	 * those there.
	 */
	void (*planes_between)(const uint64_t *planes, size_t stride, size_t words, unsigned bits,
			       uint32_t low, uint32_t high, bool add, uint64_t *out);

	/* The codes of such planes, of at most 16 bits: 64 for each of any number of words. */
	void (*planes_codes)(const uint64_t *planes, size_t stride, size_t words, unsigned bits,
			     uint16_t *codes);

	/*
	 * Puts the bits, one behind the other, where the mask's bits are set, and 0
	 * elsewhere. bits has as many as are set in the `words` words of mask, which is
	 * returned, and one word more. out may be mask.
	 */
	size_t (*bits_deposit)(const uint64_t *bits, const uint64_t *mask, size_t words,
			       uint64_t *out);
};

/* The best ones for this processor. */
const struct kernels *kernels_best(void);

/* Those of a name; NULL if there are none or this processor lacks them. */
const struct kernels *kernels_find(const char *name);

#endif
