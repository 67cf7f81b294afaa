/*
 * A log as it was at one moment: which table of which file, its first and last
 * row, and a few rows by which it is known again. One description serves all
 * threads; log_reader.h reads the rows.
 */
#ifndef CONNBITS_LOG_LOG_H
#define CONNBITS_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/file_stamp.h"
#include "database/sqlite.h"
#include "fingerprint.h"
#include "layout.h"

/* How the rows of a log are read: log_reader.h. */
enum log_read {
	LOG_READ_BEST,	/* by page where that is the same */
	LOG_READ_SQL,	/* through SQLite */
	LOG_READ_PAGES, /* as the first, also where they once differed */
};

/* True and *read for "best", "sql" or "pages". */
bool log_read_find(const char *word, enum log_read *read);

struct log {
	const char *path;
	struct layout layout;
	bool empty;			/* no row at all: first and last say nothing */
	int64_t first;			/* the lowest row id when the log was opened */
	int64_t last;			/* the highest; rows that come later are not read */
	struct fingerprint fingerprint; /* of the rows first to last, before any was read */
	uint64_t device; /* of the file, with inode: another file may take its name */
	uint64_t inode;
	char mark[128];	   /* immutable_mark when it was opened; empty without */
	char encoding[16]; /* of the file's text: UTF-8, UTF-16le or UTF-16be */
	bool text_is_utf8;
	enum log_read read; /* LOG_READ_BEST when it was opened; the caller may change it */
};

/*
 * Describes the log at path, whose layout is given, through a connection of its
 * own, which is closed again. layout is taken over, also on failure. path has
 * to outlive *log; free with log_free whatever is returned.
 */
enum status log_open(const char *path, struct layout *layout, struct log *log,
		     struct message *message);

/*
 * The same through a connection to that file, of which one read transaction is
 * open: whatever else is asked within it is of the same moment.
 */
enum status log_describe(sqlite3 *connection, const char *path, struct layout *layout,
			 struct log *log, struct message *message);

/*
 * STATUS_OK if the log is still the one that was opened: the same file, and the
 * sampled rows as they were. With tracked, rows that triggers have noted may be
 * anything. *stamp is that of its file, as it was checked.
 */
enum status log_check(const struct log *log, bool tracked, struct file_stamp *stamp,
		      struct message *message);

/* How many rows the log has with ids above `last`, up to its own last one. */
enum status log_count_behind(const struct log *log, int64_t last, uint64_t *rows,
			     struct message *message);

/* Counts the rows that the log has got behind its last one since it was opened. */
enum status log_count_since(const struct log *log, uint64_t *rows, struct message *message);

void log_free(struct log *log);

#endif
