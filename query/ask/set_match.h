/* How many rows of the log each of many address sets has, at either end, and from when to when. */
#ifndef CONNBITS_ASK_SET_MATCH_H
#define CONNBITS_ASK_SET_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "asked_sets.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "segment_walk.h"

/* The rows whose source, or destination, is in a set. */
struct end_match {
	uint64_t rows;
	int64_t first; /* microseconds since 1970 UTC; INSTANT_NONE where no row has a time */
	int64_t last;
};

struct set_match {
	char *name;
	uint64_t entries;
	struct end_match ends[2]; /* source, destination */
};

/* Zero-initialise; free with set_matches_free. */
struct set_matches {
	struct set_match *items; /* by name */
	size_t count;
};

/* What is matched: all sets of the index, and those that are given, which come before these. */
struct match_question {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const struct given_set *given;
	const uint64_t *given_entries;
	size_t given_count;
	const struct search_pause *pause; /* NULL, or of a search that takes long */
};

/* STATUS_FAILED also where the index has no columns. */
enum status set_matches_find(const struct match_question *question, struct set_matches *matches,
			     struct message *message);

void set_matches_free(struct set_matches *matches);

#endif
