#include "column_slice.h"

#include <pcap/pcap.h>

#include "filter/abstract_header.h"

bool column_slice_of_load(const struct abstract_class *class, uint32_t offset, uint32_t size,
			  struct column_slice *slice)
{
	*slice = (struct column_slice){.column = COLUMN_COUNT};
	for (uint32_t i = 0; i < size; i++) {
		const struct abstract_byte byte = abstract_header_byte(class, offset + i);
		const unsigned left = 8 * (size - 1 - i);
		unsigned shift;
		const enum column column = column_at(class->version, offset + i, &shift);

		if (byte.known == 0xff) {
			slice->bits |= (uint32_t)byte.value << left;
			continue;
		}
		if (column == COLUMN_COUNT)
			return false;
		if (slice->column != COLUMN_COUNT &&
		    (slice->column != column || slice->by != (int)shift - (int)left))
			return false;
		slice->column = column;
		slice->by = (int)shift - (int)left;
		slice->mask |= UINT32_C(0xff) << left;
	}
	return slice->column != COLUMN_COUNT;
}

/* Applies an operation with a constant; false where the result is no slice. */
static bool slice_operate(struct column_slice *slice, uint16_t operation, uint32_t constant)
{
	switch (operation) {
	case BPF_AND:
		slice->mask &= constant;
		slice->bits &= constant;
		return true;
	case BPF_OR:
		slice->mask &= ~constant;
		slice->bits |= constant;
		return true;
	case BPF_LSH:
		if (constant > 31)
			return false;
		slice->mask <<= constant;
		slice->bits <<= constant;
		slice->by -= (int)constant;
		return true;
	case BPF_RSH:
		if (constant > 31)
			return false;
		slice->mask >>= constant;
		slice->bits >>= constant;
		slice->by += (int)constant;
		return true;
	default:
		return false;
	}
}

bool column_slice_of_value(const struct abstract_values *values, const struct abstract_class *class,
			   uint32_t number, struct column_slice *slice)
{
	enum { OPERATIONS_MAX = 16 };
	uint16_t operations[OPERATIONS_MAX];
	uint32_t constants[OPERATIONS_MAX];
	size_t count = 0;
	const struct abstract_value *value = &values->items[number];

	while (value->kind == VALUE_OPERATION) {
		const bool first = abstract_value_is_constant(values, value->a, &constants[count]);

		/* A constant on the left is only the same for & and |. */
		if (!first && !abstract_value_is_constant(values, value->b, &constants[count]))
			return false;
		if (first && value->operation != BPF_AND && value->operation != BPF_OR)
			return false;
		operations[count] = value->operation;
		if (++count == OPERATIONS_MAX)
			return false;
		value = &values->items[first ? value->b : value->a];
	}
	if (value->kind != VALUE_LOAD || !column_slice_of_load(class, value->a, value->b, slice))
		return false;
	while (count-- > 0)
		if (!slice_operate(slice, operations[count], constants[count]))
			return false;
	return slice->mask != 0;
}

uint32_t column_slice_value(const struct column_slice *slice, uint32_t number)
{
	const uint32_t moved = slice->by >= 0 ? number >> slice->by : number << -slice->by;

	return (moved & slice->mask) | slice->bits;
}
