#include "row_set.h"

#include <string.h>

#include "database/sqlite.h"

enum {
	BLOCK_FIRST = 512, /* bytes; blocks grow with their set */
	BLOCK_MOST = 1 << 18,
	CONTAINERS_FIRST = 4,
};

struct row_set_block {
	struct row_set_block *earlier;
	size_t used;
	size_t size;
	uint8_t bytes[];
};

static enum status containers_reserve(struct row_set *set, size_t more, struct message *message)
{
	const size_t needed = set->count + more;
	const size_t capacity =
		needed + (needed / 2 > CONTAINERS_FIRST ? needed / 2 : (size_t)CONTAINERS_FIRST);
	struct container *containers;
	uint64_t *before;

	if (needed <= set->capacity)
		return STATUS_OK;
	containers = sqlite3_realloc64(set->containers, capacity * sizeof(*containers));
	if (!containers)
		return message_out_of_memory(message);
	set->containers = containers;
	before = sqlite3_realloc64(set->before, capacity * sizeof(*before));
	if (!before)
		return message_out_of_memory(message);
	set->before = before;
	set->bytes += (capacity - set->capacity) * (sizeof(*containers) + sizeof(*before));
	set->capacity = capacity;
	return STATUS_OK;
}

/* Room for the bytes of one container; NULL without memory. */
static uint8_t *bytes_reserve(struct row_set *set, size_t size)
{
	struct row_set_block *block = set->blocks;
	size_t wanted = set->bytes / 8;

	if (block && block->size - block->used >= size) {
		block->used += size;
		return block->bytes + block->used - size;
	}
	if (wanted < BLOCK_FIRST)
		wanted = BLOCK_FIRST;
	if (wanted > BLOCK_MOST)
		wanted = BLOCK_MOST;
	if (wanted < size)
		wanted = size;
	block = sqlite3_malloc64(sizeof(*block) + wanted);
	if (!block)
		return NULL;
	*block = (struct row_set_block){.earlier = set->blocks, .used = size, .size = wanted};
	set->blocks = block;
	set->bytes += sizeof(*block) + wanted;
	return block->bytes;
}

enum status row_set_append(struct row_set *set, const struct container *container,
			   struct message *message)
{
	uint8_t scratch[CONTAINER_BYTES_MAX];
	struct container settled;
	uint8_t *bytes;
	enum status status;

	if (container->cardinality == 0)
		return STATUS_OK;
	status = containers_reserve(set, 1, message);
	if (status != STATUS_OK)
		return status;
	container_settle(container, scratch, &settled);
	bytes = bytes_reserve(set, settled.size);
	if (!bytes)
		return message_out_of_memory(message);
	memcpy(bytes, settled.bytes, settled.size);
	settled.bytes = bytes;
	set->containers[set->count] = settled;
	set->before[set->count++] = set->rows;
	set->rows += settled.cardinality;
	return STATUS_OK;
}

size_t row_set_seek(const struct row_set *set, int64_t rowid)
{
	const int64_t segment = segment_of(rowid);
	size_t low = 0;
	size_t high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->containers[middle].segment < segment)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool row_set_contains(const struct row_set *set, int64_t rowid)
{
	size_t i = row_set_seek(set, rowid);

	return i < set->count && set->containers[i].segment == segment_of(rowid) &&
	       container_has(&set->containers[i], segment_place(rowid));
}

uint64_t row_set_rank(const struct row_set *set, int64_t rowid)
{
	size_t i = row_set_seek(set, rowid);

	if (i == set->count)
		return set->rows;
	if (set->containers[i].segment != segment_of(rowid))
		return set->before[i];
	return set->before[i] + container_rows_before(&set->containers[i], segment_place(rowid));
}

bool row_set_first(const struct row_set *set, int64_t *rowid)
{
	if (set->count == 0)
		return false;
	*rowid = row_set_at(set, 0);
	return true;
}

bool row_set_last(const struct row_set *set, int64_t *rowid)
{
	if (set->count == 0)
		return false;
	*rowid = row_set_at(set, set->rows - 1);
	return true;
}

int64_t row_set_at(const struct row_set *set, uint64_t number)
{
	size_t low = 0;
	size_t high = set->count;

	/* The last container that begins at the number or before. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (set->before[middle] <= number)
			low = middle;
		else
			high = middle;
	}
	return row_set_rowid(
		set->containers[low].segment,
		container_place(&set->containers[low], (uint32_t)(number - set->before[low])));
}

bool row_set_lies_behind(const struct row_set *set, const struct row_set *more)
{
	return set->count == 0 || more->count == 0 ||
	       set->containers[set->count - 1].segment < more->containers[0].segment;
}

/* Hands the blocks of a set over, behind those that are filled further. */
static void blocks_move(struct row_set *set, struct row_set *from)
{
	struct row_set_block **last = &from->blocks;

	while (*last)
		last = &(*last)->earlier;
	*last = set->blocks;
	set->blocks = from->blocks;
	from->blocks = NULL;
}

enum status row_set_join(struct row_set *set, struct row_set *behind, struct message *message)
{
	enum status status = STATUS_OK;

	if (set->count == 0) {
		row_set_free(set);
		*set = *behind;
		*behind = (struct row_set){0};
		return STATUS_OK;
	}
	status = containers_reserve(set, behind->count, message);
	if (status == STATUS_OK) {
		for (size_t i = 0; i < behind->count; i++) {
			set->containers[set->count] = behind->containers[i];
			set->before[set->count++] = set->rows + behind->before[i];
		}
		set->rows += behind->rows;
		set->bytes += behind->bytes -
			      behind->capacity * (sizeof(*set->containers) + sizeof(*set->before));
		blocks_move(set, behind);
	}
	row_set_free(behind);
	return status;
}

void row_set_free(struct row_set *set)
{
	while (set->blocks) {
		struct row_set_block *block = set->blocks;

		set->blocks = block->earlier;
		sqlite3_free(block);
	}
	sqlite3_free(set->containers);
	sqlite3_free(set->before);
	*set = (struct row_set){0};
}
