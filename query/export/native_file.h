/*
 * A file in ClickHouse's format Native, compressed as one Zstandard frame with a checksum:
 *
 *   blocks of rows, each: how many columns and rows, and for each column its name, its type,
 *   a byte a row that is 1 for NULL where the type is Nullable, and the values
 *
 * Numbers of rows and the lengths of texts are variable-length, 7 bits a byte and least first; all
 * else is little-endian. Source: ClickHouse's page on the format, and NativeWriter.cpp of its
 * source (client revision 0).
 */
#ifndef CONNBITS_EXPORT_NATIVE_FILE_H
#define CONNBITS_EXPORT_NATIVE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "export_digest.h"

enum { NATIVE_COLUMNS_MAX = 16 };

struct native_column {
	const char *name;
	const char *type; /* "UInt64", "Nullable(UInt8)", ... */
	bool nullable;
};

struct native_file;

/*
 * Makes the file, which must not be there. columns outlive it. On success it has to be closed or
 * abandoned.
 */
enum status native_file_open(const char *path, const struct native_column *columns, size_t count,
			     struct native_file **file, struct message *message);

/*
 * The values of a row, in the order of the columns. What fails is told by native_file_row. A
 * number has the lowest `bytes` bytes of value; NULL takes as many.
 */
void native_file_text(struct native_file *file, const char *text);
void native_file_number(struct native_file *file, uint64_t value, size_t bytes);
void native_file_null(struct native_file *file, size_t bytes);
/* Bytes that are a value as they are: an aggregate state, an IPv6 address. */
void native_file_bytes(struct native_file *file, const uint8_t *bytes, size_t size);

/* Ends the row. */
enum status native_file_row(struct native_file *file, struct message *message);

/* What a file that was closed is. */
struct native_summary {
	uint64_t rows;
	uint64_t bytes; /* of the file */
	char digest[DIGEST_HEX_SIZE];
};

/* Writes the rest and has it on the disk. On failure the file is gone. */
enum status native_file_close(struct native_file *file, struct native_summary *summary,
			      struct message *message);

/* Removes what was written; NULL is nothing. */
void native_file_abandon(struct native_file *file);

#endif
