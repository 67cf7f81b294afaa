/* connbits_day, read day by day. Nothing here trusts what it reads. */
#ifndef CONNBITS_INDEX_DAY_READER_H
#define CONNBITS_INDEX_DAY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"

/* Days since 1970-01-01 in UTC. */
struct day_span {
	int64_t first;	/* on which there are rows */
	int64_t last;	/* that is over, or else today */
	uint64_t later; /* rows behind it */
};

/*
 * Finds the days of the years 1 to 9999 on which the source has rows. *found is false where
 * there are none up to today.
 */
enum status day_reader_span(sqlite3 *database, const char *database_name,
			    const struct index_source *source, struct day_span *span, bool *found,
			    struct message *message);

struct day_reader;

/* Opens a reader of an attached index. Free with day_reader_close. */
enum status day_reader_open(sqlite3 *database, const char *database_name,
			    struct day_reader **reader, struct message *message);

/* How many rows a filter has on each of `count` days, of which the last one is `last`. */
enum status day_reader_counts(struct day_reader *reader, int64_t filter, int64_t last,
			      uint64_t *rows, size_t count, struct message *message);

void day_reader_close(struct day_reader *reader);

#endif
