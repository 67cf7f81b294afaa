/*
 * Sets of numbers of one column in plain notation: ports, protocols, addresses
 * and networks.
 */
#ifndef CONNBITS_CONDITION_NUMBER_TEXT_H
#define CONNBITS_CONDITION_NUMBER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "condition.h"

/*
 * Writes the pieces that go on with `next`, as "destination port in {80, 443}".
 * With icmp the first port is an ICMP type and code.
 */
void number_text_write(FILE *stream, enum column column, unsigned version, bool icmp,
		       const struct piece *pieces, size_t count, uint32_t next);

/* The length in bits of the 32-bit prefix that is exactly first to last; -1 if none is. */
int number_text_prefix_length(uint32_t first, uint32_t last);

/* Writes an IPv6 prefix as "= 2001:db8::1" or "in 2001:db8::/32". bits is 0 to 128. */
void number_text_write_ipv6(FILE *stream, const uint32_t words[static 4], int bits);

/* Are all shapes of a version marked? */
bool number_text_all_protocols(const bool marked[static SHAPE_LAST + 1], unsigned version);

/*
 * Writes the protocols of the marked shapes of a version, as "protocol = 6".
 * With asked it is not said that ICMP type and code are there.
 */
void number_text_write_protocols(FILE *stream, const bool marked[static SHAPE_LAST + 1],
				 unsigned version, bool asked);

/* Writes marked shapes of both versions. */
void number_text_write_shapes(FILE *stream, const bool marked[static SHAPE_LAST + 1]);

#endif
