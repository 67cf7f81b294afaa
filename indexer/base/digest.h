/* FNV-1a, 128 bits (RFC 9923): a few bytes that stand for many, against chance and not against
 * whoever wants two of them to be the same. */
#ifndef CONNBITS_BASE_DIGEST_H
#define CONNBITS_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wide_number.h"

enum { DIGEST_TEXT_SIZE = 34 }; /* a letter, 32 hexadecimal digits, and the end */

typedef wide_number digest_state;

static inline digest_state digest_begin(void)
{
	return (digest_state)UINT64_C(0x6c62272e07bb0142) << 64 | UINT64_C(0x62b821756295c58d);
}

static inline void digest_bytes(digest_state *state, const void *bytes, size_t size)
{
	const digest_state prime = (digest_state)1 << 88 | 0x13b;
	const uint8_t *next = bytes;

	for (size_t i = 0; i < size; i++)
		*state = (*state ^ next[i]) * prime;
}

/* Four bytes, the lowest first. */
static inline void digest_number(digest_state *state, uint32_t number)
{
	const digest_state prime = (digest_state)1 << 88 | 0x13b;

	for (int shift = 0; shift < 32; shift += 8)
		*state = (*state ^ (number >> shift & 0xff)) * prime;
}

static inline void digest_write(char kind, digest_state state, char text[static DIGEST_TEXT_SIZE])
{
	snprintf(text, DIGEST_TEXT_SIZE, "%c%016llx%016llx", kind,
		 (unsigned long long)(state >> 64), (unsigned long long)state);
}

#endif
