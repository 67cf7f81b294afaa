/*
 * Numbers of variable length, as ClickHouse's formats have them: 7 bits a byte, least first, the
 * highest bit set where another byte follows (LEB128, DWARF 5 section 7.6).
 */
#ifndef CONNBITS_BASE_VARIABLE_NUMBER_H
#define CONNBITS_BASE_VARIABLE_NUMBER_H

#include <stdint.h>

enum { VARIABLE_NUMBER_MAX = 10 }; /* bytes of 64 bits */

/* Writes at most VARIABLE_NUMBER_MAX bytes. Returns what is behind them. */
static inline uint8_t *write_variable_number(uint8_t *out, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		*out++ = (uint8_t)(0x80 | (number & 0x7f));
	*out++ = (uint8_t)number;
	return out;
}

#endif
