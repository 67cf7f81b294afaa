/*
 * A catalogue's programs made ready for the vector engine. Conditions are
 * interned over all programs, and so are the predicates they ask: sets of
 * numbers of one column. Every column's range is cut into intervals in which
 * all its predicates stay the same, so one look-up a row answers them all. A
 * plan is not changed once it is made, so threads share it.
 */
#ifndef CONNBITS_ENGINE_PLAN_H
#define CONNBITS_ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/stop.h"
#include "condition/condition.h"
#include "condition/formula.h"
#include "condition/program_condition.h"
#include "filter/program.h"

/* What a node does where its column is in the set of a predicate. */
struct plan_branch {
	uint32_t predicate;
	bool inverted; /* where it is not in the set */
	uint32_t next; /* a condition, never CONDITION_REJECT */
};

struct plan_node {
	size_t first_branch;
	uint32_t branch_count;
	uint32_t uses; /* filters and branches that lead here */
};

struct plan_predicate {
	uint32_t condition; /* its set: that column, ACCEPT where it is in */
	uint32_t column;
	uint32_t uses; /* branches */
};

/* How the numbers of a column are looked up. */
struct plan_column {
	bool used;
	uint32_t interval_count;
	uint32_t *lasts;     /* of each interval its last number, ascending */
	uint16_t *of_number; /* for 16-bit columns: the interval of each number */
	uint32_t *of_upper;  /* for 32-bit columns: the interval where the upper bits begin */
	unsigned lower_bits; /* for 32-bit columns: those that are not upper ones */
	unsigned steps;	     /* for 32-bit columns: of a search between two entries of of_upper */
};

struct plan_filter {
	uint32_t condition;
	enum program_condition_limit limit; /* not PROGRAM_CONDITION_DONE: bpf_filter answers */
};

struct plan {
	struct conditions conditions;
	struct formulas formulas;
	struct plan_filter *filters;
	size_t filter_count;
	struct plan_node *nodes; /* by condition */
	size_t node_count;
	struct plan_branch *branches;
	size_t branch_count;
	size_t branch_capacity;
	struct plan_predicate *predicates;
	size_t predicate_count;
	size_t predicate_capacity;
	struct plan_column columns[COLUMN_COUNT];
};

/*
 * Makes the plan of some programs, within bounds of time and memory: what is
 * beyond them is left to bpf_filter. stop is NULL, or asked whether this should
 * end, with STATUS_FAILED. The caller frees *plan with plan_free.
 */
enum status plan_make(const struct program *const *programs, size_t count, const struct stop *stop,
		      struct plan **plan, struct message *message);

/* Makes the tables by which numbers are looked up: for all but searches of stored columns. */
enum status plan_look_up(struct plan *plan, struct message *message);

/* True if the filter accepts every header, or none. Not known where bpf_filter answers. */
bool plan_always(const struct plan *plan, size_t filter);
bool plan_never(const struct plan *plan, size_t filter);

/*
 * The interval of a 32-bit column that holds a number. As many steps for every
 * number: a branch that follows the data would cost more than the steps saved.
 */
static inline uint32_t plan_interval_32(const struct plan_column *column, uint32_t number)
{
	const uint32_t *entry = column->of_upper + (number >> column->lower_bits);
	uint32_t low = entry[0];
	uint32_t length = entry[1] - low;

	for (unsigned step = 0; step < column->steps; step++) {
		const uint32_t half = length / 2;
		const bool behind = (length > 0) & (column->lasts[low + half] < number);

		low = behind ? low + half + 1 : low;
		length = behind ? length - half - 1 : half;
	}
	return low;
}

/* The interval of any column that holds a number. */
static inline uint32_t plan_interval(const struct plan_column *column, uint32_t number)
{
	return column->of_number ? column->of_number[number] : plan_interval_32(column, number);
}

void plan_free(struct plan *plan);

#endif
