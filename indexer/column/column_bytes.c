#include "column_bytes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum status column_bytes_damaged(struct message *message, const char *what)
{
	return message_set(message, STATUS_FAILED, "damaged column: %s", what);
}

enum status column_bytes_begin(struct column_bytes *bytes, column_read read, void *context,
			       size_t size, struct message *message)
{
	const size_t parts = (size + COLUMN_BYTES_PART - 1) / COLUMN_BYTES_PART;

	if (size > COLUMN_BYTES_MAX)
		return column_bytes_damaged(message, "it is longer than any");
	if (bytes->capacity < size) {
		uint8_t *larger = realloc(bytes->kept, size);

		if (!larger)
			return message_out_of_memory(message);
		bytes->kept = larger;
		bytes->capacity = size;
	}
	bytes->read = read;
	bytes->context = context;
	bytes->size = size;
	memset(bytes->parts, 0, (parts + 63) / 64 * sizeof(*bytes->parts));
	return STATUS_OK;
}

static bool part_kept(const struct column_bytes *bytes, size_t part)
{
	return bytes->parts[part / 64] >> (part % 64) & 1;
}

/* Reads the parts from first on that are not there yet, up to the next that is. */
static enum status parts_read(struct column_bytes *bytes, size_t *first, size_t end,
			      struct message *message)
{
	const size_t at = *first * COLUMN_BYTES_PART;
	size_t last = *first;
	size_t size;

	for (; last < end && !part_kept(bytes, last); last++)
		bytes->parts[last / 64] |= UINT64_C(1) << (last % 64);
	size = last * COLUMN_BYTES_PART - at;
	if (size > bytes->size - at)
		size = bytes->size - at;
	*first = last;
	bytes->bytes_read += size;
	return bytes->read(bytes->context, at, size, bytes->kept + at, message);
}

enum status column_bytes_get(struct column_bytes *bytes, size_t at, size_t size,
			     const uint8_t **out, struct message *message)
{
	const size_t end = (at + size + COLUMN_BYTES_PART - 1) / COLUMN_BYTES_PART;
	enum status status = STATUS_OK;

	if (at > bytes->size || size > bytes->size - at)
		return column_bytes_damaged(message, "it ends too early");
	for (size_t part = at / COLUMN_BYTES_PART; status == STATUS_OK && part < end;) {
		if (part_kept(bytes, part))
			part++;
		else
			status = parts_read(bytes, &part, end, message);
	}
	*out = bytes->kept + at;
	return status;
}

enum status column_bytes_copy(struct column_bytes *bytes, size_t at, size_t size, uint8_t *out,
			      struct message *message)
{
	if (at > bytes->size || size > bytes->size - at)
		return column_bytes_damaged(message, "it ends too early");
	bytes->bytes_read += size;
	return bytes->read(bytes->context, at, size, out, message);
}

void column_bytes_free(struct column_bytes *bytes)
{
	free(bytes->kept);
	*bytes = (struct column_bytes){0};
}
