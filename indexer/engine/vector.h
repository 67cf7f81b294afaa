/*
 * The vector engine: all programs of a plan over one segment. One pass over the
 * headers looks every column's numbers up; then a filter is a few operations
 * on the bits of the predicates it asks.
 */
#ifndef CONNBITS_ENGINE_VECTOR_H
#define CONNBITS_ENGINE_VECTOR_H

#include <stdbool.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "bitmap/segment_bits.h"
#include "column/segment_columns.h"
#include "packet/segment.h"
#include "plan.h"

/* What one thread works with. */
struct vector;

/*
 * A vector for a plan, which has to outlive it. The caller frees it with
 * vector_free. STATUS_FAILED without memory.
 */
enum status vector_new(const struct plan *plan, const struct kernels *kernels,
		       struct vector **vector, struct message *message);

/* Reads the segment's headers; the segment is not looked at after that. */
enum status vector_read(struct vector *vector, const struct segment *segment,
			struct message *message);

/* The same for a segment as it is stored. */
enum status vector_read_columns(struct vector *vector, struct segment_columns *columns,
				struct message *message);

/*
 * The bits of the rows that the condition accepts, of the segment read last.
 * condition is one of the plan's filters'.
 */
void vector_bits(struct vector *vector, uint32_t condition, struct segment_bits *bits);

void vector_free(struct vector *vector);

#endif
