#include "chunk_table.h"

#include <stdlib.h>

bool chunk_table_give(struct chunk_table *table, int64_t segment)
{
	int64_t chunk = chunk_of_segment(segment);
	struct chunk_work *work = table->first;

	if (!work || work->chunk != chunk) {
		chunk_table_close(table);
		work = calloc(1, sizeof(*work));
		if (!work)
			return false;
		work->chunk = chunk;
		work->next = table->first;
		table->first = work;
	}
	work->open++;
	return true;
}

void chunk_table_take(struct chunk_table *table, int64_t segment, struct segment_bitmaps bitmaps)
{
	int64_t chunk = chunk_of_segment(segment);
	struct chunk_work *work = table->first;

	while (work->chunk != chunk)
		work = work->next;
	work->segments[(uint64_t)segment % CHUNK_SEGMENTS] = bitmaps;
	work->open--;
}

void chunk_table_close(struct chunk_table *table)
{
	for (struct chunk_work *work = table->first; work && !work->closed; work = work->next)
		work->closed = true;
}

struct chunk_work *chunk_table_complete(struct chunk_table *table)
{
	struct chunk_work **link = &table->first;
	struct chunk_work *work;

	while (*link && !((*link)->closed && (*link)->open == 0))
		link = &(*link)->next;
	work = *link;
	if (work)
		*link = work->next;
	return work;
}

void chunk_work_free(struct chunk_work *work)
{
	for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
		free(work->segments[i].containers);
		free(work->segments[i].bytes);
	}
	free(work);
}

void chunk_table_free(struct chunk_table *table)
{
	while (table->first) {
		struct chunk_work *work = table->first;

		table->first = work->next;
		chunk_work_free(work);
	}
}
