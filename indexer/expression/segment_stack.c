#include "segment_stack.h"

#include <stdlib.h>

#include "bitmap/container_algebra.h"

struct stack_buffer {
	struct stack_buffer *next; /* of those that are not in use */
	uint8_t bytes[CONTAINER_BYTES_MAX];
};

bool segment_stack_init(struct segment_stack *stack, const struct expression *expression,
			stack_operand operand, const void *operands, bool counts)
{
	*stack = (struct segment_stack){
		.expression = expression,
		.operand = operand,
		.operands = operands,
		.items = calloc(expression->depth + 1, sizeof(*stack->items)),
		.counts = counts,
	};
	return stack->items;
}

static struct stack_buffer *buffer_take(struct segment_stack *stack)
{
	struct stack_buffer *buffer = stack->unused;

	if (!buffer)
		return malloc(sizeof(*buffer));
	stack->unused = buffer->next;
	return buffer;
}

static void drop(struct segment_stack *stack)
{
	struct stack_item *top = &stack->items[--stack->height];

	if (!top->buffer)
		return;
	top->buffer->next = stack->unused;
	stack->unused = top->buffer;
	top->buffer = NULL;
}

static void push_operand(struct segment_stack *stack, size_t operand, int64_t segment)
{
	const struct container *lent = stack->operand(stack->operands, operand);
	struct stack_item *item = &stack->items[stack->height++];

	*item = (struct stack_item){.buffer = NULL};
	if (lent && lent->segment == segment)
		item->container = *lent;
}

static enum set_operation operation_of(enum expression_kind kind)
{
	return kind == EXPRESSION_AND ? SET_AND : kind == EXPRESSION_OR ? SET_OR : SET_ANDNOT;
}

static void swap_topmost(struct segment_stack *stack)
{
	struct stack_item *top = &stack->items[stack->height - 1];
	const struct stack_item item = *top;

	*top = top[-1];
	top[-1] = item;
}

/* Replaces the two topmost containers, both with rows, by their combination. */
static bool combine_both(struct segment_stack *stack, enum expression_kind kind)
{
	const struct stack_item *left = &stack->items[stack->height - 2];
	struct stack_item result = {.buffer = buffer_take(stack)};

	if (!result.buffer)
		return false;
	container_combine(&left[0].container, &left[1].container, operation_of(kind),
			  result.buffer->bytes, &result.container);
	drop(stack);
	drop(stack);
	stack->items[stack->height++] = result;
	return true;
}

/* The same for any two. False without memory. */
static bool combine(struct segment_stack *stack, enum expression_kind kind)
{
	const bool right = stack->items[stack->height - 1].container.cardinality > 0;
	const bool left = stack->items[stack->height - 2].container.cardinality > 0;

	if (left && right)
		return combine_both(stack, kind);
	/* What stays is one of them as it is, or nothing, which the empty one serves for. */
	if (kind == EXPRESSION_OR ? right : kind == EXPRESSION_AND && left)
		swap_topmost(stack);
	drop(stack);
	return true;
}

/* Adds to the count what combining the two topmost containers, which go, would leave. */
static void combine_count(struct segment_stack *stack, enum expression_kind kind)
{
	const struct container *right = &stack->items[stack->height - 1].container;
	const struct container *left = &stack->items[stack->height - 2].container;
	const uint64_t in_both =
		left->cardinality && right->cardinality ? container_common(left, right) : 0;

	stack->count += kind == EXPRESSION_AND	? in_both
			: kind == EXPRESSION_OR ? left->cardinality - in_both + right->cardinality
						: left->cardinality - in_both;
	drop(stack);
	drop(stack);
}

/* The last step of a count: what it would leave is counted, and nothing is left. */
static bool step_counts(const struct segment_stack *stack, size_t step)
{
	return stack->counts && step + 1 == stack->expression->step_count;
}

bool segment_stack_run(struct segment_stack *stack, int64_t segment)
{
	const struct expression *expression = stack->expression;

	while (stack->height > 0)
		drop(stack);
	for (size_t i = 0; i < expression->step_count; i++) {
		const struct expression_step *step = &expression->steps[i];

		if (step->kind == EXPRESSION_NAME) {
			push_operand(stack, step->name, segment);
			continue;
		}
		if (step->kind == EXPRESSION_NOT) {
			push_operand(stack, expression->name_count, segment);
			swap_topmost(stack);
		}
		if (step_counts(stack, i))
			combine_count(stack, step->kind);
		else if (!combine(stack, step->kind))
			return false;
	}
	return true;
}

void segment_stack_take(struct segment_stack *stack, struct container *left)
{
	*left = (struct container){0};
	if (stack->height == 0)
		return;
	if (stack->counts)
		stack->count += stack->items[0].container.cardinality;
	else
		*left = stack->items[0].container;
}

void segment_stack_free(struct segment_stack *stack)
{
	if (!stack->items)
		return;
	while (stack->height > 0)
		drop(stack);
	while (stack->unused) {
		struct stack_buffer *buffer = stack->unused;

		stack->unused = buffer->next;
		free(buffer);
	}
	free(stack->items);
}
