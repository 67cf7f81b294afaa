#include "spill.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct spill {
	pthread_mutex_t lock;
	const char *beside;
	size_t memory; /* bytes that are left */
	int file;      /* -1 before the first block */
	/* Blocks of SPILL_BLOCK bytes: so many there are, and those of them that are free. */
	uint64_t blocks;
	uint64_t *free_blocks;
	size_t free_count;
	size_t free_capacity; /* at least `blocks`: that a block is dropped cannot fail */
};

enum status spill_new(const char *beside, size_t memory, struct spill **spill,
		      struct message *message)
{
	struct spill *made = calloc(1, sizeof(*made));

	*spill = NULL;
	if (!made)
		return message_out_of_memory(message);
	if (pthread_mutex_init(&made->lock, NULL) != 0) {
		free(made);
		return message_out_of_memory(message);
	}
	made->beside = beside;
	made->memory = memory;
	made->file = -1;
	*spill = made;
	return STATUS_OK;
}

bool spill_memory_take(struct spill *spill, size_t size)
{
	bool fits;

	pthread_mutex_lock(&spill->lock);
	fits = size <= spill->memory;
	if (fits)
		spill->memory -= size;
	pthread_mutex_unlock(&spill->lock);
	return fits;
}

void spill_memory_give(struct spill *spill, size_t size)
{
	pthread_mutex_lock(&spill->lock);
	spill->memory += size;
	pthread_mutex_unlock(&spill->lock);
}

static enum status spill_failed(const struct spill *spill, const char *what,
				struct message *message)
{
	return message_set(message, STATUS_FAILED,
			   "%s: cannot %s a temporary file beside it, for bitmaps that memory does "
			   "not hold: %s",
			   spill->beside, what, strerror(errno));
}

/* Makes the file and takes its name away. */
static enum status file_make(struct spill *spill, struct message *message)
{
	static const char ending[] = "-spill-XXXXXX";
	const size_t size = strlen(spill->beside) + sizeof(ending);
	char *name = malloc(size);
	enum status status = STATUS_OK;

	if (!name)
		return message_out_of_memory(message);
	snprintf(name, size, "%s%s", spill->beside, ending);
	spill->file = mkstemp(name);
	if (spill->file < 0)
		status = spill_failed(spill, "create", message);
	else if (unlink(name) != 0)
		status = spill_failed(spill, "unlink", message);
	free(name);
	return status;
}

/* Gives a block, a free one first: the file stays as small as what is in it. */
static enum status block_take(struct spill *spill, uint64_t *block, struct message *message)
{
	if (spill->file < 0) {
		enum status status = file_make(spill, message);

		if (status != STATUS_OK)
			return status;
	}
	if (spill->free_count) {
		*block = spill->free_blocks[--spill->free_count];
		return STATUS_OK;
	}
	if (spill->blocks == spill->free_capacity) {
		const size_t capacity = spill->free_capacity ? spill->free_capacity * 2 : 64;
		uint64_t *larger = realloc(spill->free_blocks, capacity * sizeof(*larger));

		if (!larger)
			return message_out_of_memory(message);
		spill->free_blocks = larger;
		spill->free_capacity = capacity;
	}
	*block = spill->blocks++;
	return STATUS_OK;
}

static enum status bytes_write(const struct spill *spill, uint64_t place, const uint8_t *bytes,
			       size_t size, struct message *message)
{
	while (size) {
		const ssize_t written = pwrite(spill->file, bytes, size, (off_t)place);

		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = ENOSPC;
		if (written <= 0)
			return spill_failed(spill, "write", message);
		bytes += written;
		place += (uint64_t)written;
		size -= (size_t)written;
	}
	return STATUS_OK;
}

enum status spill_write(struct spill *spill, const uint8_t *bytes, size_t size, uint64_t *place,
			struct message *message)
{
	uint64_t block = 0;
	enum status status;

	pthread_mutex_lock(&spill->lock);
	status = block_take(spill, &block, message);
	pthread_mutex_unlock(&spill->lock);
	if (status != STATUS_OK)
		return status;
	*place = block * SPILL_BLOCK;
	status = bytes_write(spill, *place, bytes, size, message);
	if (status != STATUS_OK)
		spill_drop(spill, *place);
	return status;
}

enum status spill_read(struct spill *spill, uint64_t place, uint8_t *out, size_t size,
		       struct message *message)
{
	while (size) {
		const ssize_t got = pread(spill->file, out, size, (off_t)place);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return spill_failed(spill, "read", message);
		out += got;
		place += (uint64_t)got;
		size -= (size_t)got;
	}
	return STATUS_OK;
}

void spill_drop(struct spill *spill, uint64_t place)
{
	pthread_mutex_lock(&spill->lock);
	spill->free_blocks[spill->free_count++] = place / SPILL_BLOCK;
	pthread_mutex_unlock(&spill->lock);
}

void spill_free(struct spill *spill)
{
	if (!spill)
		return;
	if (spill->file >= 0)
		close(spill->file);
	pthread_mutex_destroy(&spill->lock);
	free(spill->free_blocks);
	free(spill);
}
