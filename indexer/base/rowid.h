/*
 * Row ids, and the three units that they are dealt with in. Row ids are signed
 * 64-bit and every unit rounds towards minus infinity, so that a unit's rows
 * lie side by side on both sides of 0:
 *
 *   segment  2^16 row ids: packed, evaluated and encoded at once
 *   chunk    2^20 row ids, 16 segments: what one stored bitmap covers
 *   bucket   2^32 row ids: those that one 32-bit Roaring bitmap can tell apart
 */
#ifndef CONNBITS_BASE_ROWID_H
#define CONNBITS_BASE_ROWID_H

#include <stdint.h>

enum {
	SEGMENT_SHIFT = 16,
	SEGMENT_ROWS = 1 << SEGMENT_SHIFT,
	SEGMENT_WORDS = SEGMENT_ROWS / 64, /* of one bit a row */
	CHUNK_SHIFT = 20,
	CHUNK_ROWS = 1 << CHUNK_SHIFT,
	CHUNK_SEGMENTS = CHUNK_ROWS / SEGMENT_ROWS,
	BUCKET_SHIFT = 32,
	BUCKET_SEGMENTS = 1 << (BUCKET_SHIFT - SEGMENT_SHIFT),
	BUCKET_CHUNKS = 1 << (BUCKET_SHIFT - CHUNK_SHIFT),
};

/* The segment that holds a row id. */
static inline int64_t segment_of(int64_t rowid)
{
	return rowid >> SEGMENT_SHIFT;
}

/* The first and the last row id of a segment. */
static inline int64_t segment_first_row(int64_t segment)
{
	return (int64_t)((uint64_t)segment << SEGMENT_SHIFT);
}

static inline int64_t segment_last_row(int64_t segment)
{
	return segment_first_row(segment) + (SEGMENT_ROWS - 1);
}

/* The place of a row id in its segment. */
static inline uint16_t segment_place(int64_t rowid)
{
	return (uint16_t)((uint64_t)rowid & (SEGMENT_ROWS - 1));
}

/* The place of a segment in its bucket: the key of a Roaring container. */
static inline uint16_t segment_key(int64_t segment)
{
	return (uint16_t)((uint64_t)segment & (BUCKET_SEGMENTS - 1));
}

/* The chunk that holds a segment or a row id. */
static inline int64_t chunk_of_segment(int64_t segment)
{
	return segment >> (CHUNK_SHIFT - SEGMENT_SHIFT);
}

static inline int64_t chunk_of_row(int64_t rowid)
{
	return rowid >> CHUNK_SHIFT;
}

/* The first and the last segment of a chunk. */
static inline int64_t chunk_first_segment(int64_t chunk)
{
	return (int64_t)((uint64_t)chunk * CHUNK_SEGMENTS);
}

static inline int64_t chunk_last_segment(int64_t chunk)
{
	return chunk_first_segment(chunk) + (CHUNK_SEGMENTS - 1);
}

/* The first and the last row id of a chunk. */
static inline int64_t chunk_first_row(int64_t chunk)
{
	return (int64_t)((uint64_t)chunk << CHUNK_SHIFT);
}

static inline int64_t chunk_last_row(int64_t chunk)
{
	return chunk_first_row(chunk) + (CHUNK_ROWS - 1);
}

/* The row id in a chunk whose lower 32 bits are these, as Roaring bitmaps hold them. */
static inline int64_t chunk_row(int64_t chunk, uint32_t low)
{
	return (int64_t)((uint64_t)chunk_first_row(chunk) | (low & (CHUNK_ROWS - 1)));
}

/* The bucket that holds a chunk, and its first segment. */
static inline int64_t bucket_of_chunk(int64_t chunk)
{
	return chunk >> (BUCKET_SHIFT - CHUNK_SHIFT);
}

static inline int64_t bucket_first_segment(int64_t bucket)
{
	return (int64_t)((uint64_t)bucket * BUCKET_SEGMENTS);
}

#endif
