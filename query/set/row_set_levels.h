/*
 * Many sets of row ids on their way to one, combined only with those that have
 * about as many containers: many small ones then cost no more than sorting them
 * would.
 */
#ifndef CONNBITS_SET_ROW_SET_LEVELS_H
#define CONNBITS_SET_ROW_SET_LEVELS_H

#include <stddef.h>

#include "base/message.h"
#include "row_set.h"
#include "row_set_algebra.h"

enum { ROW_SET_LEVELS_MAX = 64 };

/* Zero-initialise; free with row_set_levels_free. */
struct row_set_levels {
	struct row_set sets[ROW_SET_LEVELS_MAX];
	size_t count;
};

/*
 * Takes a set over, whatever is returned. The operation is the same for all: AND, OR or
 * XOR.
 */
enum status row_set_levels_push(struct row_set_levels *levels, enum set_operation operation,
				struct row_set *set, struct message *message);

/* All that was given as one set, sets[0], which stays where it is; more may be pushed. */
enum status row_set_levels_settle(struct row_set_levels *levels, enum set_operation operation,
				  struct message *message);

void row_set_levels_free(struct row_set_levels *levels);

#endif
