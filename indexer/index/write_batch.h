/*
 * Bitmaps and headers that wait for a commit, with memory of their own, so
 * that a transaction is neither tiny nor long.
 */
#ifndef CONNBITS_INDEX_WRITE_BATCH_H
#define CONNBITS_INDEX_WRITE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database/reader_gate.h"
#include "index_writer.h"

enum {
	/* So much is written in a few hundredths of a second. */
	BATCH_BYTES = 1 << 20,
	BATCH_ITEMS = 4096,
};

/* One chunk of one filter's bitmap. */
struct commit_bitmap {
	int64_t filter; /* its id */
	int64_t chunk;
	uint64_t rows;
	const uint8_t *bytes;
	size_t size; /* 0: no row is left, and what is stored goes */
};

/* One segment of the log. */
struct commit_header {
	int64_t segment;
	uint64_t outcomes[OUTCOME_COUNT]; /* of its rows; all 0: what is stored goes */
	const uint8_t *packed;		  /* NULL where headers are not stored */
	size_t size;
};

/* What belongs into one transaction; counts of 0 leave things as they are. */
struct commit {
	int64_t source;
	const struct commit_bitmap *bitmaps;
	size_t bitmap_count;
	const struct commit_header *headers;
	size_t header_count;
	const struct commit_filter *filters; /* whose rows are written */
	size_t filter_count;
	const struct stored_source *state; /* NULL, or what is indexed now; gets a new identity */
	double waited;			   /* set: seconds until the file could be locked */
	double locked;			   /* set: seconds for which it was */
};

struct batch_bytes {
	uint8_t *bytes; /* of all items, one behind the other */
	size_t size;
	size_t capacity;
};

/* Zero-initialise; free with batch_free. */
struct batch {
	struct commit_bitmap *bitmaps; /* their bytes are set by batch_write */
	size_t bitmap_count;
	size_t bitmap_capacity;
	struct commit_header *headers; /* so are theirs */
	size_t header_count;
	size_t header_capacity;
	struct batch_bytes bitmap_bytes;
	struct batch_bytes header_bytes;
};

/* Writes the parts of a commit in one transaction: whoever kills the job finds all of it or none.
 */
enum status commit_write(sqlite3 *database, struct commit *commit, struct message *message);

/* Adds a bitmap and copies its bytes. */
enum status batch_add_bitmap(struct batch *batch, const struct commit_bitmap *bitmap,
			     struct message *message);

/* Adds a segment and copies its headers. */
enum status batch_add_header(struct batch *batch, const struct commit_header *header,
			     struct message *message);

/* True once the batch is worth a transaction. */
bool batch_is_full(const struct batch *batch);

/*
 * Writes the batch with what else is in *commit, and empties it. gate is NULL
 * or closed meanwhile: SQLite's own wait for readers of this process would keep
 * other writers of the file out for longer.
 */
enum status batch_write(struct batch *batch, sqlite3 *database, struct commit *commit,
			struct gate *gate, struct message *message);

void batch_free(struct batch *batch);

#endif
