/* 64-bit integers in little-endian byte order, as stored bytes have them. */
#ifndef CONNBITS_LITTLE_ENDIAN_H
#define CONNBITS_LITTLE_ENDIAN_H

#include <stdint.h>

static inline void write_little_endian_64(uint8_t out[static 8], uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t read_little_endian_64(const uint8_t in[static 8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)in[i] << (8 * i);
	return value;
}

#endif
