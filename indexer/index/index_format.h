/*
 * The connbits_* tables: their format's number, how they are made, and what
 * goes over from an index of an earlier format.
 */
#ifndef CONNBITS_INDEX_INDEX_FORMAT_H
#define CONNBITS_INDEX_INDEX_FORMAT_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"

enum {
	INDEX_FORMAT = 10,	   /* the only format that this version reads */
	INDEX_FORMAT_DAMAGED = -1, /* tables that are not as any version makes them */
};

/*
 * The format of the index tables in an attached database, 0 where there are
 * none. STATUS_FAILED where it is newer than this version's.
 */
enum status index_format_read(sqlite3 *database, const char *database_name, int *format,
			      struct message *message);

/*
 * The same of main for whoever is to write to it: INDEX_FORMAT_DAMAGED, with the
 * name of a table, where one of the tables is missing, a view, or without its keys.
 */
enum status index_format_inspect(sqlite3 *database, int *format, const char **damaged,
				 struct message *message);

/* True if the attached database has index tables. STATUS_FAILED where their format is another. */
enum status index_format_exists(sqlite3 *database, const char *database_name, bool *exists,
				struct message *message);

/* True if main has index tables and nothing else: it is an index, and its log another file. */
enum status index_format_is_alone(sqlite3 *database, bool *alone, struct message *message);

/*
 * Makes the tables in main, whose format is given, where they are missing;
 * those of an earlier format, and damaged ones, are dropped. A new file gets the text encoding of
 * the log: SQLite attaches only files of one encoding.
 */
enum status index_format_make(sqlite3 *database, int format, const char *encoding,
			      struct message *message);

/*
 * What an index of an earlier format in main is known for: whether the log of
 * that table (NULL: of any) was tracked, and whether headers were left out.
 * Both are false where it cannot be told.
 */
void index_format_inherit(sqlite3 *database, const char *table, bool *tracked, bool *unpacked);

/*
 * Takes the tables out of a file again, as far as nobody is reading it: what is
 * left is an empty one, or an index that was begun.
 */
void index_format_clear(sqlite3 *database);

#endif
