/*
 * An expression's steps run for one segment: containers go on a stack and are
 * combined there. What an operand lends is not copied, and a buffer is taken
 * for no more results than stand on the stack at once.
 */
#ifndef CONNBITS_EXPRESSION_SEGMENT_STACK_H
#define CONNBITS_EXPRESSION_SEGMENT_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitmap/container.h"
#include "expression.h"

struct stack_buffer;

/* The container that an operand, a name or behind the last one @all, lends for a segment; or NULL.
 */
typedef const struct container *(*stack_operand)(const void *operands, size_t operand);

/* A container without rows where there are none; buffer is NULL where an operand has the bytes. */
struct stack_item {
	struct container container;
	struct stack_buffer *buffer;
};

struct segment_stack {
	const struct expression *expression;
	stack_operand operand;
	const void *operands;
	struct stack_item *items;
	size_t height;
	struct stack_buffer *unused;
	bool counts; /* the last step only counts, and so adds to count */
	uint64_t count;
};

/* False without memory; free with segment_stack_free whatever is returned. */
bool segment_stack_init(struct segment_stack *stack, const struct expression *expression,
			stack_operand operand, const void *operands, bool counts);

/* Runs all steps for a segment and leaves at most one container. False without memory. */
bool segment_stack_run(struct segment_stack *stack, int64_t segment);

/*
 * Takes what is left: adds its rows to the count, or lends it to the caller
 * until the next run, without rows where there are none.
 */
void segment_stack_take(struct segment_stack *stack, struct container *left);

void segment_stack_free(struct segment_stack *stack);

#endif
