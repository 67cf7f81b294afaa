/* How many rows of a set fall on each day or hour, UTC, from the stored column of times. */
#ifndef CONNBITS_ASK_FACET_H
#define CONNBITS_ASK_FACET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "segment_walk.h"
#include "set/row_set.h"

enum facet_by { FACET_DAY, FACET_HOUR };

/* True and *by for "day" or "hour". */
bool facet_find(const char *word, enum facet_by *by);

/* Its word. */
const char *facet_name(enum facet_by by);

struct facet_value {
	int64_t value; /* days or hours since 1970-01-01 00:00 UTC */
	uint64_t rows; /* 1 or more */
};

struct facet {
	struct facet_value *values; /* ascending */
	size_t count;
	size_t capacity;
	uint64_t without; /* rows that have no time that can be read */
};

/*
 * Counts the rows of a set. facet is zero before; free with facet_free whatever is
 * returned. STATUS_FAILED also where the index has no times. pause may be NULL.
 */
enum status facet_count(sqlite3 *database, const struct answer_index *index,
			const struct row_set *rows, enum facet_by by,
			const struct search_pause *pause, struct facet *facet,
			struct message *message);

enum { FACET_TEXT_SIZE = 40 };

/* The value as a TIME of expressions: 2026-11-27, or 2026-11-27T18:00. */
void facet_value_text(enum facet_by by, int64_t value, char text[static FACET_TEXT_SIZE]);

void facet_free(struct facet *facet);

#endif
