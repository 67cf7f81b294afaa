#include "group_bitmap.h"

#include <stdbool.h>
#include <string.h>

#include "base/byte_reader.h"
#include "base/little_endian.h"
#include "base/variable_number.h"
#include "database/sqlite.h"
#include "row_set_blob.h"
#include "row_set_builder.h"
#include "row_set_cursor.h"

enum {
	KIND_NUMBERS = 0,
	KIND_BITMAP = 1,
	NUMBERS_MAX = 32,
	/* Before a 32-bit bitmap that is the only part of a 64-bit one: the number of parts, its
	   key. */
	PARTS_BYTES = 8,
	KEY_BYTES = 4,
};

enum group_bitmap_width group_bitmap_width(const struct row_set *set)
{
	int64_t first;
	int64_t last;

	if (!row_set_first(set, &first) || !row_set_last(set, &last))
		return GROUP_BITMAP_32;
	return first < 0 || last > UINT32_MAX ? GROUP_BITMAP_64 : GROUP_BITMAP_32;
}

/* True if the exported bitmap is a 32-bit one, and a 64-bit one is wanted. */
static bool is_widened(const struct row_set *set, enum group_bitmap_width width)
{
	return width == GROUP_BITMAP_64 && group_bitmap_width(set) == GROUP_BITMAP_32;
}

static size_t bitmap_size(const struct row_set *set, enum group_bitmap_width width)
{
	return row_set_export_size(set) + (is_widened(set, width) ? PARTS_BYTES + KEY_BYTES : 0);
}

size_t group_bitmap_size(const struct row_set *set, enum group_bitmap_width width)
{
	uint8_t head[VARIABLE_NUMBER_MAX];
	size_t size;

	if (set->rows <= NUMBERS_MAX)
		return 2 + (size_t)set->rows * width;
	size = bitmap_size(set, width);
	return 1 + (size_t)(write_variable_number(head, size) - head) + size;
}

static enum status numbers_write(const struct row_set *set, enum group_bitmap_width width,
				 uint8_t *out, struct message *message)
{
	struct row_set_cursor cursor = {0};
	enum status status =
		row_set_cursor_start(&cursor, set, INT64_MIN, INT64_MAX, false, message);

	*out++ = KIND_NUMBERS;
	*out++ = (uint8_t)set->rows;
	for (; status == STATUS_OK && !cursor.at_end; out += width) {
		if (width == GROUP_BITMAP_32)
			write_little_endian_32(out, (uint32_t)cursor.rowid);
		else
			write_little_endian_64(out, (uint64_t)cursor.rowid);
		status = row_set_cursor_next(&cursor, message);
	}
	row_set_cursor_free(&cursor);
	return status;
}

static enum status bitmap_write(const struct row_set *set, enum group_bitmap_width width,
				uint8_t *out, struct message *message)
{
	uint8_t *bitmap;
	size_t size;
	const enum status status = row_set_export(set, &bitmap, &size, message);

	if (status != STATUS_OK)
		return status;
	*out++ = KIND_BITMAP;
	out = write_variable_number(out, bitmap_size(set, width));
	if (is_widened(set, width)) {
		write_little_endian_64(out, 1);
		write_little_endian_32(out + PARTS_BYTES, 0);
		out += PARTS_BYTES + KEY_BYTES;
	}
	memcpy(out, bitmap, size);
	sqlite3_free(bitmap);
	return STATUS_OK;
}

enum status group_bitmap_export(const struct row_set *set, enum group_bitmap_width width,
				uint8_t **bytes, size_t *size, struct message *message)
{
	enum status status;

	if (width < group_bitmap_width(set))
		return message_set(message, STATUS_FAILED,
				   "a number is negative, or 2^32 or more: it has no room in a "
				   "state of UInt32, ask for 64 bits");
	*size = group_bitmap_size(set, width);
	*bytes = sqlite3_malloc64(*size);
	if (!*bytes)
		return message_out_of_memory(message);
	status = set->rows <= NUMBERS_MAX ? numbers_write(set, width, *bytes, message)
					  : bitmap_write(set, width, *bytes, message);
	if (status != STATUS_OK)
		sqlite3_free(*bytes);
	return status;
}

static enum status damaged(struct message *message, const char *how)
{
	return message_set(message, STATUS_FAILED, "not a state of ClickHouse's groupBitmap: %s",
			   how);
}

static bool variable_read(struct byte_reader *input, uint64_t *number)
{
	*number = 0;
	for (unsigned shift = 0; shift < 7 * VARIABLE_NUMBER_MAX; shift += 7) {
		const uint8_t *byte = byte_reader_take(input, 1);

		if (!byte || (shift == 63 && *byte > 1))
			return false;
		*number |= (uint64_t)(*byte & 0x7f) << shift;
		if (*byte < 0x80)
			return true;
	}
	return false;
}

static enum status numbers_read(struct byte_reader *input, uint64_t count, struct row_set *set,
				struct message *message)
{
	const size_t width = count && count <= NUMBERS_MAX ? input->left / (size_t)count : 0;
	struct row_set_builder builder = {0};
	enum status status = STATUS_OK;

	if (count > NUMBERS_MAX)
		return damaged(message, "more than 32 numbers");
	if (input->left != count * width ||
	    (count && width != GROUP_BITMAP_32 && width != GROUP_BITMAP_64))
		return damaged(message, "its numbers are neither UInt32 nor UInt64");
	for (uint64_t i = 0; status == STATUS_OK && i < count; i++) {
		const uint8_t *number = byte_reader_take(input, width);

		status = row_set_builder_add(&builder,
					     width == GROUP_BITMAP_32
						     ? (int64_t)read_little_endian_32(number)
						     : (int64_t)read_little_endian_64(number),
					     message);
	}
	if (status == STATUS_OK)
		status = row_set_builder_finish(&builder, set, message);
	row_set_builder_free(&builder);
	return status;
}

enum status group_bitmap_import(const uint8_t *bytes, size_t size, struct row_set *set,
				struct message *message)
{
	struct byte_reader input = byte_reader_of(bytes, size);
	const uint8_t *kind = byte_reader_take(&input, 1);
	uint64_t length;

	*set = (struct row_set){0};
	if (!kind || !variable_read(&input, &length))
		return damaged(message, "it ends too early");
	if (*kind == KIND_NUMBERS)
		return numbers_read(&input, length, set, message);
	if (*kind != KIND_BITMAP)
		return damaged(message, "it begins with neither 0 nor 1");
	if (length != input.left)
		return damaged(message, "its bitmap is not as long as it says");
	return row_set_import(input.next, input.left, set, message);
}
