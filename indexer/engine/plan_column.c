#include "plan_column.h"

#include <stdlib.h>
#include <string.h>

/* One column while it is made. */
struct lookup_maker {
	const struct plan *plan;
	struct plan_column *column;
	uint32_t number;
	uint32_t *predicates; /* those of the column */
	size_t count;
};

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a;
	const uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

size_t plan_sort_distinct(uint32_t *numbers, size_t count)
{
	size_t distinct = 0;

	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || numbers[i] != numbers[distinct - 1])
			numbers[distinct++] = numbers[i];
	return distinct;
}

/* Cuts the column wherever one of its predicates changes. */
static enum status intervals_cut(struct lookup_maker *maker, struct message *message)
{
	const struct plan *plan = maker->plan;
	struct plan_column *column = maker->column;
	size_t count = 0;

	for (size_t i = 0; i < maker->count; i++)
		count += plan->conditions.nodes[plan->predicates[maker->predicates[i]].condition]
				 .count;
	column->lasts = malloc(count * sizeof(*column->lasts));
	if (!column->lasts)
		return message_out_of_memory(message);
	count = 0;
	for (size_t i = 0; i < maker->count; i++) {
		const uint32_t condition = plan->predicates[maker->predicates[i]].condition;
		const struct piece *pieces = condition_pieces(&plan->conditions, condition);

		for (size_t j = 0; j < plan->conditions.nodes[condition].count; j++)
			column->lasts[count++] = pieces[j].last;
	}
	column->interval_count = (uint32_t)plan_sort_distinct(column->lasts, count);
	return STATUS_OK;
}

/*
 * A table small enough for the first cache where there are few intervals, and
 * large enough that most of its entries are within one.
 */
static enum status upper_make(struct plan_column *column, struct message *message)
{
	unsigned bits = 8;
	uint32_t interval = 0;
	uint32_t entries;

	while (bits < 16 && UINT32_C(1) << bits < column->interval_count * UINT32_C(64))
		bits++;
	entries = UINT32_C(1) << bits;
	column->lower_bits = 32 - bits;
	column->of_upper = malloc((entries + (size_t)1) * sizeof(*column->of_upper));
	if (!column->of_upper)
		return message_out_of_memory(message);
	for (uint32_t upper = 0; upper < entries; upper++) {
		while (column->lasts[interval] < upper << column->lower_bits)
			interval++;
		column->of_upper[upper] = interval;
	}
	column->of_upper[entries] = column->interval_count - 1;
	for (uint32_t upper = 0; upper < entries; upper++)
		while ((column->of_upper[upper + 1] - column->of_upper[upper]) >> column->steps)
			column->steps++;
	return STATUS_OK;
}

static enum status lookup_make(struct lookup_maker *maker, struct message *message)
{
	struct plan_column *column = maker->column;
	const uint32_t last = column_last(maker->number);
	uint32_t interval = 0;

	if (last <= UINT16_MAX) {
		column->of_number = malloc(((size_t)last + 1) * sizeof(*column->of_number));
		if (!column->of_number)
			return message_out_of_memory(message);
		for (uint32_t number = 0; number <= last; number++) {
			if (number > column->lasts[interval])
				interval++;
			column->of_number[number] = (uint16_t)interval;
		}
		return STATUS_OK;
	}
	return upper_make(column, message);
}

static enum status column_make(struct plan *plan, uint32_t number, struct message *message)
{
	struct lookup_maker maker = {
		.plan = plan, .column = &plan->columns[number], .number = number};
	enum status status;

	maker.predicates = malloc((plan->predicate_count + 1) * sizeof(*maker.predicates));
	if (!maker.predicates)
		return message_out_of_memory(message);
	for (size_t i = 0; i < plan->predicate_count; i++)
		if (plan->predicates[i].column == number)
			maker.predicates[maker.count++] = (uint32_t)i;
	maker.column->used = maker.count > 0;
	if (maker.count == 0) {
		free(maker.predicates);
		return STATUS_OK;
	}
	status = intervals_cut(&maker, message);
	if (status == STATUS_OK)
		status = lookup_make(&maker, message);
	free(maker.predicates);
	return status;
}

enum status plan_columns_make(struct plan *plan, struct message *message)
{
	enum status status = STATUS_OK;

	for (uint32_t column = 0; status == STATUS_OK && column < COLUMN_COUNT; column++)
		status = column_make(plan, column, message);
	return status;
}

void plan_columns_free(struct plan *plan)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		free(plan->columns[i].lasts);
		free(plan->columns[i].of_number);
		free(plan->columns[i].of_upper);
	}
}
