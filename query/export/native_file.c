#include "native_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/variable_number.h"

enum {
	BLOCK_ROWS = 65536,
	BLOCK_BYTES = 4 << 20,
	/* Beyond it bitmaps, which are dense already, do not become smaller. */
	COMPRESSION_LEVEL = 6,
};

struct native_bytes {
	uint8_t *items;
	size_t size;
	size_t capacity;
};

struct native_file {
	char *path;
	FILE *stream;
	const struct native_column *columns;
	size_t column_count;
	size_t at; /* the column of the next value */
	struct native_bytes values[NATIVE_COLUMNS_MAX];
	struct native_bytes nulls[NATIVE_COLUMNS_MAX];
	struct native_bytes head;
	size_t block_rows;
	size_t block_bytes;
	bool no_memory;
	ZSTD_CCtx *zstd;
	uint8_t *out;
	size_t out_size;
	SHA2_CTX digest;
	struct native_summary summary;
};

static bool bytes_reserve(struct native_bytes *bytes, size_t more)
{
	size_t capacity = bytes->capacity ? bytes->capacity : 256;
	uint8_t *moved;

	if (more > SIZE_MAX / 4 - bytes->size)
		return false;
	while (capacity < bytes->size + more)
		capacity *= 2;
	if (capacity == bytes->capacity)
		return true;
	moved = realloc(bytes->items, capacity);
	if (!moved)
		return false;
	bytes->items = moved;
	bytes->capacity = capacity;
	return true;
}

static bool bytes_add(struct native_bytes *bytes, const void *more, size_t size)
{
	if (!bytes_reserve(bytes, size))
		return false;
	if (size)
		memcpy(bytes->items + bytes->size, more, size);
	bytes->size += size;
	return true;
}

static bool variable_add(struct native_bytes *bytes, uint64_t number)
{
	uint8_t out[VARIABLE_NUMBER_MAX];

	return bytes_add(bytes, out, (size_t)(write_variable_number(out, number) - out));
}

static bool text_add(struct native_bytes *bytes, const char *text)
{
	const size_t size = strlen(text);

	return variable_add(bytes, size) && bytes_add(bytes, text, size);
}

enum status native_file_open(const char *path, const struct native_column *columns, size_t count,
			     struct native_file **file, struct message *message)
{
	struct native_file *opened = calloc(1, sizeof(*opened));

	*file = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->columns = columns;
	opened->column_count = count;
	opened->zstd = ZSTD_createCCtx();
	opened->out_size = ZSTD_CStreamOutSize();
	opened->out = malloc(opened->out_size);
	opened->path = strdup(path);
	if (!opened->zstd || !opened->out || !opened->path ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(opened->zstd, ZSTD_c_compressionLevel,
						COMPRESSION_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(opened->zstd, ZSTD_c_checksumFlag, 1))) {
		native_file_abandon(opened);
		return message_out_of_memory(message);
	}
	SHA256Init(&opened->digest);
	opened->stream = fopen(path, "wxbe");
	if (!opened->stream) {
		message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
		native_file_abandon(opened);
		return STATUS_FAILED;
	}
	*file = opened;
	return STATUS_OK;
}

static void value_add(struct native_file *file, const void *bytes, size_t size, bool is_null)
{
	const uint8_t mark = is_null;
	const size_t column = file->at++;

	if (file->no_memory)
		return;
	file->no_memory =
		!bytes_add(&file->values[column], bytes, size) ||
		(file->columns[column].nullable && !bytes_add(&file->nulls[column], &mark, 1));
	file->block_bytes += size;
}

void native_file_text(struct native_file *file, const char *text)
{
	const size_t column = file->at++;

	if (!file->no_memory)
		file->no_memory = !text_add(&file->values[column], text);
	file->block_bytes += strlen(text);
}

void native_file_number(struct native_file *file, uint64_t value, size_t bytes)
{
	uint8_t out[8];

	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
	value_add(file, out, bytes, false);
}

void native_file_null(struct native_file *file, size_t bytes)
{
	const uint8_t zeros[16] = {0};

	value_add(file, zeros, bytes, true);
}

void native_file_bytes(struct native_file *file, const uint8_t *bytes, size_t size)
{
	value_add(file, bytes, size, false);
}

static enum status compress(struct native_file *file, const struct native_bytes *bytes,
			    ZSTD_EndDirective end, struct message *message)
{
	ZSTD_inBuffer in = {.src = bytes->items, .size = bytes->size};
	size_t left;

	do {
		ZSTD_outBuffer out = {.dst = file->out, .size = file->out_size};

		left = ZSTD_compressStream2(file->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return message_set(message, STATUS_FAILED, "%s: %s", file->path,
					   ZSTD_getErrorName(left));
		SHA256Update(&file->digest, file->out, out.pos);
		file->summary.bytes += out.pos;
		if (fwrite(file->out, 1, out.pos, file->stream) != out.pos)
			return message_set(message, STATUS_FAILED, "%s: %s", file->path,
					   strerror(errno));
	} while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return STATUS_OK;
}

static enum status block_write(struct native_file *file, struct message *message)
{
	struct native_bytes *head = &file->head;
	enum status status = STATUS_OK;

	head->size = 0;
	if (!variable_add(head, file->column_count) || !variable_add(head, file->block_rows))
		return message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < file->column_count; i++) {
		if (!text_add(head, file->columns[i].name) ||
		    !text_add(head, file->columns[i].type))
			return message_out_of_memory(message);
		status = compress(file, head, ZSTD_e_continue, message);
		if (status == STATUS_OK)
			status = compress(file, &file->nulls[i], ZSTD_e_continue, message);
		if (status == STATUS_OK)
			status = compress(file, &file->values[i], ZSTD_e_continue, message);
		head->size = 0;
		file->nulls[i].size = 0;
		file->values[i].size = 0;
	}
	file->block_rows = 0;
	file->block_bytes = 0;
	return status;
}

enum status native_file_row(struct native_file *file, struct message *message)
{
	file->at = 0;
	if (file->no_memory)
		return message_out_of_memory(message);
	file->block_rows++;
	file->summary.rows++;
	if (file->block_rows < BLOCK_ROWS && file->block_bytes < BLOCK_BYTES)
		return STATUS_OK;
	return block_write(file, message);
}

static void file_free(struct native_file *file)
{
	for (size_t i = 0; i < NATIVE_COLUMNS_MAX; i++) {
		free(file->values[i].items);
		free(file->nulls[i].items);
	}
	free(file->head.items);
	ZSTD_freeCCtx(file->zstd);
	free(file->out);
	free(file->path);
	free(file);
}

enum status native_file_close(struct native_file *file, struct native_summary *summary,
			      struct message *message)
{
	const struct native_bytes none = {0};
	enum status status = STATUS_OK;

	if (file->block_rows)
		status = block_write(file, message);
	if (status == STATUS_OK)
		status = compress(file, &none, ZSTD_e_end, message);
	if (status == STATUS_OK && (fflush(file->stream) != 0 || fsync(fileno(file->stream)) != 0))
		status = message_set(message, STATUS_FAILED, "%s: %s", file->path, strerror(errno));
	if (status != STATUS_OK) {
		native_file_abandon(file);
		return status;
	}
	fclose(file->stream);
	export_digest_end(&file->digest, file->summary.digest);
	*summary = file->summary;
	file_free(file);
	return STATUS_OK;
}

void native_file_abandon(struct native_file *file)
{
	if (!file)
		return;
	if (file->stream) {
		fclose(file->stream);
		unlink(file->path);
	}
	file_free(file);
}
