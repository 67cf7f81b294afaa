#include "formula_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "predicate_codes.h"

void formula_rows_begin(struct formula_rows *rows)
{
	rows->known = 0;
}

/* A part of each row's address, or the address where it is IPv4. */
static enum status address_numbers(uint32_t column, struct segment_columns *columns,
				   const struct kernels *kernels, uint32_t *numbers,
				   struct message *message)
{
	const struct column_values *values;
	enum status status = segment_columns_values(columns, kernels, predicate_stored_in(column),
						    &values, message);

	for (size_t row = 0; status == STATUS_OK && row < columns->rows; row++)
		numbers[row] = column_value_number(values, values->places[row], column);
	return status;
}

/* Makes the numbers of a column; behind the last row stands anything. */
static enum status numbers_make(struct formula_rows *rows, uint32_t column,
				struct segment_columns *columns, const struct kernels *kernels,
				struct message *message)
{
	const enum stored_column stored = predicate_stored_in(column);
	enum status status;

	if (!rows->numbers[column] &&
	    !(rows->numbers[column] = calloc(SEGMENT_ROWS, sizeof(*rows->numbers[column]))))
		return message_out_of_memory(message);
	status = stored < STORED_SOURCE ? segment_columns_numbers(columns, kernels, stored,
								  rows->numbers[column], message)
					: address_numbers(column, columns, kernels,
							  rows->numbers[column], message);
	if (status == STATUS_OK)
		rows->known |= UINT32_C(1) << column;
	return status;
}

/* Rows behind the segment's last one are computed too, of whatever stands there. */
static void tile_hold(const struct formula_rows *rows, const struct formula *formula, size_t first,
		      uint64_t *bits)
{
	uint32_t tile[COLUMN_COUNT][FORMULA_ROWS];
	uint32_t holds[FORMULA_ROWS];

	for (uint32_t column = 0; column < COLUMN_COUNT; column++)
		if (formula->columns >> column & 1)
			memcpy(tile[column], rows->numbers[column] + first, sizeof(tile[column]));
	formula_hold(formula, (const uint32_t(*)[FORMULA_ROWS])tile, holds);
	for (size_t word = 0; word < FORMULA_ROWS / 64; word++) {
		uint64_t made = 0;

		for (size_t i = 0; i < 64; i++)
			made |= (uint64_t)(holds[word * 64 + i] & 1) << i;
		bits[word] = made;
	}
}

enum status formula_rows_bits(struct formula_rows *rows, const struct formula *formula,
			      struct segment_columns *columns, const struct kernels *kernels,
			      uint64_t *bits, struct message *message)
{
	enum status status = STATUS_OK;

	for (uint32_t column = 0; status == STATUS_OK && column < COLUMN_COUNT; column++)
		if (formula->columns >> column & 1 && !(rows->known >> column & 1))
			status = numbers_make(rows, column, columns, kernels, message);
	for (size_t first = 0; status == STATUS_OK && first < columns->rows; first += FORMULA_ROWS)
		tile_hold(rows, formula, first, bits + first / 64);
	return status;
}

void formula_rows_free(struct formula_rows *rows)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		free(rows->numbers[i]);
	*rows = (struct formula_rows){.known = 0};
}
