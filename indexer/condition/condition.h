/*
 * Conditions on the columns of a header, as ordered decision diagrams. A node
 * asks for the number in one column; its pieces cut the column's range into
 * intervals, and each piece says how it goes on: with a node of a later column,
 * or with one of the two answers. Pieces beside each other differ and equal
 * nodes are one node, so equal conditions have equal numbers.
 *
 * A column from COLUMN_COUNT on is a formula over several columns: its number
 * is 1 where the formula holds, else 0.
 */
#ifndef CONNBITS_CONDITION_CONDITION_H
#define CONNBITS_CONDITION_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/header_column.h"

enum { CONDITION_REJECT = 0, CONDITION_ACCEPT = 1 };

/* The numbers behind those of the piece before, up to and including last. */
struct piece {
	uint32_t last;
	uint32_t next; /* a condition */
};

struct condition_node {
	uint32_t column;
	uint32_t count; /* pieces, 2 or more */
	size_t first;	/* of them in conditions.pieces */
};

/* Zero-initialise and set work_limit; free with conditions_free. */
struct conditions {
	struct condition_node *nodes;
	size_t count; /* the first two stand for the answers */
	size_t capacity;
	struct piece *pieces;
	size_t piece_count;
	size_t piece_capacity;
	size_t work;	   /* pieces looked at so far */
	size_t work_limit; /* as many at most; 0 is no limit */
	uint32_t *slots;   /* hash table of node numbers */
	size_t slot_count;
	struct condition_choice *choices; /* results of condition_choose */
	struct piece *pending;		  /* of nodes that are being made */
	size_t pending_count;
	size_t pending_capacity;
	bool failed;  /* out of memory: every number since means nothing */
	bool limited; /* past work_limit: likewise */
};

/* The greatest number in a column: column_last, or 1 for a formula. */
uint32_t condition_column_last(uint32_t column);

/*
 * The condition with these pieces of a column, in ascending order, the last one
 * up to the column's greatest number. Neighbours that go on alike are joined.
 * Every piece goes on with a later column or an answer.
 */
uint32_t condition_make(struct conditions *conditions, uint32_t column, const struct piece *pieces,
			size_t count);

/* Where `question` holds the condition yes, elsewhere no. */
uint32_t condition_choose(struct conditions *conditions, uint32_t question, uint32_t yes,
			  uint32_t no);

/*
 * Copies a condition of `from` into another set. formulas[i] is what the column
 * COLUMN_COUNT + i of `from` is called in it. As formulas may change their order
 * by that, copies are for reading only: condition_choose must not be given them.
 */
uint32_t condition_copy(struct conditions *to, const struct conditions *from, uint32_t condition,
			const uint32_t *formulas);

static inline const struct piece *condition_pieces(const struct conditions *conditions,
						   uint32_t condition)
{
	return conditions->pieces + conditions->nodes[condition].first;
}

void conditions_free(struct conditions *conditions);

#endif
