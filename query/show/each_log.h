/*
 * One question to several logs, each with an index of its own: how many rows each has, and all.
 * Logs are asked side by side, as many at a time as there are cores; one that fails leaves the
 * others alone, and its rows are said to be missing, not 0.
 */
#ifndef CONNBITS_SHOW_EACH_LOG_H
#define CONNBITS_SHOW_EACH_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ask/asked_sets.h"
#include "base/message.h"
#include "row_output.h"

struct each_question {
	const char *expression;
	const char *table; /* NULL for the one that a log's index has */
	const char *since; /* times; NULL for any */
	const char *before;
	const char *index_folder; /* NULL where the indexes are in the logs; else of LOG it is
				     FOLDER/NAME.idx */
	const struct given_set *given;
	size_t given_count;
};

struct each_log {
	const char *path;
	enum status status;
	struct message message; /* why it failed */
	uint64_t rows;
	uint64_t behind; /* rows of the log that are not indexed, EACH_BEHIND_MAX at the most */
};

enum { EACH_BEHIND_MAX = 1000000 };

/* Asks all logs, of which path is set. */
void each_log_ask(const struct each_question *question, struct each_log *logs, size_t count);

/* Writes a line for each: log, rows, state; and their sum. Rows are NULL where a log failed. */
enum status each_log_write(const struct each_log *logs, size_t count, enum row_format format,
			   FILE *stream, struct message *message);

#endif
