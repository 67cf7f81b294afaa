/*
 * What the log's own triggers have noted of rows that were changed behind an
 * index's back, read through any connection that sees the log. The notes are
 * in connbits_change, beside the log's table:
 *   connbits_change (table_name, row, taken)   row ids; taken: a job is at work on it
 *   connbits_watch (table_name, last_row, ahead)   rows up to last_row are indexed;
 *                                               ahead: see tracked_ahead
 * Rows that are deleted from the start on are not noted: retention would note
 * millions, and an index sees them missing.
 */
#ifndef CONNBITS_TRACKED_H
#define CONNBITS_TRACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "message.h"
#include "sqlite.h"

enum { TRACKED_TRIGGERS = 3 };

/*
 * The name and the text of one of the triggers, 0 to TRACKED_TRIGGERS - 1.
 * sqlite3_free both; either is NULL without memory.
 */
char *tracked_trigger_name(const struct layout *layout, size_t trigger);
char *tracked_trigger_sql(const struct layout *layout, size_t trigger);

/* True if all triggers are there, word for word. */
enum status tracked_installed(sqlite3 *log, const char *database_name, const struct layout *layout,
			      bool *installed, struct message *message);

/*
 * Finds a noted row from the log's first row on, up to row id `last`. Rows
 * before the log's first one are gone anyway.
 */
enum status tracked_find(sqlite3 *log, const char *database_name, const struct layout *layout,
			 int64_t last, bool *found, int64_t *row, struct message *message);

/*
 * True if a row came ahead of all others since the last job. Deleted rows that
 * it now stands before were not noted, so that nothing is known of them.
 */
enum status tracked_ahead(sqlite3 *log, const struct layout *layout, bool *ahead,
			  struct message *message);

/*
 * The segments that have noted rows, ascending, each once. The caller frees
 * *segments with free.
 */
enum status tracked_segments(sqlite3 *log, const struct layout *layout, int64_t **segments,
			     size_t *count, struct message *message);

#endif
