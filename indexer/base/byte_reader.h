/* Bytes that come from anywhere, taken from the front and never past their end. */
#ifndef CONNBITS_BASE_BYTE_READER_H
#define CONNBITS_BASE_BYTE_READER_H

#include <stddef.h>
#include <stdint.h>

struct byte_reader {
	const uint8_t *start;
	const uint8_t *next;
	size_t left;
};

static inline struct byte_reader byte_reader_of(const uint8_t *bytes, size_t length)
{
	return (struct byte_reader){.start = bytes, .next = bytes, .left = length};
}

/* The next length bytes, or NULL where there are fewer. */
static inline const uint8_t *byte_reader_take(struct byte_reader *input, size_t length)
{
	const uint8_t *taken = input->next;

	if (length > input->left)
		return NULL;
	input->next += length;
	input->left -= length;
	return taken;
}

#endif
