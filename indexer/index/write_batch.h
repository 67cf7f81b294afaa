/*
 * Bitmaps and headers that wait for a commit, with memory of their own, so
 * that a transaction is neither tiny nor long.
 */
#ifndef CONNBITS_INDEX_WRITE_BATCH_H
#define CONNBITS_INDEX_WRITE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column/segment_columns.h"
#include "database/reader_gate.h"
#include "day_writer.h"
#include "index_writer.h"

enum {
	/* Written in a few hundredths of a second: the log's writers wait for a commit. */
	WRITE_BATCH_BYTES = 1 << 20,
	/* In a file of the index's own none do, and each commit costs as much as some MiB. */
	WRITE_BATCH_BYTES_ALONE = 8 << 20,
	WRITE_BATCH_ITEMS = 4096,
	/* Days: 24 bytes each in memory. */
	WRITE_BATCH_DAYS = 1 << 20,
	/* What is to go into one transaction waits in memory, so that it is short, up to so much.
	 */
	WRITE_BATCH_HEAVY = 16 << 20,
	/* In a file of the index's own it may be long, and memory that is used again is quick. */
	WRITE_BATCH_HEAVY_ALONE = 1 << 20,
};

/* One chunk of one filter's bitmap. */
struct write_bitmap {
	int64_t filter; /* its id */
	int64_t chunk;
	uint64_t rows;
	const uint8_t *bytes;
	size_t size; /* 0: no row is left, and the stored bitmap is deleted */
};

/* One segment of the log. */
struct write_header {
	int64_t segment;
	uint64_t outcomes[OUTCOME_COUNT]; /* of its rows; all 0: the stored headers are deleted */
	struct packed_columns packed;	  /* empty where headers are not stored */
};

/* What belongs into one transaction; counts of 0 leave things as they are. */
struct write_commit {
	int64_t source;
	const struct write_bitmap *bitmaps;
	size_t bitmap_count;
	const struct write_header *headers;
	size_t header_count;
	const struct write_day *days; /* by what the rows of filters on days change */
	size_t day_count;
	bool ahead; /* of a watermark: the days in a batch wait for the commit that moves it */
	const struct index_write_filter *filters; /* whose rows are written */
	size_t filter_count;
	const struct index_source *state; /* NULL, or what is indexed now; gets a new identity */
};

struct write_bytes {
	uint8_t *bytes; /* of all items, one behind the other */
	size_t size;
	size_t capacity;
};

/* Zero-initialise but for `alone`; free with write_batch_free. */
struct write_batch {
	bool alone;		      /* in a file of the index's own */
	sqlite3 *begun;		      /* NULL, or where a part of it is written and not committed */
	struct reader_gate *gate;     /* NULL, or closed meanwhile */
	double waited;		      /* seconds until the file could be locked, */
	double since;		      /* and when it was */
	struct write_bitmap *bitmaps; /* their bytes are set by write_batch_commit */
	size_t bitmap_count;
	size_t bitmap_capacity;
	struct write_header *headers; /* so are theirs */
	size_t header_count;
	size_t header_capacity;
	struct write_day *days;
	size_t day_count;
	size_t day_capacity;
	struct write_bytes bitmap_bytes;
	struct write_bytes header_bytes;
};

/*
 * Writes the parts of a commit in one transaction: whoever kills the job finds all of it
 * or none.
 */
enum status write_commit_run(sqlite3 *database, const struct write_commit *commit,
			     struct message *message);

/* Adds a bitmap and copies its bytes. */
enum status write_batch_add_bitmap(struct write_batch *batch, const struct write_bitmap *bitmap,
				   struct message *message);

/* Adds a segment and copies its headers. */
enum status write_batch_add_header(struct write_batch *batch, const struct write_header *header,
				   struct message *message);

/* Adds a change of the rows of a filter on a day. */
enum status write_batch_add_day(struct write_batch *batch, const struct write_day *day,
				struct message *message);

/* The bytes that are worth a transaction. */
size_t write_batch_enough(const struct write_batch *batch);

/* True once the batch is worth a transaction, or has begun one. */
bool write_batch_is_full(const struct write_batch *batch);

/* True once it holds more than should wait in memory. */
bool write_batch_is_heavy(const struct write_batch *batch);

/*
 * Begins the transaction that write_batch_commit ends, if that has not begun, and writes
 * what is in the batch. A batch that is freed instead has written nothing.
 */
enum status write_batch_part(struct write_batch *batch, sqlite3 *database, int64_t source,
			     struct reader_gate *gate, struct message *message);

/*
 * Writes the batch with what else is in *commit, and empties it. gate is NULL
 * or closed meanwhile: SQLite's own wait for readers of this process would keep
 * other writers of the file out for longer.
 */
enum status write_batch_commit(struct write_batch *batch, sqlite3 *database,
			       struct write_commit *commit, struct reader_gate *gate,
			       struct message *message);

/* Takes back what parts have written, and opens the gate. What is in the batch stays there. */
void write_batch_cancel(struct write_batch *batch);

void write_batch_free(struct write_batch *batch);

#endif
