#include "chunk_table.h"

#include <stdlib.h>

bool chunk_table_give(struct chunk_table *table, int64_t segment)
{
	int64_t chunk = chunk_of_segment(segment);

	if (!table->last || table->last->chunk != chunk) {
		struct chunk_work *work = calloc(1, sizeof(*work));

		if (!work)
			return false;
		chunk_table_close(table);
		work->chunk = chunk;
		if (table->last)
			table->last->next = work;
		else
			table->first = work;
		table->last = work;
	}
	table->last->open++;
	return true;
}

void chunk_table_take(struct chunk_table *table, int64_t segment,
		      const struct segment_result *result)
{
	int64_t chunk = chunk_of_segment(segment);
	struct chunk_work *work = table->first;

	while (work->chunk != chunk)
		work = work->next;
	work->segments[(uint64_t)segment % CHUNK_SEGMENTS] = *result;
	work->open--;
}

void chunk_table_close(struct chunk_table *table)
{
	/* Earlier ones were closed when the last one came. */
	if (table->last)
		table->last->closed = true;
}

struct chunk_work *chunk_table_complete(struct chunk_table *table)
{
	struct chunk_work *work = table->first;

	if (!work || !work->closed || work->open > 0)
		return NULL;
	table->first = work->next;
	if (!table->first)
		table->last = NULL;
	return work;
}

size_t chunk_table_count(const struct chunk_table *table)
{
	size_t count = 0;

	for (const struct chunk_work *work = table->first; work; work = work->next)
		count++;
	return count;
}

size_t chunk_work_bytes(const struct chunk_work *work, size_t bitmaps)
{
	size_t bytes = 0;

	for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
		for (size_t bitmap = 0; work->segments[i].given && bitmap < bitmaps; bitmap++)
			bytes += work->segments[i].containers[bitmap].size;
	return bytes;
}

enum status chunk_work_containers(const struct chunk_work *work, size_t bitmap,
				  uint8_t room[static CHUNK_ROOM],
				  struct container containers[static CHUNK_SEGMENTS],
				  struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++) {
		const struct segment_result *result = &work->segments[i];
		const struct segment_spill *spilled = result->spilled;
		uint8_t *bytes = room + i * CONTAINER_BYTES_MAX;

		if (!result->given)
			continue;
		containers[i] = result->containers[bitmap];
		if (!spilled || !containers[i].cardinality)
			continue;
		containers[i].bytes = bytes;
		status = spill_read(spilled->spill, spilled->places[bitmap], bytes,
				    containers[i].size, message);
	}
	return status;
}

static void segment_spill_free(struct segment_spill *spilled)
{
	if (!spilled)
		return;
	for (size_t i = 0; i < spilled->block_count; i++)
		spill_drop(spilled->spill, spilled->blocks[i]);
	free(spilled->places);
	free(spilled->blocks);
	free(spilled);
}

void segment_result_free(struct segment_result *result)
{
	if (result->spill)
		spill_memory_give(result->spill, result->size);
	segment_spill_free(result->spilled);
	free(result->containers);
	free(result->bytes);
	free(result->packed.bytes);
	*result = (struct segment_result){0};
}

void chunk_work_free(struct chunk_work *work)
{
	if (!work)
		return;
	for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
		segment_result_free(&work->segments[i]);
	free(work);
}

void chunk_table_free(struct chunk_table *table)
{
	while (table->first) {
		struct chunk_work *work = table->first;

		table->first = work->next;
		chunk_work_free(work);
	}
	table->last = NULL;
}
