/*
 * The index that questions are asked to: found among the databases of a
 * connection, held against its log, and read as of one commit.
 */
#ifndef CONNBITS_ASK_ANSWER_INDEX_H
#define CONNBITS_ASK_ANSWER_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index/index_reader.h"

/*
 * An index, found among the databases of a connection. As long as it is held,
 * everything read from it is of one commit.
 */
struct answer_index {
	char *database_name; /* "main" or the name it is attached under */
	char *shown;	     /* the one whose table's rows it stands for; NULL where none has it */
	bool named;	     /* it was asked for by its database's name */
	struct index_source source;
	/* Rows before this one were indexed and are gone from the log; INT64_MIN where none are. */
	int64_t log_first;
	bool several;		    /* it has more tables than this one */
	sqlite3_stmt *snapshot;	    /* a read that stays open; NULL after answer_index_rest */
	sqlite3_stmt *log_snapshot; /* the same of a log that lies in another file */
};

/* What of an index is held. */
enum answer_hold { ANSWER_HOLD_INDEX = 1, ANSWER_HOLD_LOG = 2 };

/*
 * Finds and holds the index of the table whose rows are shown: that of the
 * database `shown`, or where that is NULL of the first one that has a table or
 * view of its name, in SQLite's order: temp, main, the others. The table is the one
 * that is given, or where that is NULL the one of the first database that has an
 * index. Wherever the index lies, it is held against that table; an index beside
 * a table of its own is of no other. Where no open database has such a table, an index
 * of a file of its own answers without being held against anything.
 *
 * With `wanted` the index is that in this attached database: of the table beside
 * it, or where it has a file of its own of any table that it fits. STATUS_FAILED says why there is
 * none, and how to ask for another. On success the caller frees with answer_index_free.
 */
enum status answer_index_find(sqlite3 *database, const char *wanted, const char *shown,
			      const char *table, struct answer_index *index,
			      struct message *message);

/* Lets go of the commits that are held; what was found stays. */
void answer_index_rest(struct answer_index *index);

/* The same for one or both of enum answer_hold. */
void answer_index_let(struct answer_index *index, unsigned which);

/*
 * Holds again what was let go: *same is false where the index has become another
 * one meanwhile. Of the log nothing is checked.
 */
enum status answer_index_hold(sqlite3 *database, struct answer_index *index, unsigned which,
			      bool *same, struct message *message);

/*
 * Holds an index again that was found before without `shown`. *same is false, and
 * nothing is held, where another one has taken its place, or another table its table's.
 */
enum status answer_index_resume(sqlite3 *database, struct answer_index *index, bool *same,
				struct message *message);

void answer_index_free(struct answer_index *index);

#endif
