#include "row_set_builder.h"

#include <stdlib.h>

#include "base/numbers.h"
#include "database/sqlite.h"

enum { GATHERED_MAX = 1 << 16, GATHERED_FIRST = 64 };

/* Appends the gathered row ids from `first` on that share its segment; *end is behind them. */
static enum status run_append(const struct row_set_builder *builder, size_t first, size_t *end,
			      struct row_set *set, struct message *message)
{
	const int64_t segment = segment_of(builder->gathered[first]);
	uint8_t out[CONTAINER_BYTES_MAX];
	struct container container;
	struct segment_bits bits;

	segment_bits_clear(&bits);
	for (*end = first; *end < builder->count && segment_of(builder->gathered[*end]) == segment;
	     (*end)++)
		segment_bits_add(&bits, segment_place(builder->gathered[*end]));
	container_encode(segment, &bits, kernels_best(), out, &container);
	return row_set_append(set, &container, message);
}

/* Makes a level of what has been gathered. */
static enum status gathered_push(struct row_set_builder *builder, struct message *message)
{
	struct row_set set = {0};
	enum status status = STATUS_OK;

	if (builder->unsorted)
		qsort(builder->gathered, builder->count, sizeof(*builder->gathered),
		      numbers_compare);
	for (size_t i = 0; status == STATUS_OK && i < builder->count;)
		status = run_append(builder, i, &i, &set, message);
	builder->count = 0;
	builder->unsorted = false;
	if (status == STATUS_OK)
		return row_set_levels_push(&builder->levels, SET_OR, &set, message);
	row_set_free(&set);
	return status;
}

enum status row_set_builder_settle(struct row_set_builder *builder, struct row_set **set,
				   struct message *message)
{
	enum status status = gathered_push(builder, message);

	*set = &builder->levels.sets[0];
	return status == STATUS_OK ? row_set_levels_settle(&builder->levels, SET_OR, message)
				   : status;
}

enum status row_set_builder_add(struct row_set_builder *builder, int64_t rowid,
				struct message *message)
{
	if (builder->count == GATHERED_MAX) {
		enum status status = gathered_push(builder, message);

		if (status != STATUS_OK)
			return status;
	}
	if (builder->count == builder->capacity) {
		const size_t capacity =
			builder->capacity ? builder->capacity * 4 : (size_t)GATHERED_FIRST;
		int64_t *larger = sqlite3_realloc64(builder->gathered, capacity * sizeof(*larger));

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
	struct row_set *made;
	enum status status = row_set_builder_settle(builder, &made, message);

	*set = (struct row_set){0};
	if (status != STATUS_OK)
		return status;
	*set = *made;
	*made = (struct row_set){0};
	return STATUS_OK;
}

void row_set_builder_free(struct row_set_builder *builder)
{
	row_set_levels_free(&builder->levels);
	sqlite3_free(builder->gathered);
	*builder = (struct row_set_builder){0};
}
