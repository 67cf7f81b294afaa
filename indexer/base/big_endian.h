/* Integers in big-endian byte order, as wire formats and SQLite's files have them. */
#ifndef CONNBITS_BASE_BIG_ENDIAN_H
#define CONNBITS_BASE_BIG_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void write_big_endian_16(uint8_t out[static 2], unsigned value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

static inline void write_big_endian_32(uint8_t out[static 4], uint32_t value)
{
	/* One store: halves of a value that was just put together are taken apart again. */
	value = htobe32(value);
	memcpy(out, &value, sizeof(value));
}

static inline uint16_t read_big_endian_16(const uint8_t in[static 2])
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

/* Halves, not a loop over bytes: compilers make one access of them. */
static inline uint32_t read_big_endian_32(const uint8_t in[static 4])
{
	return (uint32_t)read_big_endian_16(in) << 16 | read_big_endian_16(in + 2);
}

static inline uint64_t read_big_endian_64(const uint8_t in[static 8])
{
	return (uint64_t)read_big_endian_32(in) << 32 | read_big_endian_32(in + 4);
}

#endif
