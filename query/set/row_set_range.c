#include "row_set_range.h"

#include "bitmap/container_algebra.h"
#include "row_set_builder.h"

/* The part of a range that lies in a segment. */
static void part_make(int64_t segment, int64_t first, int64_t last,
		      uint8_t out[static CONTAINER_BYTES_MAX], struct container *part)
{
	container_encode_range(segment, segment == segment_of(first) ? segment_place(first) : 0,
			       segment == segment_of(last) ? segment_place(last) : SEGMENT_ROWS - 1,
			       out, part);
}

enum status row_set_make_range(int64_t first, int64_t last, struct row_set *set,
			       struct message *message)
{
	enum status status = STATUS_OK;

	*set = (struct row_set){0};
	if (first > last)
		return STATUS_OK;
	if ((uint64_t)last - (uint64_t)first >= ROW_SET_RANGE_MAX)
		return message_set(message, STATUS_USAGE,
				   "the range has more than %llu numbers, which is the most",
				   (unsigned long long)ROW_SET_RANGE_MAX);
	for (int64_t segment = segment_of(first);
	     status == STATUS_OK && segment <= segment_of(last); segment++) {
		uint8_t out[CONTAINER_BYTES_MAX];
		struct container part;

		part_make(segment, first, last, out, &part);
		status = row_set_append(set, &part, message);
	}
	if (status != STATUS_OK)
		row_set_free(set);
	return status;
}

/* Appends the part of a container that lies in the range. */
static enum status container_cut(const struct container *container, int64_t first, int64_t last,
				 struct row_set *part, struct message *message)
{
	uint8_t range_bytes[CONTAINER_BYTES_MAX];
	uint8_t out[CONTAINER_BYTES_MAX];
	struct container range;
	struct container cut;

	if (container->segment > segment_of(first) && container->segment < segment_of(last))
		return row_set_append(part, container, message);
	part_make(container->segment, first, last, range_bytes, &range);
	container_combine(container, &range, SET_AND, out, &cut);
	return row_set_append(part, &cut, message);
}

enum status row_set_cut(const struct row_set *set, int64_t first, int64_t last,
			struct row_set *part, struct message *message)
{
	enum status status = STATUS_OK;

	*part = (struct row_set){0};
	if (first > last)
		return STATUS_OK;
	for (size_t i = row_set_seek(set, first); status == STATUS_OK && i < set->count &&
						  set->containers[i].segment <= segment_of(last);
	     i++)
		status = container_cut(&set->containers[i], first, last, part, message);
	if (status != STATUS_OK)
		row_set_free(part);
	return status;
}

enum status row_set_drop_before(struct row_set *set, int64_t first, struct message *message)
{
	struct row_set left;
	int64_t lowest;
	enum status status;

	if (!row_set_first(set, &lowest) || lowest >= first)
		return STATUS_OK;
	status = row_set_cut(set, first, INT64_MAX, &left, message);
	if (status != STATUS_OK)
		return status;
	row_set_free(set);
	*set = left;
	return STATUS_OK;
}

uint64_t row_set_range_rows(const struct row_set *set, int64_t first, int64_t last)
{
	if (first > last)
		return 0;
	return row_set_rank(set, last) + row_set_contains(set, last) - row_set_rank(set, first);
}

static enum status container_shift(const struct container *container, int64_t distance,
				   struct row_set_builder *builder, struct message *message)
{
	enum { AT_ONCE = 1024 };
	uint16_t places[AT_ONCE];
	enum status status = STATUS_OK;

	for (uint32_t from = 0; from < container->cardinality; from += AT_ONCE) {
		const uint32_t left = container->cardinality - from;
		const uint32_t count = left < AT_ONCE ? left : (uint32_t)AT_ONCE;

		container_places(container, from, count, places);
		for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
			int64_t moved;

			if (!__builtin_add_overflow(row_set_rowid(container->segment, places[i]),
						    distance, &moved))
				status = row_set_builder_add(builder, moved, message);
		}
	}
	return status;
}

enum status row_set_shift(const struct row_set *set, int64_t distance, struct row_set *moved,
			  struct message *message)
{
	struct row_set_builder builder = {0};
	enum status status = STATUS_OK;

	*moved = (struct row_set){0};
	if (set->rows > ROW_SET_SHIFT_MAX)
		return message_set(message, STATUS_USAGE,
				   "the bitmap has more than %llu numbers, which is the most that "
				   "can be moved",
				   (unsigned long long)ROW_SET_SHIFT_MAX);
	for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
		status = container_shift(&set->containers[i], distance, &builder, message);
	if (status == STATUS_OK)
		status = row_set_builder_finish(&builder, moved, message);
	row_set_builder_free(&builder);
	return status;
}
