/*
 * The stored bytes of one column of a segment, read only where they are asked
 * for. They come from anywhere: nothing is read past their end.
 */
#ifndef CONNBITS_COLUMN_COLUMN_BYTES_H
#define CONNBITS_COLUMN_COLUMN_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"

enum {
	COLUMN_BYTES_MAX = 1 << 22, /* more than any column that is made here */
	COLUMN_BYTES_PART = 2048,   /* what is read at a time, and kept */
	COLUMN_BYTES_PARTS = COLUMN_BYTES_MAX / COLUMN_BYTES_PART,
};

/* Reads size bytes from offset `at` on; they are within the column. */
typedef enum status (*column_read)(void *context, size_t at, size_t size, uint8_t *out,
				   struct message *message);

/* Zero-initialise; free with column_bytes_free. Memory is kept from one column to the next. */
struct column_bytes {
	column_read read;
	void *context;
	size_t size;
	uint8_t *kept;
	size_t capacity;
	uint64_t parts[COLUMN_BYTES_PARTS / 64]; /* those that are in `kept` */
	uint64_t bytes_read;			 /* of all columns so far */
};

/* Begins a column of that size. STATUS_FAILED where no column is as large. */
enum status column_bytes_begin(struct column_bytes *bytes, column_read read, void *context,
			       size_t size, struct message *message);

/* Gives size bytes from offset `at` on, valid until the next column begins. */
enum status column_bytes_get(struct column_bytes *bytes, size_t at, size_t size,
			     const uint8_t **out, struct message *message);

/* Copies them to out, and keeps none of them. */
enum status column_bytes_copy(struct column_bytes *bytes, size_t at, size_t size, uint8_t *out,
			      struct message *message);

/* The failure of bytes that are not as they were made; says what is wrong with them. */
enum status column_bytes_damaged(struct message *message, const char *what);

void column_bytes_free(struct column_bytes *bytes);

#endif
