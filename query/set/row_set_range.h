/* Ranges of row ids, both ends in them, made and cut out of sets. */
#ifndef CONNBITS_SET_ROW_SET_RANGE_H
#define CONNBITS_SET_ROW_SET_RANGE_H

#include <stdint.h>

#include "base/message.h"
#include "row_set.h"

/* The most row ids a range may have that is made: it takes about 16 MB. */
#define ROW_SET_RANGE_MAX (UINT64_C(1) << 34)

/*
 * Makes the set of all row ids from first to last; none where first > last.
 * STATUS_USAGE where there are more than ROW_SET_RANGE_MAX. On success the
 * caller frees *set with row_set_free.
 */
enum status row_set_make_range(int64_t first, int64_t last, struct row_set *set,
			       struct message *message);

/* Copies the row ids from first to last. On success free *part with row_set_free. */
enum status row_set_cut(const struct row_set *set, int64_t first, int64_t last,
			struct row_set *part, struct message *message);

/* Drops the row ids before first. On failure the set is as it was. */
enum status row_set_drop_before(struct row_set *set, int64_t first, struct message *message);

/* How many row ids there are from first to last. */
uint64_t row_set_range_rows(const struct row_set *set, int64_t first, int64_t last);

/* The most row ids that are moved: each of them is looked at. */
#define ROW_SET_SHIFT_MAX (UINT64_C(1) << 27)

/*
 * Adds distance to every row id; those that are no longer 64-bit integers are
 * lost. STATUS_USAGE where there are more than ROW_SET_SHIFT_MAX. On success
 * the caller frees *moved with row_set_free.
 */
enum status row_set_shift(const struct row_set *set, int64_t distance, struct row_set *moved,
			  struct message *message);

#endif
