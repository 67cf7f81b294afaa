/*
 * Programs over the stored columns of a segment, a few at a time: of each column
 * only what decides is read. A predicate is a few ranges of a column's codes.
 * Where no distinct value of the segment is in any, no code is read.
 */
#ifndef CONNBITS_ENGINE_COLUMN_SEARCH_H
#define CONNBITS_ENGINE_COLUMN_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "bitmap/segment_bits.h"
#include "column/segment_columns.h"
#include "plan.h"

/* What one thread works with. */
struct column_search;

/*
 * Whether a plan can be searched for like this: its filters have conditions, and so few
 * predicates, for as many rows as the kernels take at once, that looking all values up
 * for all of them would not be cheaper.
 */
bool column_search_serves(const struct plan *plan, const struct kernels *kernels);

/* The plan has to outlive it. The caller frees with column_search_free. */
enum status column_search_new(const struct plan *plan, const struct kernels *kernels,
			      struct column_search **search, struct message *message);

/* Begins a segment, which has to stay as it is before the last column_search_bits of it. */
void column_search_begin(struct column_search *search, struct segment_columns *columns);

/* The bits of the rows that a condition accepts, which is one of the plan's filters'. */
enum status column_search_bits(struct column_search *search, uint32_t condition,
			       struct segment_bits *bits, struct message *message);

/* Only how many rows it accepts. */
enum status column_search_count(struct column_search *search, uint32_t condition, uint32_t *count,
				struct message *message);

void column_search_free(struct column_search *search);

#endif
