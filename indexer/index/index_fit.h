/*
 * Whether an index still stands for its log: new rows behind the last one and
 * deleted rows at the start are how logs live; anything else means that row
 * ids may stand for other rows, and that the log has to be read again.
 *
 * A job asks it to go on from an index, a question to be answered from one.
 * Both ask in this order and of one read transaction, and what they ask differs
 * only where a job mends what a question has to refuse:
 *
 *                              to go on                  to answer
 *   columns, how they are read as they are found now     those of the index, if they are there
 *   no row was indexed         fits any log              goes on to the next
 *   the log is empty           does not fit              a sampled row is gone, if there was any
 *   triggers, where tracked    in place, with the mark   in place, with the mark
 *   rows that they noted       are read again: none may  none may be left
 *                              stand ahead of all others
 *   first and last row id      within those indexed      not asked: both rows are sampled
 *   sampled rows               as they were, or noted    as they were
 *
 * Where the log's file bears the stamp that the index has stored, nothing in it has changed
 * since the rows were as they were, and they are not looked at.
 */
#ifndef CONNBITS_INDEX_INDEX_FIT_H
#define CONNBITS_INDEX_INDEX_FIT_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"
#include "log/log.h"

struct index_fit {
	bool rebuild;	       /* the index no longer stands for its log */
	char rebuild_why[400]; /* in words */
};

/*
 * Whether a job can go on from an index of the log that was described: of the
 * same read transaction of main, or as the log is now.
 */
enum status index_fit_go_on(sqlite3 *connection, const struct log *log,
			    const struct index_source *indexed, struct index_fit *fit,
			    struct message *message);

/*
 * Whether questions can be answered from an index whose log's table lies in the
 * attached database `where`. Finds how that table's row ids are asked for.
 */
enum status index_fit_answer(sqlite3 *connection, const char *where, struct index_source *indexed,
			     struct index_fit *fit, struct message *message);

#endif
