/* Two containers of one segment to one, or to what can be said of them without making one. */
#ifndef CONNBITS_BITMAP_CONTAINER_ALGEBRA_H
#define CONNBITS_BITMAP_CONTAINER_ALGEBRA_H

#include <stdbool.h>
#include <stdint.h>

#include "container.h"

enum set_operation { SET_AND, SET_OR, SET_XOR, SET_ANDNOT };

/*
 * Combines a and b, neither of them empty, into out, which is no part of
 * either. The cardinality of *result may be 0, and it need not be settled.
 */
void container_combine(const struct container *a, const struct container *b,
		       enum set_operation operation, uint8_t out[static CONTAINER_BYTES_MAX],
		       struct container *result);

/* How many rows are in both. */
uint32_t container_common(const struct container *a, const struct container *b);

#endif
