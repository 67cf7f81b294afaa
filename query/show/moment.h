/*
 * One moment of the log and the index, from the check that they fit to the last
 * row that is printed. In WAL mode both are simply held: nobody waits for a
 * reader. With a rollback journal a commit does, so that what is in its way is
 * let go every 50 ms, and held again. An index that has changed meanwhile ends
 * the output. Where the log has, every row that follows is read again and held
 * against its stored header: one that became another ends the output, one that
 * is gone is left out as any other.
 */
#ifndef CONNBITS_SHOW_MOMENT_H
#define CONNBITS_SHOW_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/answer_index.h"
#include "ask/segment_walk.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "index/stored_headers.h"
#include "log/log.h"
#include "log/log_reader.h"

struct moment {
	sqlite3 *database;
	struct answer_index *index; /* held */
	const char *log_path;
	unsigned yields;     /* of enum answer_hold: what is let go */
	double since;	     /* seconds, when it was held last */
	unsigned rows;	     /* since the clock was read last */
	int64_t log_version; /* by which SQLite tells that another has committed */
	bool changed;	     /* the log has */
	struct log log;	     /* to read rows again */
	struct log_reader *reader;
	struct stored_headers *headers;
};

/* Begins with an index that is held since it was found to fit; end with moment_end. */
enum status moment_begin(sqlite3 *database, struct answer_index *index, const char *log_path,
			 struct moment *moment, struct message *message);

/* Lets go of what is in a writer's way, of enum answer_hold, while it is not read; holds again. */
void moment_rest(struct moment *moment, unsigned which);
enum status moment_resume(struct moment *moment, unsigned which, struct message *message);

/*
 * Lets those in who wait for the index, while the log is not held; and whether it is time
 * to. Only where that is due.
 */
bool moment_pause_due(const struct moment *moment);
enum status moment_pause(struct moment *moment, struct message *message);

/* The same two for a search; the moment outlives it. */
struct search_pause moment_search_pause(struct moment *moment);

/* Lets others in where it is time to. No statement may stand on a row. */
enum status moment_go_on(struct moment *moment, struct message *message);

/* The same, before a row of the answer is read from the log. */
enum status moment_row(struct moment *moment, int64_t rowid, struct message *message);

void moment_end(struct moment *moment);

#endif
