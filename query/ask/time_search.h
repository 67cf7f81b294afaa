/*
 * The rows whose times lie in ranges, from the stored column of times: the answer to
 * `since TIME` and `before TIME`. Of a segment that lies in a range as a whole, or not at
 * all, no time is read.
 */
#ifndef CONNBITS_ASK_TIME_SEARCH_H
#define CONNBITS_ASK_TIME_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "base/stop.h"
#include "database/sqlite.h"
#include "segment_walk.h"
#include "set/row_set.h"

/* Microseconds since 1970-01-01 00:00 UTC, both in the range. */
struct time_range {
	int64_t first;
	int64_t last;
};

/*
 * Fills a set of rows, empty before, for each of count ranges; *without is how many rows that the
 * log still has have a header and no time that can be read. On success the caller frees each set
 * with row_set_free. STATUS_FAILED also where the index has no times, or stop ended it.
 */
enum status time_search_run(sqlite3 *database, const struct answer_index *index,
			    const struct time_range *ranges, size_t count, const struct stop *stop,
			    const struct search_pause *pause, struct row_set *rows,
			    uint64_t *without, struct message *message);

/* STATUS_FAILED, and why, where an index has no times. */
enum status times_must_be(const struct answer_index *index, struct message *message);

#endif
