#include "row_set_cursor.h"

#include <stdlib.h>

enum {
	WINDOW_FIRST = 256, /* row ids that are decoded at once, and then ever more */
	WINDOW_GROWTH = 8,
	WINDOW_MAX = CHUNK_ROWS,
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The chunk that has a place of the set, looked for from the one at hand on. */
static const struct row_set_chunk *chunk_at(struct row_set_cursor *cursor, uint64_t place)
{
	const struct row_set_chunk *chunks = cursor->rows->chunks;

	while (chunks[cursor->chunk].before > place)
		cursor->chunk--;
	while (chunks[cursor->chunk].before + chunks[cursor->chunk].rows <= place)
		cursor->chunk++;
	return &chunks[cursor->chunk];
}

static enum status values_reserve(struct row_set_cursor *cursor, uint64_t count,
				  struct message *message)
{
	uint32_t *values;

	if (count <= cursor->capacity)
		return STATUS_OK;
	values = realloc(cursor->values, count * sizeof(*values));
	if (!values)
		return message_out_of_memory(message);
	cursor->values = values;
	cursor->capacity = count;
	return STATUS_OK;
}

/* Decodes `count` row ids of a chunk, from place `from` in the set on. */
static enum status values_decode(struct row_set_cursor *cursor, const struct row_set_chunk *chunk,
				 uint64_t from, uint64_t count, struct message *message)
{
	enum status status = values_reserve(cursor, count, message);

	if (status != STATUS_OK)
		return status;
	if (count == chunk->rows)
		row_set_decode(chunk, cursor->values);
	else if (!roaring_bitmap_range_uint32_array(chunk->bits, from - chunk->before, count,
						    cursor->values))
		return message_out_of_memory(message);
	cursor->values_chunk = chunk->chunk;
	cursor->count = count;
	cursor->next = 0;
	return STATUS_OK;
}

/* Decodes the next window of what is left: no more than its chunk has. */
static enum status window_load(struct row_set_cursor *cursor, struct message *message)
{
	const struct row_set_chunk *chunk =
		chunk_at(cursor, cursor->descending ? cursor->end - 1 : cursor->first);
	const uint64_t first = cursor->first > chunk->before ? cursor->first : chunk->before;
	const uint64_t end = smaller(cursor->end, chunk->before + chunk->rows);
	const uint64_t count = smaller(end - first, cursor->window);

	if (cursor->window < WINDOW_MAX)
		cursor->window *= WINDOW_GROWTH;
	if (cursor->descending) {
		cursor->end = end - count;
		return values_decode(cursor, chunk, cursor->end, count, message);
	}
	cursor->first = first + count;
	return values_decode(cursor, chunk, first, count, message);
}

enum status row_set_cursor_next(struct row_set_cursor *cursor, struct message *message)
{
	const struct row_set_chunk chunk = {.chunk = cursor->values_chunk};
	size_t place;

	if (cursor->next == cursor->count) {
		enum status status;

		cursor->at_end = cursor->first == cursor->end;
		if (cursor->at_end)
			return STATUS_OK;
		status = window_load(cursor, message);
		return status == STATUS_OK ? row_set_cursor_next(cursor, message) : status;
	}
	place = cursor->descending ? cursor->count - 1 - cursor->next : cursor->next;
	cursor->rowid = row_set_rowid(&chunk, cursor->values[place]);
	cursor->next++;
	return STATUS_OK;
}

/* A probe: nothing is decoded for one row id. */
static void one_find(struct row_set_cursor *cursor, int64_t rowid)
{
	cursor->first = 0;
	cursor->end = 0;
	cursor->rowid = rowid;
	cursor->at_end = !row_set_contains(cursor->rows, rowid);
}

enum status row_set_cursor_start(struct row_set_cursor *cursor, const struct row_set *rows,
				 int64_t low, int64_t high, bool descending,
				 struct message *message)
{
	cursor->rows = rows;
	cursor->descending = descending;
	cursor->chunk = 0;
	cursor->window = WINDOW_FIRST;
	cursor->next = 0;
	cursor->count = 0;
	if (low == high) {
		one_find(cursor, low);
		return STATUS_OK;
	}
	cursor->first = low > high ? 0 : row_set_rank(rows, low);
	cursor->end = low > high ? 0 : row_set_rank(rows, high) + row_set_contains(rows, high);
	return row_set_cursor_next(cursor, message);
}

void row_set_cursor_free(struct row_set_cursor *cursor)
{
	free(cursor->values);
	*cursor = (struct row_set_cursor){0};
}
