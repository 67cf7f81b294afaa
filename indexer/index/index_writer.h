/*
 * What a job writes to the connbits_* tables, each call one short transaction:
 * whoever kills the job finds them as they were before or after it.
 */
#ifndef CONNBITS_INDEX_INDEX_WRITER_H
#define CONNBITS_INDEX_INDEX_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"
#include "log/layout.h"

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

struct commit_filter {
	const char *name;
	const char *expression;
	const char *description;
	int64_t position; /* in the catalogue */
	int64_t id;	  /* set by commit_filters_add */
	uint64_t rows;
};

/* What belongs together; counts of 0 leave things as they are. */
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

/* Begins an unfinished source of the log's table, which nobody reads, and sets its id. */
enum status commit_source_begin(sqlite3 *database, const struct layout *layout,
				struct stored_source *source, struct message *message);

/* The source under which the new filters of a source wait for commit_filters_publish. */
static inline int64_t commit_pending(int64_t source)
{
	return -source;
}

/* Adds filters to a source, or to its pending ones, and sets their ids. */
enum status commit_filters_add(sqlite3 *database, int64_t source, struct commit_filter *filters,
			       size_t count, struct message *message);

/* Writes the parts of a commit. */
enum status commit_write(sqlite3 *database, struct commit *commit, struct message *message);

/*
 * Removes the filters with these ids, gives the pending filters of the source,
 * whose rows are written too, into its hands, and writes the description and
 * position of the others. The source gets a new identity.
 */
enum status commit_filters_publish(sqlite3 *database, int64_t source, const int64_t *removed,
				   size_t removed_count, const struct commit_filter *pending,
				   size_t pending_count, const struct commit_filter *others,
				   size_t other_count, struct message *message);

/* Gives an unfinished source the table's name, and its former index out of sight. */
enum status commit_source_publish(sqlite3 *database, int64_t source, const char *table,
				  struct message *message);

/* Takes the index of a table out of sight, finished or not; what it had is then garbage. */
enum status commit_source_forget(sqlite3 *database, const char *table, struct message *message);

/*
 * Makes a new mark for the source, and for those that fit a log which bears
 * the mark `current`: *mark is to be sqlite3_freed. They fit both until
 * commit_mark_settle is told that the log bears it.
 */
enum status commit_mark_begin(sqlite3 *database, int64_t source, const char *current, char **mark,
			      struct message *message);
enum status commit_mark_settle(sqlite3 *database, const char *mark, struct message *message);

/* Notes whether a source has its headers stored, and triggers in its log. */
enum status commit_source_kind(sqlite3 *database, int64_t source, bool packed, bool tracked,
			       struct message *message);

#endif
