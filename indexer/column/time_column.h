/*
 * The times of a segment's rows, which come nearly in the order of the rows and
 * seldom twice: no dictionary would make them smaller. All integers little-endian:
 *   32 bits  rows
 *   32 bits  rows without a time
 *   64 bits  the earliest time, and
 *   64 bits  the latest one: microseconds since 1970-01-01 00:00 UTC, signed
 *   32 bits  the unit: 1, 1,000 or 1,000,000 microseconds, the largest of which all
 *            times are a whole number apart
 *   32 bits  0
 *   where some rows have a time and others none: a bit for each row, that of the first
 *   row lowest, in 64-bit words: 1 where it has
 *   where there are two different times, of the rows that have one, in blocks of 256:
 *     64 bits  of each block its least time, in units behind the earliest one
 *      8 bits  of each block how many bits it takes for each time
 *     the times of each block in units behind its least one, one behind the other from
 *     the lowest bit on, and at last zeros up to a whole 64-bit word; behind its last
 *     time a block is filled with zeros
 * Where no row has a time, earliest and latest are 0 and the unit is 1,000,000.
 */
#ifndef CONNBITS_COLUMN_TIME_COLUMN_H
#define CONNBITS_COLUMN_TIME_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/rowid.h"
#include "column_bytes.h"

enum {
	TIME_BLOCK = 256,
	TIME_BLOCKS = SEGMENT_ROWS / TIME_BLOCK,
	TIME_HEAD_SIZE = 32,
	/* A bit and 64 bits a row, and the blocks' heads. */
	TIME_COLUMN_SIZE_MAX =
		TIME_HEAD_SIZE + SEGMENT_ROWS / 8 + TIME_BLOCKS * 9 + SEGMENT_ROWS * 8,
};

/*
 * Writes the times of 1 to SEGMENT_ROWS rows, INSTANT_NONE where a row has none.
 * Returns the size in bytes. The same times are always the same bytes. Of times only
 * those that rows have are left, closed up.
 */
size_t time_column_encode(int64_t *times, size_t rows, uint8_t out[static TIME_COLUMN_SIZE_MAX]);

/* Zero-initialise; free with time_column_free. Memory is kept from one column to the next. */
struct time_column {
	struct column_bytes bytes;
	size_t rows;
	size_t without;	  /* rows that have no time */
	int64_t earliest; /* both 0 where no row has one */
	int64_t latest;
	uint64_t unit;
	int64_t *times; /* room for those of a segment; NULL before they are needed */
	uint64_t present[SEGMENT_WORDS];
};

/* Begins a column of size bytes, of which it reads the head. */
enum status time_column_open(struct time_column *column, column_read read, void *context,
			     size_t size, struct message *message);

/*
 * Whether all rows that have a time, or none, are in first to last. Then
 * time_column_between reads no times.
 */
bool time_column_all_in(const struct time_column *column, int64_t first, int64_t last);
bool time_column_none_in(const struct time_column *column, int64_t first, int64_t last);

/* Reads the times of all rows, INSTANT_NONE where there is none: valid until the next call. */
enum status time_column_read(struct time_column *column, const int64_t **times,
			     struct message *message);

/*
 * Is the row's time in first to last? A bit for each row, and 0 behind them up to a whole
 * segment.
 */
enum status time_column_between(struct time_column *column, int64_t first, int64_t last,
				uint64_t out[static SEGMENT_WORDS], struct message *message);

/* Runs of rows whose times are the same, divided by unit and rounded down. */
struct time_runs {
	int64_t unit;
	size_t capacity; /* of the lists, which are the caller's */
	uint32_t *first; /* row of each run, */
	int64_t *values; /* and its value */
	size_t count;	 /* more than the capacity where there are more than that */
};

/*
 * Finds the runs of a column in which every row has a time; runs->count is 0 before. Of a block
 * whose times are all of one value only the head is read.
 */
enum status time_column_runs(struct time_column *column, struct time_runs *runs,
			     struct message *message);

void time_column_free(struct time_column *column);

#endif
