/*
 * What an index holds, read through any connection that has it open or
 * attached. Nothing here writes, and nothing here trusts what it reads.
 */
#ifndef CONNBITS_INDEX_INDEX_READER_H
#define CONNBITS_INDEX_INDEX_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/file_stamp.h"
#include "database/sqlite.h"
#include "log/fingerprint.h"
#include "log/layout.h"
#include "log/notes_reader.h"
#include "packet/connection.h"

/* connbits_header.outcomes: rows by outcome as 32-bit integers, little-endian. */
enum { INDEX_OUTCOMES_SIZE = OUTCOME_COUNT * 4 };

/* The two filters that every index has. No filter of a catalogue can have their names. */
#define INDEX_ALL "@all"	 /* every row that has a header */
#define INDEX_SKIPPED "@skipped" /* every row that was skipped */

/* What is known of reading the log by page: log_reader.h. The values are stored. */
enum index_reading {
	INDEX_READING_ANY,	/* nothing against it */
	INDEX_READING_DIFFERED, /* a row read differently: no row that was read counts */
	INDEX_READING_SQL,	/* that was so once; all rows were read through SQLite since */
};

/* The first characters of an identity, which stay until the index is built anew. */
enum { INDEX_BUILD_DIGITS = 16 };

struct index_source {
	int64_t id;
	struct layout layout;
	uint64_t outcomes[OUTCOME_COUNT]; /* rows by outcome */
	int64_t first_row;		  /* row ids of the first and last row indexed; */
	int64_t last_row;		  /* first > last where the log was empty */
	char indexed_at[32];		  /* RFC 3339, UTC */
	char identity[40]; /* random, of one commit; INDEX_BUILD_DIGITS of one build */
	struct fingerprint fingerprint;
	struct file_stamp log_stamp; /* of the log when all of this fitted it */
	bool packed;		     /* the segments' headers are stored */
	bool inside;		     /* the index is in the log's own file */
	enum index_reading reading;
	bool tracked; /* triggers of the log tell of changed rows: notes_writer.h */
	/* The log's mark if it fits; the next one too while a job is between the two. */
	char mark[NOTES_MARK_SIZE];
	char next_mark[NOTES_MARK_SIZE];
};

/* What the expression of a filter is. */
enum filter_kind {
	FILTER_BUILT_IN, /* it has none: @all and @skipped */
	FILTER_PCAP,
	FILTER_ROWS, /* an expression over filters, sets and times: expression.h */
};

/* "", "pcap", "rows", as connbits_filter.kind has it. */
const char *filter_kind_name(enum filter_kind kind);

struct index_filter {
	int64_t id;
	enum filter_kind kind;
	int64_t position; /* in the catalogue */
	char *name;
	char *expression;
	char *description;
	char *indexed_at;
	char digest[40]; /* of what was evaluated; empty where that is not one condition */
	uint64_t rows;
};

struct index_filters {
	struct index_filter *items;
	size_t count;
};

/*
 * Reads the description of the one finished source of an index, or of the one
 * for table where that is not NULL. *found is false where there is none;
 * several without a choice are an error. On STATUS_OK and found the caller
 * frees with index_source_free.
 */
enum status index_source_read(sqlite3 *database, const char *database_name, const char *table,
			      struct index_source *source, bool *found, struct message *message);

/* The same for a source of that table that a job has begun and not finished. */
enum status index_source_read_unfinished(sqlite3 *database, const char *table,
					 struct index_source *source, bool *found,
					 struct message *message);

/* True if the notes of a log with that mark belong to this index, and none has gone elsewhere. */
bool index_source_marked(const struct index_source *source, const char *mark);

void index_source_free(struct index_source *source);

/* True if the attached database has index tables with a finished source. */
enum status index_is_finished(sqlite3 *database, const char *database_name, bool *finished,
			      struct message *message);

/* True if it has more than one. */
enum status index_has_several(sqlite3 *database, const char *database_name, bool *several,
			      struct message *message);

/* True if a source that was read is still there as it was: of the same commit. */
enum status index_source_is_current(sqlite3 *database, const char *database_name,
				    const struct index_source *source, bool *current,
				    struct message *message);

struct index_tables {
	char **names;
	size_t count;
};

/*
 * Lists the tables that an attached index has, with or without unfinished ones,
 * in the order in which they came; none where there is no index. The caller
 * frees *tables with index_tables_free whatever is returned.
 */
enum status index_tables_read(sqlite3 *database, const char *database_name, bool unfinished,
			      struct index_tables *tables, struct message *message);

void index_tables_free(struct index_tables *tables);

/* Reads all filters of a source in the order of its catalogue. Free with index_filters_free. */
enum status index_filters_read(sqlite3 *database, const char *database_name, int64_t source,
			       struct index_filters *filters, struct message *message);

void index_filters_free(struct index_filters *filters);

/* Where a filter's bitmaps are, and what they hold. */
struct index_filter_place {
	int64_t id;
	uint64_t rows;
	bool lacks_rows; /* a name that it asks for was not found when rows came or went */
};

/* Finds one filter by name. */
enum status index_filter_find(sqlite3 *database, const char *database_name, int64_t source,
			      const char *name, struct index_filter_place *place, bool *found,
			      struct message *message);

/*
 * The name of a filter of the source whose condition has that digest, the first of the
 * catalogue, which the caller frees with free. *name is NULL where there is none.
 */
enum status index_filter_same(sqlite3 *database, const char *database_name, int64_t source,
			      const char *digest, char **name, struct message *message);

/* How many rows a filter of the source has on average; false where that cannot be told. */
bool index_filters_average(sqlite3 *database, const char *database_name, int64_t source,
			   double *rows);

/*
 * A statement that lists a source's filters in the order of its catalogue: name,
 * rows, `state` as it is given or "behind" for one that lacks rows since a name was not found,
 * indexed_at, expression, description; with `sets` also kind, entries and digest, and the address
 * sets behind them; or briefly name, rows, state, and the description or else
 * the expression. The caller finalises it.
 */
enum status index_filters_list(sqlite3 *database, const char *database_name, int64_t source,
			       const char *state, bool brief, bool sets, sqlite3_stmt **statement,
			       struct message *message);

/* A statement that lists a source's address sets: set, entries, age, read_at, digest. */
enum status index_sets_list(sqlite3 *database, const char *database_name, int64_t source,
			    sqlite3_stmt **statement, struct message *message);

#endif
