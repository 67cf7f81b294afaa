/* Text of a few bytes as numbers: compared, and looked up, a word at a time. */
#ifndef CONNBITS_PACKET_SHORT_TEXT_H
#define CONNBITS_PACKET_SHORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/little_endian.h"

static inline const uint8_t *short_text_bytes(const char *text)
{
	return (const uint8_t *)text;
}

/* Text of at most eight bytes: the first is the lowest, and zeros are behind the last. */
static inline uint64_t short_text_word(const char *text, size_t length)
{
	const uint8_t *bytes = short_text_bytes(text);

	if (length >= 8)
		return read_little_endian_64(bytes);
	/* Both halves overlap where the text is shorter than they are together. */
	if (length >= 4)
		return read_little_endian_32(bytes) |
		       (uint64_t)read_little_endian_32(bytes + length - 4) << (8 * (length - 4));
	if (length == 0)
		return 0;
	return bytes[0] | (uint64_t)bytes[length / 2] << (8 * (length / 2)) |
	       (uint64_t)bytes[length - 1] << (8 * (length - 1));
}

/* Text of at most sixteen bytes, its second half in words[1]. */
static inline void short_text_words(const char *text, size_t length, uint64_t words[static 2])
{
	if (length <= 8) {
		words[0] = short_text_word(text, length);
		words[1] = 0;
		return;
	}
	words[0] = read_little_endian_64(short_text_bytes(text));
	words[1] =
		read_little_endian_64(short_text_bytes(text) + length - 8) >> (8 * (16 - length));
}

#endif
