#include "value_range.h"

#include <math.h>

static void range_empty(struct value_range *range)
{
	range->low = 1;
	range->high = 0;
}

/* Narrows the range to row ids from bound on, or up to it; strict leaves bound itself out. */
static void range_narrow_integer(struct value_range *range, int64_t bound, enum bound_side side,
				 bool strict)
{
	if (strict && bound == (side == BOUND_ABOVE ? INT64_MAX : INT64_MIN)) {
		range_empty(range);
	} else if (side == BOUND_ABOVE) {
		bound += strict;
		range->low = bound > range->low ? bound : range->low;
	} else {
		bound -= strict;
		range->high = bound < range->high ? bound : range->high;
	}
}

static void range_narrow_real(struct value_range *range, double bound, enum bound_side side,
			      bool strict)
{
	double whole = floor(bound);

	if (bound >= 0x1p63) {
		if (side == BOUND_ABOVE)
			range_empty(range);
	} else if (bound < -0x1p63) {
		if (side == BOUND_BELOW)
			range_empty(range);
	} else if (whole == bound) {
		range_narrow_integer(range, (int64_t)whole, side, strict);
	} else {
		/* Nothing lies on a fraction: from the next whole number on, or up to the last. */
		range_narrow_integer(range, (int64_t)whole, side, side == BOUND_ABOVE);
	}
}

void value_range_narrow(struct value_range *range, sqlite3_value *value, enum bound_side side,
			bool strict)
{
	switch (sqlite3_value_numeric_type(value)) {
	case SQLITE_NULL:
		range_empty(range);
		break;
	case SQLITE_INTEGER:
		range_narrow_integer(range, sqlite3_value_int64(value), side, strict);
		break;
	case SQLITE_FLOAT:
		range_narrow_real(range, sqlite3_value_double(value), side, strict);
		break;
	default:
		break;
	}
}
