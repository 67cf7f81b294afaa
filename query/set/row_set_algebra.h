/*
 * Two sets of row ids to one, or to what can be said of them without making
 * one.
 */
#ifndef CONNBITS_SET_ROW_SET_ALGEBRA_H
#define CONNBITS_SET_ROW_SET_ALGEBRA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/container_algebra.h"
#include "row_set.h"

/* Combines a and b. On success the caller frees *result with row_set_free. */
enum status row_set_combine(const struct row_set *a, const struct row_set *b,
			    enum set_operation operation, struct row_set *result,
			    struct message *message);

/* How many row ids the combination has. */
uint64_t row_set_combined_rows(const struct row_set *a, const struct row_set *b,
			       enum set_operation operation);

/* True if a row id is in both. */
bool row_set_intersects(const struct row_set *a, const struct row_set *b);

/* True if every row id of a is in b. */
bool row_set_is_subset(const struct row_set *a, const struct row_set *b);

bool row_set_equals(const struct row_set *a, const struct row_set *b);

#endif
