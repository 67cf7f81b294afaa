/*
 * One pass over the headers of a segment: every column's numbers are looked up,
 * and what they say is kept for the predicates: a class for each row, or a list
 * of rows.
 */
#ifndef CONNBITS_ENGINE_COLUMN_LOOKUP_H
#define CONNBITS_ENGINE_COLUMN_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrangement.h"
#include "base/message.h"
#include "bitmap/kernel.h"
#include "column/segment_columns.h"
#include "formula_rows.h"
#include "packet/segment.h"
#include "plan.h"

struct tile;
struct hit;

/* What one thread works with. */
struct column_lookup {
	const struct plan *plan;
	const struct kernels *kernels;
	struct arrangement arrangement;
	bool *hot;	     /* predicates that many rows met */
	uint8_t *classes;    /* CLASSES_BYTES for each bin of the arrangement, and once more */
	uint32_t *first_low; /* of each predicate, and one more: in lows */
	uint16_t *lows;	     /* rows of the listed predicates, one list behind the other */
	size_t low_capacity;
	size_t rows; /* of the segment that were read */
	struct tile *tile;
	uint64_t *formula_words; /* SEGMENT_WORDS for each formula */
	struct hit *hits;	 /* in the order of the rows */
	size_t hit_count;
	size_t hit_capacity;
	size_t hit_limit; /* with more hits, hot predicates are looked for at once */
	/* Of stored segments; NULL before the first: */
	uint16_t *row_lows;   /* of each row, in the order of row ids, */
	uint32_t *row_places; /* and its place in the planes of a bin */
	uint8_t *entries;     /* of each distinct value */
	uint32_t *intervals;  /* likewise, */
	uint16_t *ipv6_rows;  /* of a stored column, once they are known */
	size_t ipv6_count;
	bool ipv6_known;
	uint16_t *listed_rows;
	struct formula_rows formulas;
	uint64_t *row_bits; /* of a formula, in the order of rows */
};

/*
 * A lookup for a plan, which has to outlive it. The caller frees with
 * column_lookup_free, also on failure.
 */
enum status column_lookup_open(const struct plan *plan, const struct kernels *kernels,
			       struct column_lookup *lookup, struct message *message);

/* Reads a segment's headers. May arrange the predicates anew on the way. */
enum status column_lookup_read(struct column_lookup *lookup, const struct segment *segment,
			       struct message *message);

/* The same for a segment as it is stored: each of its distinct values is looked up once. */
enum status column_lookup_read_columns(struct column_lookup *lookup,
				       struct segment_columns *columns, struct message *message);

void column_lookup_free(struct column_lookup *lookup);

#endif
