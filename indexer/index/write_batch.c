#include "write_batch.h"

#include <stdlib.h>
#include <string.h>

/* Makes room for one more item of `each` bytes. */
static bool items_reserve(void **items, size_t count, size_t *capacity, size_t each)
{
	size_t larger = *capacity ? *capacity * 2 : 64;
	void *moved;

	if (count < *capacity)
		return true;
	moved = realloc(*items, larger * each);
	if (!moved)
		return false;
	*items = moved;
	*capacity = larger;
	return true;
}

static bool bytes_add(struct batch_bytes *all, const uint8_t *bytes, size_t size)
{
	if (all->capacity - all->size < size) {
		size_t capacity = (all->capacity + size) * 2;
		uint8_t *larger = realloc(all->bytes, capacity);

		if (!larger)
			return false;
		all->bytes = larger;
		all->capacity = capacity;
	}
	if (size)
		memcpy(all->bytes + all->size, bytes, size);
	all->size += size;
	return true;
}

enum status batch_add_bitmap(struct batch *batch, const struct commit_bitmap *bitmap,
			     struct message *message)
{
	void *items = batch->bitmaps;

	if (!items_reserve(&items, batch->bitmap_count, &batch->bitmap_capacity, sizeof(*bitmap)))
		return message_out_of_memory(message);
	batch->bitmaps = items;
	if (!bytes_add(&batch->bitmap_bytes, bitmap->bytes, bitmap->size))
		return message_out_of_memory(message);
	batch->bitmaps[batch->bitmap_count++] = *bitmap;
	return STATUS_OK;
}

enum status batch_add_header(struct batch *batch, const struct commit_header *header,
			     struct message *message)
{
	void *items = batch->headers;

	if (!items_reserve(&items, batch->header_count, &batch->header_capacity, sizeof(*header)))
		return message_out_of_memory(message);
	batch->headers = items;
	if (!bytes_add(&batch->header_bytes, header->packed, header->packed ? header->size : 0))
		return message_out_of_memory(message);
	batch->headers[batch->header_count++] = *header;
	return STATUS_OK;
}

bool batch_is_full(const struct batch *batch)
{
	return batch->bitmap_bytes.size + batch->header_bytes.size >= BATCH_BYTES ||
	       batch->bitmap_count + batch->header_count >= BATCH_ITEMS;
}

/* The bytes have come to rest: tells each item where its own are. */
static void bytes_point(struct batch *batch)
{
	const uint8_t *next = batch->bitmap_bytes.bytes;

	for (size_t i = 0; i < batch->bitmap_count; i++) {
		batch->bitmaps[i].bytes = next;
		if (next)
			next += batch->bitmaps[i].size;
	}
	next = batch->header_bytes.bytes;
	for (size_t i = 0; i < batch->header_count; i++) {
		if (!batch->headers[i].packed)
			continue;
		batch->headers[i].packed = next;
		next += batch->headers[i].size;
	}
}

enum status batch_write(struct batch *batch, sqlite3 *database, struct commit *commit,
			struct gate *gate, struct message *message)
{
	enum status status;

	bytes_point(batch);
	commit->bitmaps = batch->bitmaps;
	commit->bitmap_count = batch->bitmap_count;
	commit->headers = batch->headers;
	commit->header_count = batch->header_count;
	if (gate)
		gate_close(gate);
	status = commit_write(database, commit, message);
	if (gate)
		gate_open(gate, commit->waited, commit->locked);
	batch->bitmap_count = 0;
	batch->header_count = 0;
	batch->bitmap_bytes.size = 0;
	batch->header_bytes.size = 0;
	return status;
}

void batch_free(struct batch *batch)
{
	free(batch->bitmaps);
	free(batch->headers);
	free(batch->bitmap_bytes.bytes);
	free(batch->header_bytes.bytes);
	*batch = (struct batch){0};
}
