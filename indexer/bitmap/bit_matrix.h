/* Eight bytes as a matrix of bits. */
#ifndef CONNBITS_BITMAP_BIT_MATRIX_H
#define CONNBITS_BITMAP_BIT_MATRIX_H

#include <stdint.h>

/*
 * Exchanges rows and columns of 8 times 8 bits: bit j of byte i becomes bit i of byte j
 * (Hacker's Delight, section 7-3). Inlined whatever the instruction set of the caller.
 */
static inline __attribute__((always_inline)) uint64_t bit_matrix_transpose(uint64_t bits)
{
	uint64_t swap = (bits ^ bits >> 7) & UINT64_C(0x00aa00aa00aa00aa);

	bits ^= swap ^ swap << 7;
	swap = (bits ^ bits >> 14) & UINT64_C(0x0000cccc0000cccc);
	bits ^= swap ^ swap << 14;
	swap = (bits ^ bits >> 28) & UINT64_C(0x00000000f0f0f0f0);
	return bits ^ swap ^ swap << 28;
}

#endif
