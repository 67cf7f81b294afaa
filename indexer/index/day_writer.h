/*
 * connbits_day: how many rows of each filter are on each day. Days without rows are not in it. The
 * counts go with the commits of the bitmaps that they are of, as what they are more or less by.
 */
#ifndef CONNBITS_INDEX_DAY_WRITER_H
#define CONNBITS_INDEX_DAY_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"

/* By how many rows the count of a filter on a day changes. */
struct write_day {
	int64_t filter; /* its id */
	int64_t day;	/* since 1970-01-01 */
	int64_t rows;	/* not 0 */
};

/* Within a transaction: adds the changes. STATUS_FAILED where a count would be less than none. */
enum status days_write(sqlite3 *database, int64_t source, const struct write_day *days,
		       size_t count, struct message *message);

/* Within a transaction: removes the days of filters that go. */
enum status days_remove(sqlite3 *database, const int64_t *filters, size_t count,
			struct message *message);

/* Counts beside those that are stored, in a temporary table of the connection. */
enum status days_recount_begin(sqlite3 *database, struct message *message);
enum status days_recount_add(sqlite3 *database, const struct write_day *days, size_t count,
			     struct message *message);

/*
 * Holds the stored days of a source against them: STATUS_FAILED, with the filter, the day and both
 * counts, where one differs.
 */
enum status days_recount_compare(sqlite3 *database, int64_t source, struct message *message);

#endif
