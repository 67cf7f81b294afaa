/*
 * On which days (UTC) the rows of a segment are, by their places in it. Where times come in the
 * order of the rows that is a few runs of places, of which a bitmap's rows are counted without
 * looking at each.
 */
#ifndef CONNBITS_COLUMN_SEGMENT_DAYS_H
#define CONNBITS_COLUMN_SEGMENT_DAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/container.h"
#include "segment_columns.h"

enum { SEGMENT_DAY_RUNS = 24 };

/* Zero-initialise; free with segment_days_free. Memory is kept from one segment to the next. */
struct segment_days {
	int64_t *days; /* since 1970-01-01; in no order where there are runs, else ascending */
	size_t count;  /* 0: no row has a time */
	size_t capacity;
	bool by_runs; /* days[i] is that of the places from first[i] on */
	uint32_t first[SEGMENT_DAY_RUNS];
	uint64_t present[SEGMENT_WORDS]; /* a bit for each place that has a header */
	/* Else: by place, of a row with a header the place of its day, plus 1; 0 without a time. */
	uint16_t *of;
};

/* Reads the days of the columns that were begun, which have one of times. */
enum status segment_days_read(struct segment_days *days, struct segment_columns *columns,
			      struct message *message);

/*
 * Adds to tallies[numbers[i]] how many rows of the container, `sign` each, are on days[i]; rows
 * without a time or a header are not counted. With mixed some may have no header.
 */
void segment_days_count(const struct segment_days *days, const struct container *container,
			bool mixed, const size_t *numbers, int64_t sign, int64_t *tallies);

void segment_days_free(struct segment_days *days);

#endif
