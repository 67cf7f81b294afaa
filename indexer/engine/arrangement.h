/*
 * How one thread asks the predicates of a plan:
 *   - listed ones (few rows meet them: a port, a host) are named by the
 *     intervals of their column, and each row is put on the lists it meets;
 *   - dense ones (many rows do: a protocol, a large network) become ranges of
 *     one-byte classes, which are compared many rows at a time.
 * Which is which only decides the time it takes. At first the width of a
 * predicate's set decides, later the rows that met it.
 */
#ifndef CONNBITS_ENGINE_ARRANGEMENT_H
#define CONNBITS_ENGINE_ARRANGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "plan.h"

/* Classes from first to last of a dense predicate. */
struct class_range {
	uint8_t first;
	uint8_t last;
};

struct arranged_predicate {
	bool dense;	    /* formulas are, without a bin */
	uint32_t bin;	    /* where dense */
	size_t first_range; /* where dense: in ranges */
	uint32_t range_count;
};

/* One byte a row: the class of its number among the dense predicates of the bin. */
struct bin {
	uint8_t *classes; /* by interval of the bin's column */
};

/* Up to so many intervals, comparing a number with all bounds beats every look-up. */
enum { RANK_INTERVALS_MAX = 64 };

/* In entries: the class, and whether the interval is in the set of a listed predicate. */
enum { ENTRY_CLASS = 0x7f, ENTRY_LISTED = 0x80 };

struct arranged_column {
	uint8_t *entries; /* by number or by interval: the class is that of the first bin */
	bool entries_by_number;
	uint32_t *first_hit; /* of each interval, and one more: in hits */
	uint32_t *hits;	     /* listed predicates that hold there */
	uint32_t first_bin;
	uint32_t bin_count;
};

struct arrangement {
	struct arranged_predicate *predicates;
	struct arranged_column columns[COLUMN_COUNT];
	struct bin *bins;
	size_t bin_count;
	struct class_range *ranges;
	size_t range_count;
	size_t range_capacity;
};

/*
 * Arranges the predicates of a plan. hot is NULL, or says which predicates are
 * dense whatever their width. The caller frees with arrangement_free, also on
 * failure.
 */
enum status arrangement_make(const struct plan *plan, const bool *hot,
			     struct arrangement *arrangement, struct message *message);

void arrangement_free(struct arrangement *arrangement);

#endif
