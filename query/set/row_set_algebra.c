#include "row_set_algebra.h"

#include <string.h>

/* Containers of two sets side by side; a or b is NULL where the other has no such segment. */
struct pair {
	const struct container *a;
	const struct container *b;
};

/* Walks both sets by ascending segment; i and j begin as 0. False at the end. */
static bool pair_next(const struct row_set *a, const struct row_set *b, size_t *i, size_t *j,
		      struct pair *pair)
{
	*pair = (struct pair){0};
	if (*i < a->count &&
	    (*j == b->count || a->containers[*i].segment <= b->containers[*j].segment))
		pair->a = &a->containers[*i];
	if (*j < b->count &&
	    (*i == a->count || b->containers[*j].segment <= a->containers[*i].segment))
		pair->b = &b->containers[*j];
	*i += pair->a != NULL;
	*j += pair->b != NULL;
	return pair->a || pair->b;
}

/* Containers that only one set has: those of a are left by all but AND, those of b by OR and XOR.
 */
static bool alone_stays(const struct pair *pair, enum set_operation operation)
{
	return pair->a ? operation != SET_AND : operation == SET_OR || operation == SET_XOR;
}

enum status row_set_combine(const struct row_set *a, const struct row_set *b,
			    enum set_operation operation, struct row_set *result,
			    struct message *message)
{
	struct pair pair;
	size_t i = 0;
	size_t j = 0;
	enum status status = STATUS_OK;

	*result = (struct row_set){0};
	while (status == STATUS_OK && pair_next(a, b, &i, &j, &pair)) {
		uint8_t scratch[CONTAINER_BYTES_MAX];
		struct container both;

		if (pair.a && pair.b) {
			container_combine(pair.a, pair.b, operation, scratch, &both);
			status = row_set_append(result, &both, message);
		} else if (alone_stays(&pair, operation)) {
			status = row_set_append(result, pair.a ? pair.a : pair.b, message);
		}
	}
	if (status != STATUS_OK)
		row_set_free(result);
	return status;
}

static uint64_t common_rows(const struct row_set *a, const struct row_set *b)
{
	struct pair pair;
	uint64_t rows = 0;
	size_t i = 0;
	size_t j = 0;

	while (pair_next(a, b, &i, &j, &pair))
		if (pair.a && pair.b)
			rows += container_common(pair.a, pair.b);
	return rows;
}

uint64_t row_set_combined_rows(const struct row_set *a, const struct row_set *b,
			       enum set_operation operation)
{
	const uint64_t common = common_rows(a, b);

	switch (operation) {
	case SET_AND:
		return common;
	case SET_OR:
		return a->rows - common + b->rows;
	case SET_XOR:
		return (a->rows - common) + (b->rows - common);
	default:
		return a->rows - common;
	}
}

bool row_set_intersects(const struct row_set *a, const struct row_set *b)
{
	struct pair pair;
	size_t i = 0;
	size_t j = 0;

	while (pair_next(a, b, &i, &j, &pair))
		if (pair.a && pair.b && container_common(pair.a, pair.b))
			return true;
	return false;
}

bool row_set_is_subset(const struct row_set *a, const struct row_set *b)
{
	struct pair pair;
	size_t i = 0;
	size_t j = 0;

	while (pair_next(a, b, &i, &j, &pair))
		if (pair.a && (!pair.b || container_common(pair.a, pair.b) < pair.a->cardinality))
			return false;
	return true;
}

/* Settled, the same rows are the same bytes. */
static bool containers_equal(const struct container *a, const struct container *b)
{
	return a->segment == b->segment && a->size == b->size && a->is_run == b->is_run &&
	       memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool row_set_equals(const struct row_set *a, const struct row_set *b)
{
	if (a->rows != b->rows || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!containers_equal(&a->containers[i], &b->containers[i]))
			return false;
	return true;
}
