/*
 * Containers to Roaring bitmaps in the portable 32-bit format, and the check of
 * bytes that claim to be one. Source: the Roaring format specification,
 * github.com/RoaringBitmap/RoaringFormatSpec. All its integers are
 * little-endian.
 *
 * A bitmap of settled containers is canonical: the same set of rows is always
 * the same bytes.
 */
#ifndef CONNBITS_BITMAP_ROARING_FORMAT_H
#define CONNBITS_BITMAP_ROARING_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "container.h"

/* Head, 16 containers' descriptions and offsets, 16 containers. */
enum { CHUNK_BYTES_MAX = 8 + 16 * 8 + CHUNK_SEGMENTS * CONTAINER_BYTES_MAX };

/*
 * Joins containers that share rowid >> 32, at most 65,536 of them in ascending
 * order of segments and none empty, to one portable bitmap of
 * (rowid & 0xffffffff) in out, which has room for 8 bytes, 9 more a container
 * and the containers. Returns its size in bytes; *rows is its cardinality.
 */
size_t roaring_format_encode(const struct container *containers, size_t count, uint8_t *out,
			     uint64_t *rows);

/* The size in bytes of what roaring_format_encode makes; of no containers, the empty bitmap's. */
size_t roaring_format_size(const struct container *containers, size_t count);

/*
 * The same for one chunk: containers is by segment within the chunk, cardinality 0 where
 * there is none. Returns 0 where all are.
 */
size_t chunk_encode(const struct container containers[static CHUNK_SEGMENTS],
		    uint8_t out[static CHUNK_BYTES_MAX], uint64_t *rows);

/*
 * Checks that length bytes are exactly one portable 32-bit Roaring bitmap:
 * cookie and sizes, keys ascending, arrays ascending, runs ascending and
 * disjoint, every cardinality and offset true, nothing behind the end. On
 * success *rows is the cardinality, and *first_key and *last_key (values >> 16)
 * are set where that is not 0. STATUS_FAILED says what is wrong.
 */
enum status roaring_format_check(const uint8_t *bytes, size_t length, uint64_t *rows,
				 uint16_t *first_key, uint16_t *last_key, struct message *message);

/* Told of a container of a bitmap, whose lowest value is key << 16. */
typedef enum status (*container_visitor)(void *context, uint16_t key,
					 const struct container *container,
					 struct message *message);

/*
 * Checks as roaring_format_check does that bytes begin with one bitmap, and hands each
 * container to visit, ascending; *used is the bitmap's size in bytes, which may
 * be less than length. What visit fails with ends the check.
 */
enum status roaring_format_visit(const uint8_t *bytes, size_t length, container_visitor visit,
				 void *context, size_t *used, struct message *message);

/*
 * Takes apart length bytes that claim to be the bitmap of a chunk: checks them
 * as roaring_format_check does, and that they hold no other chunk's rows. containers is
 * by segment within the chunk, cardinality 0 where there is none, and points
 * into bytes. *rows is the cardinality.
 */
enum status chunk_decode(int64_t chunk, const uint8_t *bytes, size_t length,
			 struct container containers[static CHUNK_SEGMENTS], uint64_t *rows,
			 struct message *message);

/* Checks one container, of which cardinality, is_run, size and bytes count. */
enum status container_check(const struct container *container, struct message *message);

/*
 * Checks one container as container_check does, and
 * writes its values to low, ascending: cardinality of them.
 */
enum status container_decode(const struct container *container, uint16_t low[static SEGMENT_ROWS],
			     struct message *message);

#endif
