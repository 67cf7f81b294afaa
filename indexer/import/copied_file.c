#include "copied_file.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"

enum { COMPARED = 1 << 16 };

/* Reads as many bytes as there are, up to size. */
static enum status bytes_read(struct input *input, char *bytes, size_t size, size_t *got,
			      struct message *message)
{
	enum status status = STATUS_OK;
	size_t more = 1;

	for (*got = 0; status == STATUS_OK && more > 0 && *got < size; *got += more)
		status = input_read(input, bytes + *got, size - *got, &more, message);
	return status;
}

/* Compares to the end of the file; *end is where its last whole line ends. */
static enum status files_compare(struct input *file, struct input *original, char *bytes,
				 bool *same, uint64_t *end, struct message *message)
{
	struct message ignored;
	uint64_t place = 0;
	enum status status = STATUS_OK;

	*same = true;
	*end = 0;
	while (status == STATUS_OK && *same) {
		size_t got;
		size_t there = 0;
		const char *line;

		status = bytes_read(file, bytes, COMPARED, &got, message);
		if (status != STATUS_OK || got == 0)
			break;
		*same = bytes_read(original, bytes + COMPARED, got, &there, &ignored) ==
				STATUS_OK &&
			there == got && memcmp(bytes, bytes + COMPARED, got) == 0;
		line = memrchr(bytes, '\n', got);
		if (line)
			*end = place + (uint64_t)(line - bytes) + 1;
		place += got;
	}
	return status;
}

/* The digest of the bytes ahead of the offset. */
static enum status tail_take(const char *path, const volatile sig_atomic_t *stop, char *bytes,
			     struct copied_file *copy, struct message *message)
{
	struct input *input;
	bool found;
	size_t got = 0;
	enum status status = input_open(path, stop, &input, message);

	copy->tail_size = copy->offset < COPY_TAIL ? (size_t)copy->offset : COPY_TAIL;
	if (status == STATUS_OK)
		status = input_skip(input, copy->offset - copy->tail_size, &found, message);
	if (status == STATUS_OK)
		status = bytes_read(input, bytes, copy->tail_size, &got, message);
	if (status == STATUS_OK && got != copy->tail_size)
		copy->is_copy = false;
	head_digest(bytes, got, copy->tail);
	input_close(input);
	return status;
}

enum status copied_file_check(const char *path, const char *original,
			      const volatile sig_atomic_t *stop, struct copied_file *copy,
			      struct message *message)
{
	struct input *file = NULL;
	struct input *other = NULL;
	struct message ignored;
	char *bytes = malloc((size_t)COMPARED * 2);
	enum status status =
		bytes ? input_open(path, stop, &file, message) : message_out_of_memory(message);

	*copy = (struct copied_file){0};
	if (status == STATUS_OK && input_open(original, stop, &other, &ignored) == STATUS_OK &&
	    !input_is_piped(other))
		status = files_compare(file, other, bytes, &copy->is_copy, &copy->offset, message);
	input_close(file);
	input_close(other);
	if (status == STATUS_OK && copy->is_copy)
		status = tail_take(path, stop, bytes, copy, message);
	free(bytes);
	return status;
}
