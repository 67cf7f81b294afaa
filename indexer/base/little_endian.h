/* Integers in little-endian byte order, as stored bytes have them. */
#ifndef CONNBITS_BASE_LITTLE_ENDIAN_H
#define CONNBITS_BASE_LITTLE_ENDIAN_H

#include <stdint.h>

static inline void write_little_endian_16(uint8_t out[static 2], unsigned value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
}

static inline void write_little_endian_32(uint8_t out[static 4], uint32_t value)
{
	write_little_endian_16(out, value & 0xffff);
	write_little_endian_16(out + 2, value >> 16);
}

static inline uint16_t read_little_endian_16(const uint8_t in[static 2])
{
	return (uint16_t)(in[0] | in[1] << 8);
}

static inline uint32_t read_little_endian_32(const uint8_t in[static 4])
{
	return read_little_endian_16(in) | (uint32_t)read_little_endian_16(in + 2) << 16;
}

/* Halves, not a loop over bytes: compilers make one access of them. */
static inline void write_little_endian_64(uint8_t out[static 8], uint64_t value)
{
	write_little_endian_32(out, (uint32_t)value);
	write_little_endian_32(out + 4, (uint32_t)(value >> 32));
}

static inline uint64_t read_little_endian_64(const uint8_t in[static 8])
{
	return read_little_endian_32(in) | (uint64_t)read_little_endian_32(in + 4) << 32;
}

#endif
