#include "row_set_builder.h"

#include <stdlib.h>

#include "bitmap/roaring_format.h"

enum { GATHERED_MAX = 1 << 16, GATHERED_FIRST = 64 };

static int compare_rowids(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The gathered row ids from `first` on that share its chunk, as a bitmap. NULL without memory. */
static roaring_bitmap_t *run_make(const struct row_set_builder *builder, size_t first, size_t *end)
{
	const int64_t chunk = chunk_of_row(builder->gathered[first]);
	roaring_bitmap_t *bits = roaring_bitmap_create();

	*end = first;
	if (!bits)
		return NULL;
	while (*end < builder->count && chunk_of_row(builder->gathered[*end]) == chunk)
		roaring_bitmap_add(bits, (uint32_t)builder->gathered[(*end)++]);
	return bits;
}

/* What has been gathered as a set of its own. */
static enum status gathered_take(struct row_set_builder *builder, struct row_set *set,
				 struct message *message)
{
	enum status status = STATUS_OK;

	*set = (struct row_set){0};
	if (builder->unsorted)
		qsort(builder->gathered, builder->count, sizeof(*builder->gathered),
		      compare_rowids);
	for (size_t i = 0; status == STATUS_OK && i < builder->count;) {
		const int64_t chunk = chunk_of_row(builder->gathered[i]);
		roaring_bitmap_t *bits = run_make(builder, i, &i);

		status = bits ? row_set_append(set, chunk, bits, message)
			      : message_out_of_memory(message);
	}
	builder->count = 0;
	builder->unsorted = false;
	if (status != STATUS_OK)
		row_set_free(set);
	return status;
}

/* Takes a chunk's bits over, behind or into the last chunk of set. */
static enum status chunk_add(struct row_set *set, int64_t chunk, roaring_bitmap_t *bits,
			     struct message *message)
{
	struct row_set_chunk *last;

	if (set->count == 0 || set->chunks[set->count - 1].chunk < chunk)
		return row_set_append(set, chunk, bits, message);
	last = &set->chunks[set->count - 1];
	roaring_bitmap_or_inplace(last->bits, bits);
	roaring_bitmap_free(bits);
	set->rows -= last->rows;
	last->rows = roaring_bitmap_get_cardinality(last->bits);
	set->rows += last->rows;
	return STATUS_OK;
}

/* True if nothing of more lies before the last chunk of set. */
static bool lies_behind(const struct row_set *set, const struct row_set *more)
{
	return set->count == 0 || more->count == 0 ||
	       set->chunks[set->count - 1].chunk <= more->chunks[0].chunk;
}

static roaring_bitmap_t *bits_take(struct row_set_chunk *chunk)
{
	roaring_bitmap_t *bits = chunk->bits;

	chunk->bits = NULL;
	return bits;
}

/* Chunks of both, the lowest first, to a new set, without copying any. */
static enum status sets_zip(struct row_set *a, struct row_set *b, struct row_set *joined,
			    struct message *message)
{
	size_t i = 0;
	size_t j = 0;
	enum status status = STATUS_OK;

	*joined = (struct row_set){0};
	while (status == STATUS_OK && (i < a->count || j < b->count)) {
		const bool from_a =
			j == b->count || (i < a->count && a->chunks[i].chunk <= b->chunks[j].chunk);
		struct row_set_chunk *chunk = from_a ? &a->chunks[i++] : &b->chunks[j++];

		status = chunk_add(joined, chunk->chunk, bits_take(chunk), message);
	}
	return status;
}

/* Adds a whole set and empties it, whatever is returned. */
static enum status set_merge(struct row_set_builder *builder, struct row_set *set,
			     struct message *message)
{
	struct row_set joined;
	enum status status = STATUS_OK;

	if (lies_behind(&builder->set, set)) {
		for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
			status = chunk_add(&builder->set, set->chunks[i].chunk,
					   bits_take(&set->chunks[i]), message);
	} else {
		status = sets_zip(&builder->set, set, &joined, message);
		row_set_free(&builder->set);
		builder->set = joined;
	}
	row_set_free(set);
	return status;
}

enum status row_set_builder_settle(struct row_set_builder *builder, struct message *message)
{
	struct row_set set;
	enum status status = gathered_take(builder, &set, message);

	return status == STATUS_OK ? set_merge(builder, &set, message) : status;
}

enum status row_set_builder_add(struct row_set_builder *builder, int64_t rowid,
				struct message *message)
{
	if (builder->count == GATHERED_MAX) {
		enum status status = row_set_builder_settle(builder, message);

		if (status != STATUS_OK)
			return status;
	}
	if (builder->count == builder->capacity) {
		const size_t capacity =
			builder->capacity ? builder->capacity * 4 : (size_t)GATHERED_FIRST;
		int64_t *larger = realloc(builder->gathered, capacity * sizeof(*larger));

		if (!larger)
			return message_out_of_memory(message);
		builder->gathered = larger;
		builder->capacity = capacity;
	}
	if (builder->count && builder->gathered[builder->count - 1] > rowid)
		builder->unsorted = true;
	builder->gathered[builder->count++] = rowid;
	return STATUS_OK;
}

enum status row_set_builder_finish(struct row_set_builder *builder, struct row_set *set,
				   struct message *message)
{
	enum status status = row_set_builder_settle(builder, message);

	*set = (struct row_set){0};
	if (status != STATUS_OK)
		return status;
	*set = builder->set;
	builder->set = (struct row_set){0};
	return STATUS_OK;
}

void row_set_builder_free(struct row_set_builder *builder)
{
	row_set_free(&builder->set);
	free(builder->gathered);
	*builder = (struct row_set_builder){0};
}
