/*
 * Address sets over the stored columns of a segment: each distinct address is looked up once
 * in each set, and a row has what its address has.
 */
#ifndef CONNBITS_ENGINE_ADDRESS_SEARCH_H
#define CONNBITS_ENGINE_ADDRESS_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "column/segment_columns.h"
#include "column_question.h"

/* What one thread works with. */
struct address_search;

/* Of the questions, which have to outlive it, those about addresses count. The caller frees with
 * address_search_free. */
enum status address_search_new(const struct column_question *questions, size_t count,
			       const struct kernels *kernels, struct address_search **search,
			       struct message *message);

/* Begins a segment, which has to stay as it is before the last question of it. */
void address_search_begin(struct address_search *search, struct segment_columns *columns);

/*
 * The bits of the rows for which the answer is yes, in the order of rows, valid until the next
 * call; *bits is NULL where there are none.
 */
enum status address_search_rows(struct address_search *search, size_t question,
				const uint64_t **bits, struct message *message);

void address_search_free(struct address_search *search);

#endif
