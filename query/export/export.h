/*
 * What changed in an index since the last export, as numbered files of a folder, which ClickHouse
 * reads (data/fleet) and any tool ships:
 *
 *   SERIES-NUMBER.bitmaps.native.zst      export_bitmaps.h, where any changed
 *   SERIES-NUMBER.connections.native.zst  export_connections.h, where asked for and changed
 *   SERIES-NUMBER.watermark.json          always: what the two belong to, by table
 *   manifest.jsonl                        what the next export starts from: manifest.h
 *
 * Numbered files are never written to again. A watermark says how far its log is indexed, how many
 * rows each filter has in all, and the size and SHA-256 of the files beside it: with it whoever
 * gathers them knows what is missing. An index that was built anew is a new generation, of which
 * everything is exported. Log and index are only read.
 */
#ifndef CONNBITS_EXPORT_EXPORT_H
#define CONNBITS_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"

/* Rows of a table behind its index that are counted. */
enum { EXPORT_BEHIND_MAX = 1000000 };

struct export_options {
	const char *log_path;
	const char *index_path; /* NULL where the index is in the log */
	const char *table;	/* NULL: all that the index has */
	const char *folder;
	const char *sensor; /* NULL: as the folder has it, or the host's name */
	bool connections;   /* the stored columns, too */
};

struct export_summary {
	char sensor[129];
	char stem[40]; /* SERIES-NUMBER */
	uint64_t tables;
	uint64_t built_anew;  /* tables of which an earlier index was exported */
	uint64_t behind;      /* rows of the log that are not in the index */
	uint64_t changed;     /* bitmaps that were written, */
	uint64_t gone;	      /* of which so many are no more */
	uint64_t connections; /* rows that were written */
	uint64_t bytes;	      /* of the numbered files */
};

/* Exports. STATUS_FAILED leaves the folder as it was. */
enum status export_run(const struct export_options *options, struct export_summary *summary,
		       struct message *message);

#endif
