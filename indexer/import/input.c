#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
	WAIT_MILLISECONDS = 200,
	PACKED_BYTES = 1 << 17,
	GZIP_WINDOW = 15 + 32 /* of any size, known by its header */
};

struct input {
	char *path;
	int file;
	const volatile sig_atomic_t *stop;
	atomic_bool cancelled;
	struct stat stat;
	enum input_packing packing;
	char *head; /* the first bytes, unpacked */
	size_t head_size;
	uint64_t place; /* of the next byte that is given */
	/* Bytes as they lie in the file, of which those from packed_at are still to be unpacked. */
	unsigned char *packed;
	size_t packed_at;
	size_t packed_size;
	bool packed_end;
	bool member_open;  /* gzip: within a member; zstd: within a frame */
	bool member_ended; /* gzip: one was whole */
	z_stream zlib;
	bool zlib_open;
	ZSTD_DStream *zstd;
	struct message failure; /* of the stream */
	bool failed;
};

static enum status input_failed(const struct input *input, const char *words,
				struct message *message)
{
	return message_set(message, STATUS_FAILED, "%s: %s", input->path, words);
}

/* Waits until there is something to read, or nobody wants it any more. */
static bool file_wait(const struct input *input)
{
	struct pollfd waiting = {.fd = input->file, .events = POLLIN};

	while (!atomic_load(&input->cancelled) && !(input->stop && *input->stop))
		if (poll(&waiting, 1, WAIT_MILLISECONDS) != 0 && errno != EINTR)
			return true;
	return false;
}

/* Reads from the file itself. */
static enum status file_read(const struct input *input, void *bytes, size_t size, size_t *got,
			     struct message *message)
{
	ssize_t result;

	*got = 0;
	errno = 0;
	if (!S_ISREG(input->stat.st_mode) && !file_wait(input))
		return input_failed(input, "interrupted", message);
	do
		result = read(input->file, bytes, size);
	while (result < 0 && errno == EINTR);
	*got = result > 0 ? (size_t)result : 0;
	return result < 0 ? input_failed(input, strerror(errno), message) : STATUS_OK;
}

static enum status packed_fill(struct input *input, struct message *message)
{
	enum status status;

	if (input->packed_at < input->packed_size || input->packed_end)
		return STATUS_OK;
	input->packed_at = 0;
	status = file_read(input, input->packed, PACKED_BYTES, &input->packed_size, message);
	input->packed_end = input->packed_size == 0;
	return status;
}

/* Unpacks some bytes of gzip, whose members follow each other. */
static enum status gzip_step(struct input *input, char *bytes, size_t size, size_t *got,
			     struct message *message)
{
	z_stream *zlib = &input->zlib;
	int code;

	if (!input->member_open && inflateReset(zlib) != Z_OK)
		return message_out_of_memory(message);
	input->member_open = true;
	zlib->next_in = input->packed + input->packed_at;
	zlib->avail_in = (uInt)(input->packed_size - input->packed_at);
	zlib->next_out = (unsigned char *)bytes;
	zlib->avail_out = (uInt)size;
	code = inflate(zlib, Z_NO_FLUSH);
	input->packed_at = input->packed_size - zlib->avail_in;
	*got = size - zlib->avail_out;
	if (code == Z_STREAM_END) {
		input->member_open = false;
		input->member_ended = true;
	}
	/* Whatever stands behind the last member is no part of it: gzip(1) leaves it out too. */
	if (code == Z_DATA_ERROR && input->member_ended && zlib->total_out == 0) {
		input->member_open = false;
		input->packed_at = input->packed_size;
		input->packed_end = true;
		return STATUS_OK;
	}
	if (code == Z_MEM_ERROR)
		return message_out_of_memory(message);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return input_failed(input, "damaged gzip", message);
	return STATUS_OK;
}

static enum status zstd_step(struct input *input, void *bytes, size_t size, size_t *got,
			     struct message *message)
{
	ZSTD_inBuffer in = {input->packed, input->packed_size, input->packed_at};
	ZSTD_outBuffer out = {bytes, size, 0};
	const size_t code = ZSTD_decompressStream(input->zstd, &out, &in);

	input->packed_at = in.pos;
	*got = out.pos;
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return message_set(message, STATUS_FAILED,
				   "%s: zstd with a window of more than 128 MiB: write zstd -dc "
				   "--long=31 FILE | connbits-import LOG.sqlite -",
				   input->path);
	if (ZSTD_isError(code))
		return message_set(message, STATUS_FAILED, "%s: damaged zstd: %s", input->path,
				   ZSTD_getErrorName(code));
	input->member_open = code != 0;
	return STATUS_OK;
}

/* Whether gzip has come to bytes behind a whole member that are none: padding, or a cut head. */
static bool is_behind_members(const struct input *input)
{
	return input->packing == INPUT_GZIP && input->member_ended && input->zlib.total_out == 0;
}

/* Reads unpacked bytes of the file. */
static enum status unpacked_read(struct input *input, char *bytes, size_t size, size_t *got,
				 struct message *message)
{
	enum status status = STATUS_OK;

	*got = 0;
	while (status == STATUS_OK && *got == 0) {
		status = packed_fill(input, message);
		if (status != STATUS_OK)
			return status;
		/* What zstd holds back may come without further bytes, what gzip does not. */
		if (input->packed_end && !(input->packing == INPUT_ZSTD && input->member_open))
			return input->member_open && !is_behind_members(input)
				       ? input_failed(input, "gzip ends too early", message)
				       : STATUS_OK;
		status = input->packing == INPUT_GZIP ? gzip_step(input, bytes, size, got, message)
						      : zstd_step(input, bytes, size, got, message);
		if (status == STATUS_OK && input->packed_end && *got == 0)
			return input->member_open
				       ? input_failed(input, "zstd ends too early", message)
				       : STATUS_OK;
	}
	return status;
}

static enum status next_read(struct input *input, char *bytes, size_t size, size_t *got,
			     struct message *message)
{
	if (input->packing != INPUT_PLAIN)
		return unpacked_read(input, bytes, size, got, message);
	if (input->packed_at < input->packed_size) {
		const size_t left = input->packed_size - input->packed_at;

		*got = size < left ? size : left;
		memcpy(bytes, input->packed + input->packed_at, *got);
		input->packed_at += *got;
		return STATUS_OK;
	}
	return file_read(input, bytes, size, got, message);
}

enum status input_read(struct input *input, char *bytes, size_t size, size_t *got,
		       struct message *message)
{
	enum status status = STATUS_OK;

	if (input->place < input->head_size) {
		const size_t left = input->head_size - (size_t)input->place;

		*got = size < left ? size : left;
		memcpy(bytes, input->head + input->place, *got);
	} else {
		status = next_read(input, bytes, size, got, message);
	}
	if (status == STATUS_OK)
		input->place += *got;
	return status;
}

static enum status packing_find(struct input *input, struct message *message)
{
	size_t got = 1;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && got > 0 && input->packed_size < 4) {
		status = file_read(input, input->packed + input->packed_size,
				   PACKED_BYTES - input->packed_size, &got, message);
		input->packed_size += got;
	}
	if (status != STATUS_OK)
		return status;
	if (input->packed_size >= 2 && memcmp(input->packed, "\x1f\x8b", 2) == 0)
		input->packing = INPUT_GZIP;
	else if (input->packed_size >= 4 &&
		 (memcmp(input->packed, "\x28\xb5\x2f\xfd", 4) == 0 ||
		  /* What may be skipped comes first, as pzstd writes it. */
		  ((input->packed[0] & 0xf0) == 0x50 &&
		   memcmp(input->packed + 1, "\x2a\x4d\x18", 3) == 0)))
		input->packing = INPUT_ZSTD;
	if (input->packing == INPUT_GZIP) {
		input->zlib_open = inflateInit2(&input->zlib, GZIP_WINDOW) == Z_OK;
		return input->zlib_open ? STATUS_OK : message_out_of_memory(message);
	}
	if (input->packing == INPUT_ZSTD) {
		input->zstd = ZSTD_createDStream();
		return input->zstd ? STATUS_OK : message_out_of_memory(message);
	}
	return STATUS_OK;
}

static enum status head_fill(struct input *input, struct message *message)
{
	size_t got = 1;
	enum status status = packing_find(input, message);

	while (status == STATUS_OK && got > 0 && input->head_size < INPUT_HEAD_MAX) {
		status = next_read(input, input->head + input->head_size,
				   INPUT_HEAD_MAX - input->head_size, &got, message);
		if (status == STATUS_OK)
			input->head_size += got;
	}
	return status;
}

static enum status file_open(struct input *input, struct message *message)
{
	input->file = strcmp(input->path, "-") == 0
			      ? dup(STDIN_FILENO)
			      : open(input->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (input->file < 0 || fstat(input->file, &input->stat) != 0)
		return input_failed(input, strerror(errno), message);
	if (S_ISDIR(input->stat.st_mode))
		return input_failed(input, "is a folder; give its files", message);
	return STATUS_OK;
}

enum status input_open(const char *path, const volatile sig_atomic_t *stop, struct input **input,
		       struct message *message)
{
	struct input *made = calloc(1, sizeof(*made));
	enum status status;

	*input = NULL;
	if (!made)
		return message_out_of_memory(message);
	made->file = -1;
	made->stop = stop;
	atomic_init(&made->cancelled, false);
	made->path = strdup(path);
	made->head = malloc(INPUT_HEAD_MAX);
	made->packed = malloc(PACKED_BYTES);
	status = made->path && made->head && made->packed ? file_open(made, message)
							  : message_out_of_memory(message);
	if (status == STATUS_OK)
		status = head_fill(made, message);
	if (status != STATUS_OK) {
		input_close(made);
		return status;
	}
	*input = made;
	return STATUS_OK;
}

const char *input_head(const struct input *input, size_t *size)
{
	*size = input->head_size;
	return input->head;
}

enum input_packing input_packing(const struct input *input)
{
	return input->packing;
}

const struct stat *input_stat(const struct input *input)
{
	return &input->stat;
}

bool input_is_piped(const struct input *input)
{
	return !S_ISREG(input->stat.st_mode);
}

void input_cancel(struct input *input)
{
	atomic_store(&input->cancelled, true);
}

/* A plain file is sought in: what was read of it ahead is behind the offset or not needed. */
static bool file_seek(struct input *input, uint64_t offset)
{
	if (input->packing != INPUT_PLAIN || !S_ISREG(input->stat.st_mode) ||
	    offset < input->head_size || lseek(input->file, (off_t)offset, SEEK_SET) < 0)
		return false;
	input->packed_at = input->packed_size;
	input->place = offset;
	return true;
}

enum status input_skip(struct input *input, uint64_t offset, bool *found, struct message *message)
{
	char bytes[1 << 14];
	size_t got = 1;
	enum status status = STATUS_OK;

	*found = true;
	if (offset <= input->head_size && input->place <= input->head_size) {
		input->place = offset;
		return STATUS_OK;
	}
	if (file_seek(input, offset)) {
		*found = (uint64_t)input->stat.st_size >= offset;
		return STATUS_OK;
	}
	while (status == STATUS_OK && got > 0 && input->place < offset) {
		const uint64_t left = offset - input->place;

		status = input_read(input, bytes,
				    left < sizeof(bytes) ? (size_t)left : sizeof(bytes), &got,
				    message);
	}
	*found = input->place == offset;
	return status;
}

static ssize_t stream_read(void *cookie, char *bytes, size_t size)
{
	struct input *input = cookie;
	size_t got;

	if (input->failed || input_read(input, bytes, size, &got, &input->failure) != STATUS_OK) {
		input->failed = true;
		errno = EIO;
		return -1;
	}
	return (ssize_t)got;
}

FILE *input_stream(struct input *input)
{
	return fopencookie(input, "r", (cookie_io_functions_t){.read = stream_read});
}

enum status input_stream_status(const struct input *input, struct message *message)
{
	if (!input->failed)
		return STATUS_OK;
	*message = input->failure;
	return STATUS_FAILED;
}

void input_close(struct input *input)
{
	if (!input)
		return;
	if (input->file >= 0)
		close(input->file);
	if (input->zlib_open)
		inflateEnd(&input->zlib);
	ZSTD_freeDStream(input->zstd);
	free(input->path);
	free(input->head);
	free(input->packed);
	free(input);
}
