/*
 * What a job writes of sources and filters, each call one short transaction:
 * whoever kills the job finds them as they were before or after it. Bitmaps and
 * headers are write_batch.h's, and so is what a source says of them: its
 * watermark, counts and fingerprints go with their commits.
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

/* SQL for a source's identity after a commit: another one, of the same build. */
#define INDEX_IDENTITY_NEXT "identity = substr(identity, 1, 16) || lower(hex(randomblob(8)))"

struct index_write_filter {
	const char *name;
	const char *expression;
	const char *description;
	enum filter_kind kind;
	const char *digest; /* of its condition; NULL where it has none */
	int64_t position;   /* in the catalogue */
	int64_t id;	    /* set by index_write_filters_add */
	uint64_t rows;
	bool derived;	  /* computed of other filters' bitmaps */
	int64_t replaces; /* 0, or the id of what a derived one comes in place of, */
	uint64_t changed; /* and how many rows only one of them has */
	bool stays;	  /* its bitmaps are left as they are; nothing is known of new rows */
};

/* An address set as it is to be stored. */
struct index_write_set {
	const char *name;
	const char *digest;
	uint64_t entries;
	const uint8_t *bytes; /* address_list_bytes.h */
	size_t size;
};

/* What becomes of the sets of a source: some are written, some, by name, removed. */
struct index_write_sets {
	const struct index_write_set *written;
	size_t written_count;
	const char *const *removed;
	size_t removed_count;
};

/* Writes sets of a source that nobody reads yet. */
enum status index_write_sets_add(sqlite3 *database, int64_t source,
				 const struct index_write_sets *sets, struct message *message);

/*
 * Notes of sets of a source, by name, that they were read again as they are. Only those are written
 * to that were read half a day ago or longer: a run with nothing to do writes nothing.
 */
enum status index_write_sets_seen(sqlite3 *database, int64_t source, const char *const *names,
				  size_t count, struct message *message);

/* Begins an unfinished source of the log's table, which nobody reads, and sets its id. */
enum status index_write_source_begin(sqlite3 *database, const struct layout *layout,
				     struct index_source *source, struct message *message);

/* The source under which the new filters of a source wait for index_write_filters_publish. */
static inline int64_t index_write_pending(int64_t source)
{
	return -source;
}

/* Adds filters to a source, or to its pending ones, and sets their ids. */
enum status index_write_filters_add(sqlite3 *database, int64_t source,
				    struct index_write_filter *filters, size_t count,
				    struct message *message);

/*
 * Notes of filters that their bitmaps will lack rows from now on, so that they
 * are evaluated as a whole as soon as that is possible again.
 */
enum status index_write_filters_stale(sqlite3 *database, const int64_t *ids, size_t count,
				      struct message *message);

/* Within a transaction: gives filters their rows, and with source not 0 that source. */
enum status index_write_filter_rows(sqlite3 *database, const struct index_write_filter *filters,
				    size_t count, int64_t source, struct message *message);

/*
 * Removes the filters with these ids, gives the pending filters of the source,
 * whose rows are written too, into its hands, and writes the description and
 * position of the others; and changes its address sets. The source gets a new identity.
 */
enum status index_write_filters_publish(sqlite3 *database, int64_t source, const int64_t *removed,
					size_t removed_count,
					const struct index_write_filter *pending,
					size_t pending_count,
					const struct index_write_filter *others, size_t other_count,
					const struct index_write_sets *sets,
					struct message *message);

/* Gives an unfinished source the table's name, and its former index out of sight. */
enum status index_write_source_publish(sqlite3 *database, int64_t source, const char *table,
				       struct message *message);

/* Takes the index of a table out of sight, finished or not; what it had is then garbage. */
enum status index_write_source_forget(sqlite3 *database, const char *table,
				      struct message *message);

/*
 * Makes a new mark for the source, and for those that fit a log which bears
 * the mark `current`: *mark is to be sqlite3_freed. They fit both until
 * index_write_mark_settle is told that the log bears it.
 */
enum status index_write_mark_begin(sqlite3 *database, int64_t source, const char *current,
				   char **mark, struct message *message);
enum status index_write_mark_settle(sqlite3 *database, const char *mark, struct message *message);

/* Notes of a source, of all with 0, what is known of reading its log by page. */
enum status index_write_reading(sqlite3 *database, int64_t source, enum index_reading reading,
				struct message *message);

/* Notes whether a source has its headers stored, and triggers in its log. */
enum status index_write_source_kind(sqlite3 *database, int64_t source, bool packed, bool tracked,
				    struct message *message);

#endif
