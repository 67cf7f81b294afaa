/*
 * A set of row ids as the state of ClickHouse's aggregate function groupBitmap,
 * the value of a column of AggregateFunction(groupBitmap, UInt32) or UInt64
 * (github.com/ClickHouse/ClickHouse, AggregateFunctionGroupBitmapData.h):
 *
 *   0, count, numbers      at most 32 numbers, 4 or 8 bytes each, little endian, in any order
 *   1, size, bitmap        a portable Roaring bitmap, 32-bit, or 64-bit whatever its numbers are
 *
 * count and size are variable-length: 7 bits a byte, least first, the highest bit set where
 * another byte follows. As UInt64 a negative row id is 2^64 more.
 */
#ifndef CONNBITS_SET_GROUP_BITMAP_H
#define CONNBITS_SET_GROUP_BITMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "row_set.h"

enum group_bitmap_width { GROUP_BITMAP_32 = 4, GROUP_BITMAP_64 = 8 }; /* bytes a number */

/* The narrowest width that holds the set. */
enum group_bitmap_width group_bitmap_width(const struct row_set *set);

/* How many bytes group_bitmap_export will give. */
size_t group_bitmap_size(const struct row_set *set, enum group_bitmap_width width);

/*
 * Serialises the set, to the bytes that ClickHouse itself would write, numbers ascending.
 * STATUS_FAILED where a row id does not fit. The caller frees *bytes with sqlite3_free.
 */
enum status group_bitmap_export(const struct row_set *set, enum group_bitmap_width width,
				uint8_t **bytes, size_t *size, struct message *message);

/*
 * Reads size bytes, which come from anywhere, of either width: whatever is not one state, with
 * nothing behind its end, is STATUS_FAILED. Numbers that are there twice count once. On success
 * the caller frees *set with row_set_free.
 */
enum status group_bitmap_import(const uint8_t *bytes, size_t size, struct row_set *set,
				struct message *message);

#endif
