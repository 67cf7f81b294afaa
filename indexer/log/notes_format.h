/*
 * What --track adds to a log: tables for notes of rows that were changed behind
 * an index's back, and the triggers that write them.
 *   connbits_change (table_name, row, round)   row ids, and the round of the note
 *   connbits_watch (table_name, last_row, round, ahead, mark)
 * Each job that finds notes begins a new round, so that it can tell those it has
 * dealt with from those that came meanwhile. The rest is struct notes_watch in
 * notes_reader.h. Rows that are deleted from the start on are not noted:
 * retention would note millions, and an index sees them missing.
 */
#ifndef CONNBITS_LOG_NOTES_FORMAT_H
#define CONNBITS_LOG_NOTES_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "layout.h"

enum {
	NOTES_TRIGGERS = 3,
	NOTES_MARK_SIZE = 40, /* with its terminator */
};

/*
 * The name and the text of one of the triggers, 0 to NOTES_TRIGGERS - 1.
 * sqlite3_free both; either is NULL without memory.
 */
char *notes_trigger_name(const struct layout *layout, size_t trigger);
char *notes_trigger_sql(const struct layout *layout, size_t trigger);

/* The tables of the notes as sqlite_master has them. */
extern const char notes_change_sql[];
extern const char notes_watch_sql[];

/* True if both tables are there, word for word. */
enum status notes_tables_exist(sqlite3 *log, const char *database_name, bool *exist,
			       struct message *message);

/* True if tables and triggers are there, word for word, and the table's line in the first. */
enum status notes_installed(sqlite3 *log, const char *database_name, const struct layout *layout,
			    bool *installed, struct message *message);

#endif
