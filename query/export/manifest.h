/*
 * What a folder of exports knows, FOLDER/manifest.jsonl: lines of JSON that say what was exported
 * last, so that the next export has what changed since. Nothing in it is trusted.
 *
 *   {"connbits_export": 1, "sensor": "s1", "series": 1764355000123, "number": 12,
 *    "last_generation": 1764355000123, "exported_at": "2026-11-28T06:00:07Z"}
 *   {"table": "connections", "build": "9f0c...", "generation": 1764355000123}
 *   {"filter": "smb", "chunk": 0, "rows": 81, "digest": "0a1b..."}   of the table before it
 *   {"segment": 3, "rows": 65536, "digest": "77fe..."}               its columns, likewise
 *   {"file": "1764355000123-00000012.bitmaps.native.zst", "bytes": 8121, "sha256": "..."}
 *
 * series and generation are the milliseconds since 1970 at which they began, each greater than
 * any before; number counts exports of a series from 1. Digests are of what was exported of a
 * bitmap or a segment: 128 bits of its SHA-256.
 */
#ifndef CONNBITS_EXPORT_MANIFEST_H
#define CONNBITS_EXPORT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/message.h"
#include "export_digest.h"
#include "index/index_reader.h"

enum {
	MANIFEST_SENSOR_MAX = 128, /* bytes of a sensor's name */
	MANIFEST_BUILD_SIZE = INDEX_BUILD_DIGITS + 1,
	MANIFEST_NUMBER_MAX = 99999999,
};

/* Series and generations have 13 digits: until 2286. */
#define MANIFEST_TIME_MAX INT64_C(9999999999999)

/* A bitmap, or where filter is NULL the columns of a segment. */
struct manifest_item {
	char *filter;
	int64_t place; /* chunk or segment */
	uint64_t rows;
	char digest[DIGEST_SHORT_SIZE];
	bool seen; /* it is still there: for the next export */
};

/* By filter and place, those of segments first. */
struct manifest_items {
	struct manifest_item *items;
	size_t count;
	size_t capacity;
};

struct manifest_table {
	char *name;
	char build[MANIFEST_BUILD_SIZE]; /* of the index: its identity's first part */
	int64_t generation;
	struct manifest_items items;
};

struct manifest_file {
	char *name;
	uint64_t bytes;
	char sha256[DIGEST_HEX_SIZE];
};

/* Zero-initialise; free with manifest_free. */
struct manifest {
	char sensor[MANIFEST_SENSOR_MAX + 1];
	int64_t series; /* 0 where there is none yet */
	uint64_t number;
	int64_t last_generation; /* of all tables that there ever were */
	char exported_at[32];	 /* RFC 3339, UTC */
	struct manifest_table *tables;
	size_t table_count;
	struct manifest_file *files;
	size_t file_count;
};

/* The first 64 bits of an item's digest. */
uint64_t manifest_item_check(const struct manifest_item *item);

/* Adds a copy of an item, behind all that are there. */
enum status manifest_items_add(struct manifest_items *items, const struct manifest_item *item,
			       struct message *message);

/* The item of a filter, NULL for segments, and a place; NULL where there is none. */
struct manifest_item *manifest_items_find(const struct manifest_items *items, const char *filter,
					  int64_t place);

/* Sorts by filter and place. False where one is there twice. */
bool manifest_items_sort(struct manifest_items *items);

void manifest_items_free(struct manifest_items *items);

/* The table of that name; *table is NULL where there is none. */
struct manifest_table *manifest_table_find(const struct manifest *manifest, const char *name);

/* The same, made where it is missing. */
enum status manifest_table_take(struct manifest *manifest, const char *name,
				struct manifest_table **table, struct message *message);

enum status manifest_file_add(struct manifest *manifest, const char *name, uint64_t bytes,
			      const char *sha256, struct message *message);

/* Reads a stream, whose name is for messages. On success free with manifest_free. */
enum status manifest_read(FILE *stream, const char *name, struct manifest *manifest,
			  struct message *message);

/* Writes it. What fails is told by the stream. */
void manifest_write(const struct manifest *manifest, FILE *stream);

void manifest_free(struct manifest *manifest);

/* Whether a sensor can have that name, which is a folder's where exports are gathered. */
bool manifest_sensor_valid(const char *name);

/* Whether JSON can have a name of the index as it is: UTF-8 without control characters. */
bool manifest_name_valid(const char *name);

#endif
