/* A line of a value: where it begins in the value, and in the file. */
#ifndef CONNBITS_CATALOGUE_VALUE_LINE_H
#define CONNBITS_CATALOGUE_VALUE_LINE_H

#include <stddef.h>

struct value_line {
	size_t offset; /* bytes */
	size_t line;
};

/* The bytes of a line of a value of `length` bytes; a blank stands between two lines. */
static inline size_t value_line_length(const struct value_line *lines, size_t count, size_t number,
				       size_t length)
{
	return (number + 1 < count ? lines[number + 1].offset - 1 : length) - lines[number].offset;
}

#endif
