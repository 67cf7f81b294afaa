/* A range of integers, narrowed by what SQL compares a value with. */
#ifndef CONNBITS_SQL_VALUE_RANGE_H
#define CONNBITS_SQL_VALUE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "database/sqlite.h"

/* Both ends belong to it; low > high for an empty one. */
struct value_range {
	int64_t low;
	int64_t high;
};

enum bound_side { BOUND_ABOVE, BOUND_BELOW };

static inline struct value_range value_range_all(void)
{
	return (struct value_range){.low = INT64_MIN, .high = INT64_MAX};
}

/*
 * Narrows the range to what is above value, or below it; strict leaves value
 * itself out. NULL leaves nothing. What is no number does not narrow it: what
 * that means SQLite knows better, which checks each row again.
 */
void value_range_narrow(struct value_range *range, sqlite3_value *value, enum bound_side side,
			bool strict);

#endif
