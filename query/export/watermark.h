/*
 * One line of JSON for a table that was exported, which ClickHouse reads as JSONEachRow
 * (data/fleet/schema.sql has the columns).
 */
#ifndef CONNBITS_EXPORT_WATERMARK_H
#define CONNBITS_EXPORT_WATERMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "export_bitmaps.h"
#include "index/index_reader.h"
#include "manifest.h"

struct watermark {
	const char *sensor;
	const char *table;
	int64_t series;
	int64_t generation;
	uint64_t number;
	const char *exported_at;
	bool gone; /* the index has no such table any more: all below is not there */
	const struct index_source *source; /* what is indexed */
	const struct index_filters *filters;
	const struct exported_filter *totals; /* by filter */
	const bool *lacking; /* by filter: it lacks rows, since a name was not found */
	uint64_t bitmaps;    /* how many there are in all */
	uint64_t behind;     /* rows of the log that are not indexed */
	bool has_connections;
	uint64_t connections;		   /* rows in all */
	const struct manifest_file *files; /* of this export */
	size_t file_count;
};

/* What fails is told by the stream. */
void watermark_write(const struct watermark *watermark, FILE *stream);

#endif
