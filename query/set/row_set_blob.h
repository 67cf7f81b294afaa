/*
 * A set of row ids as bytes in the portable Roaring format
 * (github.com/RoaringBitmap/RoaringFormatSpec): 32-bit where every row id is
 * from 0 to 2^32 - 1, otherwise the 64-bit extension, whose keys order row ids
 * as unsigned. Which of the two some bytes are follows from the bytes.
 */
#ifndef CONNBITS_SET_ROW_SET_BLOB_H
#define CONNBITS_SET_ROW_SET_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "row_set.h"

/* How many bytes row_set_export will take, and give. */
size_t row_set_export_size(const struct row_set *set);

/* Serialises the set. The caller frees *bytes with sqlite3_free. */
enum status row_set_export(const struct row_set *set, uint8_t **bytes, size_t *size,
			   struct message *message);

/*
 * Reads size bytes, which come from anywhere: whatever is not exactly one
 * bitmap of either form is STATUS_FAILED. Takes memory in proportion to size.
 * On success the caller frees *set with row_set_free.
 */
enum status row_set_import(const uint8_t *bytes, size_t size, struct row_set *set,
			   struct message *message);

/* What a set's bytes are made of: containers by their form. */
struct row_set_kinds {
	uint64_t arrays;
	uint64_t runs;
	uint64_t bitsets;
};

/* Counts the containers that row_set_export writes. */
void row_set_kinds_count(const struct row_set *set, struct row_set_kinds *kinds);

#endif
