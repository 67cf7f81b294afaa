#include "chunk_stack.h"

#include <stdlib.h>

bool chunk_stack_init(struct chunk_stack *stack, const struct expression *expression,
		      struct operand *operands, bool counts)
{
	*stack = (struct chunk_stack){
		.expression = expression,
		.operands = operands,
		.bits = calloc(expression->depth + 1, sizeof(*stack->bits)),
		.borrowed = calloc(expression->depth + 1, sizeof(*stack->borrowed)),
		.counts = counts,
	};
	return stack->bits && stack->borrowed;
}

static void push(struct chunk_stack *stack, roaring_bitmap_t *bits, bool borrowed)
{
	stack->bits[stack->height] = bits;
	stack->borrowed[stack->height++] = borrowed;
}

static void drop(struct chunk_stack *stack)
{
	stack->height--;
	if (!stack->borrowed[stack->height] && stack->bits[stack->height])
		roaring_bitmap_free(stack->bits[stack->height]);
}

static void push_operand(struct chunk_stack *stack, size_t operand, int64_t chunk)
{
	struct operand *from = &stack->operands[operand];

	push(stack, from->chunk == chunk ? from->bits : NULL, true);
}

/* Replaces the two topmost bitmaps by their combination. False without memory. */
static bool combine(struct chunk_stack *stack, enum expression_kind kind)
{
	roaring_bitmap_t *right = stack->bits[stack->height - 1];
	roaring_bitmap_t *left = stack->bits[stack->height - 2];
	roaring_bitmap_t *result = NULL;
	bool failed = false;

	if (left && right) {
		result = kind == EXPRESSION_AND	 ? roaring_bitmap_and(left, right)
			 : kind == EXPRESSION_OR ? roaring_bitmap_or(left, right)
						 : roaring_bitmap_andnot(left, right);
		failed = !result;
	} else if (kind == EXPRESSION_OR || kind == EXPRESSION_NOT) {
		const roaring_bitmap_t *only = kind == EXPRESSION_OR && !left ? right : left;

		if (only) {
			result = roaring_bitmap_copy(only);
			failed = !result;
		}
	}
	drop(stack);
	drop(stack);
	push(stack, result, false);
	return !failed;
}

static void swap_topmost(struct chunk_stack *stack)
{
	size_t top = stack->height - 1;
	roaring_bitmap_t *bits = stack->bits[top];
	bool borrowed = stack->borrowed[top];

	stack->bits[top] = stack->bits[top - 1];
	stack->borrowed[top] = stack->borrowed[top - 1];
	stack->bits[top - 1] = bits;
	stack->borrowed[top - 1] = borrowed;
}

/* Adds to the count what combining the two topmost bitmaps, which go, would leave. */
static void combine_count(struct chunk_stack *stack, enum expression_kind kind)
{
	const roaring_bitmap_t *right = stack->bits[stack->height - 1];
	const roaring_bitmap_t *left = stack->bits[stack->height - 2];
	const uint64_t in_left = left ? roaring_bitmap_get_cardinality(left) : 0;
	const uint64_t in_right = right ? roaring_bitmap_get_cardinality(right) : 0;
	const uint64_t in_both = left && right ? roaring_bitmap_and_cardinality(left, right) : 0;

	stack->count += kind == EXPRESSION_AND	? in_both
			: kind == EXPRESSION_OR ? in_left - in_both + in_right
						: in_left - in_both;
	drop(stack);
	drop(stack);
}

/* The last step of a count: what it would leave is counted, and nothing is left. */
static bool step_counts(const struct chunk_stack *stack, size_t step)
{
	return stack->counts && step + 1 == stack->expression->step_count;
}

bool chunk_stack_run(struct chunk_stack *stack, int64_t chunk)
{
	const struct expression *expression = stack->expression;

	for (size_t i = 0; i < expression->step_count; i++) {
		const struct expression_step *step = &expression->steps[i];

		if (step->kind == EXPRESSION_NAME) {
			push_operand(stack, step->name, chunk);
			continue;
		}
		if (step->kind == EXPRESSION_NOT) {
			push_operand(stack, expression->name_count, chunk);
			swap_topmost(stack);
		}
		if (step_counts(stack, i))
			combine_count(stack, step->kind);
		else if (!combine(stack, step->kind))
			return false;
	}
	return true;
}

bool chunk_stack_take(struct chunk_stack *stack, roaring_bitmap_t **bits)
{
	roaring_bitmap_t *left;

	*bits = NULL;
	if (stack->height == 0)
		return true;
	left = stack->bits[0];
	if (!left || stack->counts) {
		stack->count += left ? roaring_bitmap_get_cardinality(left) : 0;
		drop(stack);
		return true;
	}
	stack->height = 0;
	*bits = stack->borrowed[0] ? roaring_bitmap_copy(left) : left;
	return *bits != NULL;
}

void chunk_stack_free(struct chunk_stack *stack)
{
	while (stack->height > 0)
		drop(stack);
	free(stack->bits);
	free(stack->borrowed);
}
