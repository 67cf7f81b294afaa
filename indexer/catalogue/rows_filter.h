/*
 * Filters that are expressions over other filters, address sets, times and {pcap filters}:
 * parsed, their operands found, put into an order in which operands come first.
 */
#ifndef CONNBITS_CATALOGUE_ROWS_FILTER_H
#define CONNBITS_CATALOGUE_ROWS_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "condition/program_digest.h"
#include "expression/expression.h"
#include "filter/program.h"

/* What stands in place of an operand's number for the two filters that every index has. */
#define ROWS_FILTER_ALL (SIZE_MAX - 1)
#define ROWS_FILTER_SKIPPED (SIZE_MAX - 2)

/* Filters may use each other so deep. */
enum { ROWS_FILTER_DEPTH_MAX = 200 };

struct rows_filter {
	struct expression expression;
	/* By name of the expression: the number of a filter, or of an address set. */
	size_t *operands;
	struct program *programs; /* by name, of {pcap filters} */
	char (*digests)[PROGRAM_DIGEST_SIZE];
};

struct filter_set;
struct filter_compiling;

/*
 * Links all such filters of a set: parses what is not parsed yet, compiles their {pcap filters},
 * finds their operands, and gives them digests. set->order then has them, each behind those that it
 * uses. Mistakes go the way of filter_set_compile's.
 */
enum status rows_filters_link(struct filter_set *set, const struct filter_compiling *compiling,
			      struct message *message);

void rows_filter_free(struct rows_filter *rows);

#endif
