#include "row_set_algebra.h"

/* Chunks of two sets side by side; a or b is NULL where the other one has no such chunk. */
struct pair {
	const struct row_set_chunk *a;
	const struct row_set_chunk *b;
};

/* Walks both sets by ascending chunk; i and j begin as 0. False at the end. */
static bool pair_next(const struct row_set *a, const struct row_set *b, size_t *i, size_t *j,
		      struct pair *pair)
{
	*pair = (struct pair){0};
	if (*i < a->count && (*j == b->count || a->chunks[*i].chunk <= b->chunks[*j].chunk))
		pair->a = &a->chunks[*i];
	if (*j < b->count && (*i == a->count || b->chunks[*j].chunk <= a->chunks[*i].chunk))
		pair->b = &b->chunks[*j];
	*i += pair->a != NULL;
	*j += pair->b != NULL;
	return pair->a || pair->b;
}

static roaring_bitmap_t *both_combine(const struct pair *pair, enum set_operation operation)
{
	switch (operation) {
	case SET_AND:
		return roaring_bitmap_and(pair->a->bits, pair->b->bits);
	case SET_OR:
		return roaring_bitmap_or(pair->a->bits, pair->b->bits);
	case SET_XOR:
		return roaring_bitmap_xor(pair->a->bits, pair->b->bits);
	default:
		return roaring_bitmap_andnot(pair->a->bits, pair->b->bits);
	}
}

/* Chunks that only one set has: those of a are left by all but AND, those of b by OR and XOR. */
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
		const struct row_set_chunk *any = pair.a ? pair.a : pair.b;
		roaring_bitmap_t *bits;

		if (pair.a && pair.b)
			bits = both_combine(&pair, operation);
		else if (alone_stays(&pair, operation))
			bits = roaring_bitmap_copy(any->bits);
		else
			continue;
		status = bits ? row_set_append(result, any->chunk, bits, message)
			      : message_out_of_memory(message);
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
			rows += roaring_bitmap_and_cardinality(pair.a->bits, pair.b->bits);
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
		if (pair.a && pair.b && roaring_bitmap_intersect(pair.a->bits, pair.b->bits))
			return true;
	return false;
}

bool row_set_is_subset(const struct row_set *a, const struct row_set *b)
{
	struct pair pair;
	size_t i = 0;
	size_t j = 0;

	while (pair_next(a, b, &i, &j, &pair))
		if (pair.a && (!pair.b || !roaring_bitmap_is_subset(pair.a->bits, pair.b->bits)))
			return false;
	return true;
}

bool row_set_equals(const struct row_set *a, const struct row_set *b)
{
	struct pair pair;
	size_t i = 0;
	size_t j = 0;

	if (a->rows != b->rows)
		return false;
	while (pair_next(a, b, &i, &j, &pair))
		if (!pair.a || !pair.b || !roaring_bitmap_equals(pair.a->bits, pair.b->bits))
			return false;
	return true;
}
