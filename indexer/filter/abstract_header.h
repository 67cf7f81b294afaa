/*
 * What is known of a header's bytes in a class of headers (see abstract_run.h).
 */
#ifndef CONNBITS_FILTER_ABSTRACT_HEADER_H
#define CONNBITS_FILTER_ABSTRACT_HEADER_H

#include <stdint.h>

#include "abstract_run.h"

/* Bits of one byte. Those in neither mask are held by the row. */
struct abstract_byte {
	uint8_t known;	/* mask of bits that are the same in every header of the class */
	uint8_t value;	/* of those bits */
	uint8_t unheld; /* mask of bits that no row holds */
};

struct abstract_byte abstract_header_byte(const struct abstract_class *class, uint32_t offset);

#endif
