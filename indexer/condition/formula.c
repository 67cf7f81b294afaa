#include "formula.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "column_slice.h"
#include "filter/abstract_header.h"

/* Also false where the stack would grow too high: every step but an operation makes it higher. */
static bool push(struct formula *formula, struct formula_step step)
{
	if (formula->count == FORMULA_STEPS_MAX)
		return false;
	if (step.kind == FORMULA_OPERATION)
		formula->height--;
	else if (formula->height++ == FORMULA_STACK_MAX)
		return false;
	formula->steps[formula->count++] = step;
	return true;
}

static bool push_operation(struct formula *formula, uint32_t operation)
{
	return push(formula, (struct formula_step){FORMULA_OPERATION, operation});
}

static bool push_constant(struct formula *formula, uint32_t constant)
{
	return push(formula, (struct formula_step){FORMULA_CONSTANT, constant});
}

/* One byte of a header, from its column. */
static bool push_byte(struct formula *formula, const struct abstract_class *class, uint32_t offset)
{
	const struct abstract_byte byte = abstract_header_byte(class, offset);
	unsigned shift;
	enum column column = column_at(class->version, offset, &shift);

	if (byte.known == 0xff)
		return push_constant(formula, byte.value);
	/* In no column: the checksum, whose bits the operations behind it drop. */
	if (column == COLUMN_COUNT)
		return push_constant(formula, 0);
	formula->columns |= 1U << column;
	return push(formula, (struct formula_step){FORMULA_COLUMN, column}) &&
	       (shift == 0 ||
		(push_constant(formula, shift) && push_operation(formula, BPF_RSH))) &&
	       push_constant(formula, 0xff) && push_operation(formula, BPF_AND);
}

/* A load from one column. */
static bool push_slice(struct formula *formula, const struct column_slice *slice)
{
	const uint32_t last = column_last(slice->column);
	const uint32_t moved = slice->by >= 0 ? last >> slice->by : last << -slice->by;

	formula->columns |= 1U << slice->column;
	if (!push(formula, (struct formula_step){FORMULA_COLUMN, slice->column}))
		return false;
	if (slice->by > 0 &&
	    (!push_constant(formula, (uint32_t)slice->by) || !push_operation(formula, BPF_RSH)))
		return false;
	if (slice->by < 0 &&
	    (!push_constant(formula, (uint32_t)-slice->by) || !push_operation(formula, BPF_LSH)))
		return false;
	if (moved != slice->mask &&
	    (!push_constant(formula, slice->mask) || !push_operation(formula, BPF_AND)))
		return false;
	return slice->bits == 0 ||
	       (push_constant(formula, slice->bits) && push_operation(formula, BPF_OR));
}

static bool push_load(struct formula *formula, const struct abstract_class *class, uint32_t offset,
		      uint32_t size)
{
	struct column_slice slice;

	if (column_slice_of_load(class, offset, size, &slice))
		return push_slice(formula, &slice);
	for (uint32_t i = 0; i < size; i++) {
		if (i > 0 && (!push_constant(formula, 8) || !push_operation(formula, BPF_LSH)))
			return false;
		if (!push_byte(formula, class, offset + i) ||
		    (i > 0 && !push_operation(formula, BPF_OR)))
			return false;
	}
	return true;
}

/* The recursion ends with the steps, one of which every level takes. */
static bool push_value(struct formula *formula, const struct abstract_values *values,
		       const struct abstract_class *class, uint32_t number, unsigned depth)
{
	const struct abstract_value *value = &values->items[number];

	if (depth == FORMULA_STEPS_MAX)
		return false;
	switch (value->kind) {
	case VALUE_CONSTANT:
		return push_constant(formula, value->a);
	case VALUE_LOAD:
		return push_load(formula, class, value->a, value->b);
	case VALUE_OPERATION:
		return push_value(formula, values, class, value->a, depth + 1) &&
		       push_value(formula, values, class, value->b, depth + 1) &&
		       push_operation(formula, value->operation);
	default:
		return false;
	}
}

bool formula_of_test(const struct abstract_values *values, const struct abstract_class *class,
		     const struct test *test, struct formula *formula)
{
	memset(formula, 0, sizeof(*formula)); /* formulas are compared byte by byte */
	formula->operation = test->operation;
	formula->constant = test->constant;
	return push_value(formula, values, class, test->value, 0);
}

/* One operation on all rows: the loops are left to the vectoriser. */
#define ROWS(result)                                                                               \
	for (size_t i = 0; i < FORMULA_ROWS; i++)                                                  \
		a[i] = (result);                                                                   \
	break

static void rows_operate(uint16_t operation, uint32_t *restrict a, const uint32_t *restrict b)
{
	switch (operation) {
	case BPF_ADD:
		ROWS(a[i] + b[i]);
	case BPF_SUB:
		ROWS(a[i] - b[i]);
	case BPF_AND:
		ROWS(a[i] & b[i]);
	case BPF_OR:
		ROWS(a[i] | b[i]);
	case BPF_XOR:
		ROWS(a[i] ^ b[i]);
	case BPF_JMP | BPF_JEQ:
		ROWS(a[i] == b[i]);
	case BPF_JMP | BPF_JGT:
		ROWS(a[i] > b[i]);
	case BPF_JMP | BPF_JGE:
		ROWS(a[i] >= b[i]);
	default:
		ROWS(abstract_value_compute(operation, a[i], b[i]));
	}
}

#undef ROWS

void formula_hold(const struct formula *formula, const uint32_t (*columns)[FORMULA_ROWS],
		  uint32_t holds[static FORMULA_ROWS])
{
	uint32_t stack[FORMULA_STACK_MAX][FORMULA_ROWS];
	size_t height = 0;

	memset(stack, 0, 2 * sizeof(*stack));
	for (uint32_t i = 0; i < formula->count; i++) {
		const struct formula_step *step = &formula->steps[i];

		if (step->kind == FORMULA_OPERATION) {
			height--;
			rows_operate((uint16_t)step->value, stack[height - 1], stack[height]);
		} else if (step->kind == FORMULA_COLUMN) {
			memcpy(stack[height++], columns[step->value], sizeof(*stack));
		} else {
			for (size_t row = 0; row < FORMULA_ROWS; row++)
				stack[height][row] = step->value;
			height++;
		}
	}
	for (size_t row = 0; row < FORMULA_ROWS; row++)
		stack[1][row] = formula->constant;
	memcpy(holds, stack[0], sizeof(*stack));
	rows_operate((uint16_t)(BPF_JMP | formula->operation), holds, stack[1]);
}

enum status formulas_add(struct formulas *formulas, const struct formula *formula, uint32_t *number,
			 struct message *message)
{
	for (size_t i = 0; i < formulas->count; i++) {
		if (memcmp(&formulas->items[i], formula, sizeof(*formula)) == 0) {
			*number = (uint32_t)i;
			return STATUS_OK;
		}
	}
	if (formulas->count == formulas->capacity) {
		const size_t capacity = formulas->capacity ? formulas->capacity * 2 : 8;
		struct formula *items = realloc(formulas->items, capacity * sizeof(*items));

		if (!items)
			return message_out_of_memory(message);
		formulas->items = items;
		formulas->capacity = capacity;
	}
	*number = (uint32_t)formulas->count;
	formulas->items[formulas->count++] = *formula;
	return STATUS_OK;
}

void formulas_free(struct formulas *formulas)
{
	free(formulas->items);
	*formulas = (struct formulas){0};
}
