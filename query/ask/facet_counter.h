/* The rows of a segment that are in a set, counted by a value of theirs. */
#ifndef CONNBITS_ASK_FACET_COUNTER_H
#define CONNBITS_ASK_FACET_COUNTER_H

#include <stdint.h>

#include "base/message.h"
#include "bitmap/container.h"
#include "column/segment_columns.h"
#include "facet.h"
#include "value_counts.h"

/* What one thread works with. */
struct facet_counter;

/*
 * NULL without memory. Free with facet_counter_free. Where only is not NULL, addresses and ports
 * are counted that it has; it has to outlive the counter, and stay as it is.
 */
struct facet_counter *facet_counter_new(enum facet_by by, const struct value_counts *only);

/* Counts the rows of a container that have the value. */
enum status facet_counter_run(struct facet_counter *counter, const struct container *container,
			      struct segment_columns *columns, struct message *message);

/* What was counted; the rows that had a value, each once. */
const struct value_counts *facet_counter_counts(const struct facet_counter *counter);
uint64_t facet_counter_rows(const struct facet_counter *counter);

void facet_counter_free(struct facet_counter *counter);

#endif
