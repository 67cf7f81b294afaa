/*
 * An expression's steps run for one chunk: bitmaps go on a stack and are
 * combined there. What an operand lends is not copied.
 */
#ifndef CONNBITS_ASK_CHUNK_STACK_H
#define CONNBITS_ASK_CHUNK_STACK_H

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "expression/expression.h"
#include "operand.h"

struct chunk_stack {
	const struct expression *expression;
	struct operand *operands; /* one a name, then one for @all */
	roaring_bitmap_t **bits;  /* NULL is the empty set */
	bool *borrowed;		  /* an operand owns the bitmap */
	size_t height;
	bool counts; /* the last step only counts, and so adds to count */
	uint64_t count;
};

/* False without memory; free with chunk_stack_free whatever is returned. */
bool chunk_stack_init(struct chunk_stack *stack, const struct expression *expression,
		      struct operand *operands, bool counts);

/* Runs all steps for a chunk and leaves at most one bitmap. False without memory. */
bool chunk_stack_run(struct chunk_stack *stack, int64_t chunk);

/*
 * Takes what is left: adds its rows to the count, or gives it to the caller,
 * who frees *bits; NULL where there are no rows. False without memory.
 */
bool chunk_stack_take(struct chunk_stack *stack, roaring_bitmap_t **bits);

void chunk_stack_free(struct chunk_stack *stack);

#endif
