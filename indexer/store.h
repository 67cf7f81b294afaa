/*
 * The connbits_* tables, written. A build writes beside what is there and
 * takes its place in one transaction at the end, so that a job killed at any
 * instant leaves the index as it was or complete.
 */
#ifndef CONNBITS_STORE_H
#define CONNBITS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "fingerprint.h"
#include "layout.h"
#include "message.h"
#include "sqlite.h"

struct store;

/* One chunk of one filter's bitmap. */
struct store_bitmap {
	size_t filter; /* in the order of store_add_filter */
	int64_t chunk;
	uint64_t rows;
	const uint8_t *bytes;
	size_t size;
};

/*
 * Opens the index at path for writing. A missing file is made, with the text
 * encoding of the log: SQLite attaches only files of one encoding. STATUS_FAILED
 * if another job has it, if it is of a newer format, or if it cannot be
 * written. On success the caller closes it with store_close.
 */
enum status store_open(const char *path, const char *encoding, struct store **store,
		       struct message *message);

/* The connection, for reading what is stored. */
sqlite3 *store_database(struct store *store);

/* Begins a build of the log's table: an unfinished source that nobody reads. */
enum status store_begin(struct store *store, const struct layout *layout, struct message *message);

struct store_filter {
	const char *name;
	const char *expression;
	const char *description;
};

/* Adds the build's filters. */
enum status store_add_filters(struct store *store, const struct store_filter *filters, size_t count,
			      struct message *message);

/* Stores bitmaps in one short transaction. */
enum status store_put(struct store *store, const struct store_bitmap *bitmaps, size_t count,
		      struct message *message);

/* What a finished build says of itself. */
struct store_totals {
	const uint64_t *filter_rows; /* rows of each filter */
	const uint64_t *outcomes;    /* rows by outcome, OUTCOME_COUNT of them */
	int64_t first_row;	     /* row ids; first > last for an empty log */
	int64_t last_row;
	struct fingerprint fingerprint;
};

/* Puts the build in the place of the table's former index, in one transaction. */
enum status store_finish(struct store *store, const struct store_totals *totals,
			 struct message *message);

/*
 * Closes the index. A build that was not finished is dropped, and so is the
 * file if store_open made it and nothing was finished in it. No other
 * connection of this process may have the file open.
 */
void store_close(struct store *store);

#endif
