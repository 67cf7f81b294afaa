/*
 * Stored bitmaps as rows for ClickHouse: sensor, table_name, generation, number, chunk, filter,
 * rows, digest, bitmap. A bitmap is a state of groupBitmap over UInt32 (group_bitmap.h): the lower
 * 32 bits of row ids, of one chunk. digest is the first 64 bits of the bitmap's SHA-256. One that
 * is gone comes as an empty one with rows and digest 0.
 */
#ifndef CONNBITS_EXPORT_EXPORT_BITMAPS_H
#define CONNBITS_EXPORT_EXPORT_BITMAPS_H

#include "index/index_reader.h"
#include "native_file.h"
#include "table_export.h"

enum { EXPORT_BITMAP_COLUMNS = 9 };
extern const struct native_column export_bitmap_columns[EXPORT_BITMAP_COLUMNS];

struct exported_bitmaps {
	uint64_t changed; /* bitmaps that were written */
	uint64_t gone;	  /* of which so many are no more */
};

/* All bitmaps that a filter has now. */
struct exported_filter {
	uint64_t rows;
	uint64_t check; /* the sum of their digests, modulo 2^64 */
};

/* Writes what changed, and adds up the bitmaps of each filter in totals, which are 0. */
enum status export_bitmaps_write(const struct table_export *table,
				 const struct index_filters *filters,
				 struct exported_filter *totals, struct exported_bitmaps *exported,
				 struct message *message);

#endif
