#include "test_condition.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "column_slice.h"

/*
 * Does the slice grow with its column? It does if its bits are the column's
 * uppermost ones.
 */
static bool slice_ascends(const struct column_slice *slice)
{
	const uint32_t last = column_last(slice->column);
	const uint32_t kept = slice->by >= 0 ? slice->mask << slice->by : slice->mask >> -slice->by;
	const uint32_t dropped = last & ~kept;

	return slice->column != COLUMN_SHAPE && (dropped & (dropped + 1)) == 0;
}

/* The least number of the column whose slice is `bound` or more; one past the last where none is.
 */
static uint64_t slice_bound(const struct column_slice *slice, uint64_t bound)
{
	uint64_t low = 0;
	uint64_t high = (uint64_t)column_last(slice->column) + 1;

	while (low < high) {
		const uint64_t middle = (low + high) / 2;

		if (column_slice_value(slice, (uint32_t)middle) >= bound)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The numbers from first to before end. */
static uint32_t interval(struct conditions *conditions, enum column column, uint64_t first,
			 uint64_t end)
{
	struct piece pieces[3];
	size_t count = 0;

	if (first >= end)
		return CONDITION_REJECT;
	if (first > 0)
		pieces[count++] = (struct piece){(uint32_t)(first - 1), CONDITION_REJECT};
	pieces[count++] = (struct piece){(uint32_t)(end - 1), CONDITION_ACCEPT};
	if (end <= column_last(column))
		pieces[count++] = (struct piece){column_last(column), CONDITION_REJECT};
	return condition_make(conditions, column, pieces, count);
}

static uint32_t literal_ascending(struct conditions *conditions, const struct column_slice *slice,
				  const struct test *test)
{
	const uint64_t end = (uint64_t)column_last(slice->column) + 1;
	const uint64_t constant = test->constant;

	switch (test->operation) {
	case BPF_JEQ:
		return interval(conditions, slice->column, slice_bound(slice, constant),
				slice_bound(slice, constant + 1));
	case BPF_JGT:
		return interval(conditions, slice->column, slice_bound(slice, constant + 1), end);
	default: /* BPF_JGE */
		return interval(conditions, slice->column, slice_bound(slice, constant), end);
	}
}

/* Tries every number of a small column. */
static enum status literal_enumerated(struct conditions *conditions, const struct formula *formula,
				      enum column column, uint32_t *condition,
				      struct message *message)
{
	const uint32_t last = column_last(column);
	struct piece *pieces = malloc(((size_t)last + 1) * sizeof(*pieces));
	uint32_t(*columns)[FORMULA_ROWS] = malloc(COLUMN_COUNT * sizeof(*columns));
	uint32_t holds[FORMULA_ROWS];
	enum status status = pieces && columns ? STATUS_OK : message_out_of_memory(message);

	for (uint32_t first = 0; status == STATUS_OK && first <= last; first += FORMULA_ROWS) {
		for (uint32_t i = 0; i < FORMULA_ROWS; i++)
			columns[column][i] =
				column == COLUMN_SHAPE ? shape_protocol(first + i) : first + i;
		formula_hold(formula, (const uint32_t(*)[FORMULA_ROWS])columns, holds);
		for (uint32_t i = 0; i < FORMULA_ROWS; i++)
			pieces[first + i] = (struct piece){first + i, holds[i] ? CONDITION_ACCEPT
									       : CONDITION_REJECT};
	}
	if (status == STATUS_OK)
		*condition = condition_make(conditions, column, pieces, (size_t)last + 1);
	free(pieces);
	free(columns);
	return status;
}

enum status test_condition_make(struct conditions *conditions, struct formulas *formulas,
				const struct abstract_values *values,
				const struct abstract_class *class, const struct test *test,
				uint32_t *condition, bool *expressible, struct message *message)
{
	static const struct piece holds[] = {{0, CONDITION_REJECT}, {1, CONDITION_ACCEPT}};
	struct column_slice slice;
	struct formula formula;
	uint32_t number;
	enum status status;

	*expressible = true;
	*condition = CONDITION_REJECT;
	if (column_slice_of_value(values, class, test->value, &slice) && slice_ascends(&slice)) {
		*condition = literal_ascending(conditions, &slice, test);
		return STATUS_OK;
	}
	if (!formula_of_test(values, class, test, &formula)) {
		*expressible = false;
		return STATUS_OK;
	}
	for (enum column column = COLUMN_SHAPE; column < COLUMN_SOURCE; column++)
		if (formula.columns == 1U << column)
			return literal_enumerated(conditions, &formula, column, condition, message);
	status = formulas_add(formulas, &formula, &number, message);
	if (status == STATUS_OK)
		*condition = condition_make(conditions, COLUMN_COUNT + number, holds, 2);
	return status;
}
