/*
 * Formulas over the stored columns of a segment: the numbers that they ask for are made of
 * the columns' distinct values, once a segment.
 */
#ifndef CONNBITS_ENGINE_FORMULA_ROWS_H
#define CONNBITS_ENGINE_FORMULA_ROWS_H

#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "column/segment_columns.h"
#include "condition/formula.h"

/* Zero-initialise; free with formula_rows_free. Memory is kept from one segment to the next. */
struct formula_rows {
	uint32_t *numbers[COLUMN_COUNT]; /* by row; NULL before they are needed */
	uint32_t known;			 /* a bit for each column: its numbers are this segment's */
};

/* Begins a segment. */
void formula_rows_begin(struct formula_rows *rows);

/*
 * The rows for which a formula holds: a bit a row in the (rows + 63) / 64 words of bits. Of
 * rows whose header has no such column the bit means nothing.
 */
enum status formula_rows_bits(struct formula_rows *rows, const struct formula *formula,
			      struct segment_columns *columns, const struct kernels *kernels,
			      uint64_t *bits, struct message *message);

void formula_rows_free(struct formula_rows *rows);

#endif
