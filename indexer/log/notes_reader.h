/*
 * What the log's own triggers have noted of rows that were changed behind an
 * index's back, read through any connection that sees the log.
 */
#ifndef CONNBITS_LOG_NOTES_READER_H
#define CONNBITS_LOG_NOTES_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "layout.h"
#include "notes_format.h"

/* Whether the triggers have noted that row. */
enum status notes_has_row(sqlite3 *log, const char *database_name, const struct layout *layout,
			  int64_t row, bool *noted, struct message *message);

/*
 * Finds a noted row from the log's first row on, up to row id `last`. Rows
 * before the log's first one are gone anyway.
 */
enum status notes_find(sqlite3 *log, const char *database_name, const struct layout *layout,
		       int64_t last, bool *found, int64_t *row, struct message *message);

/* What the log says of its notes. */
struct notes_watch {
	int64_t last_row; /* rows up to this one are indexed: insertions among them are noted */
	int64_t round;	  /* 1 or more */
	/*
	 * A row came ahead of all others since the last job. Deleted rows that it
	 * now stands before were not noted, so that nothing is known of them.
	 */
	bool ahead;
	/*
	 * Of the index that has dealt with all earlier notes: random, and another
	 * one at the beginning and the end of each job that has something to do.
	 */
	char mark[NOTES_MARK_SIZE];
};

/* Reads it, where notes_installed has said that it is there. */
enum status notes_watch_read(sqlite3 *log, const char *database_name, const struct layout *layout,
			     struct notes_watch *watch, struct message *message);

/*
 * The segments that have noted rows, ascending, each once. The caller frees
 * *segments with free. *damaged says that there is a note which no trigger
 * wrote, so that nothing can be said of the rest.
 */
enum status notes_segments(sqlite3 *log, const struct layout *layout, int64_t **segments,
			   size_t *count, bool *damaged, struct message *message);

#endif
