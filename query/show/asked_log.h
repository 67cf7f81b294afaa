/*
 * A log and its index, opened for one question from a command line, on a connection of our own.
 */
#ifndef CONNBITS_SHOW_ASKED_LOG_H
#define CONNBITS_SHOW_ASKED_LOG_H

#include "ask/answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"

/* Zero-initialise; end with asked_log_close. */
struct asked_log {
	sqlite3 *database; /* the log is in main */
	const char *path;
	const char *index_name; /* of the attached database that has the index, main or another */
};

/* Opens both for reading; index_path is NULL where the index is in the log. */
enum status asked_log_open(const char *log_path, const char *index_path, struct asked_log *log,
			   struct message *message);

/*
 * Finds and holds the index of a table, NULL for the one that there is, and how the log's row ids
 * are asked for. On success the caller frees with answer_index_free, before the log is closed.
 */
enum status asked_log_find(const struct asked_log *log, const char *table,
			   struct answer_index *index, struct message *message);

void asked_log_close(struct asked_log *log);

#endif
