/*
 * What was imported, in the log: connbits_import_file has a row a file, by the digest of its
 * head, with how far it was taken; connbits_import_table a row a table, with how
 * connbits-index reads it (log/import_mapping.h).
 *
 * A file is known again under any name and packing, as long as it begins alike.
 */
#ifndef CONNBITS_IMPORT_IMPORT_LEDGER_H
#define CONNBITS_IMPORT_IMPORT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "head_digest.h"
#include "intake.h"

struct ledger_file {
	int64_t id;	 /* 0: not there yet */
	int64_t newest;	 /* the highest id of all when that was found */
	uint64_t offset; /* up to there it is taken: bytes, or packets of a capture */
	uint64_t lines;
	uint64_t rows;
	size_t head_size;
	uint8_t head[HEAD_DIGEST_SIZE];
	size_t tail_size; /* bytes ahead of the offset */
	uint8_t tail[HEAD_DIGEST_SIZE];
	/* Rows of a last line that had no end yet: first > last where there are none. */
	char open_table[INTAKE_NAME_MAX + 1];
	int64_t open_first;
	int64_t open_last;
	char *path; /* under which it was imported last; owned */
	bool noted; /* how it lay there then: */
	int64_t device;
	int64_t inode;
	int64_t size;
	int64_t changed;
	/* With which the rows from the offset on are read, where it is not the head; owned. */
	char *header;
	size_t header_size;
	/* What the row has, to notice another import: */
	uint64_t was_offset;
	int64_t was_open;
};

/* What a file was imported as: the same one may be so in two ways. */
struct ledger_key {
	const char *path;
	const char *way;   /* a word for the format and what rows are */
	const char *table; /* that the user named, or "" */
};

/* Makes the tables where they are missing. */
enum status import_ledger_open(sqlite3 *log, struct message *message);

/*
 * Gives how a table is read, as lines of [source], and the columns of the file for which that
 * was said (csv_log.h). The caller frees both; NULL without.
 */
enum status import_ledger_source(sqlite3 *log, const char *table, char **source, char **columns,
				 struct message *message);

/* *same: the file was taken to its end, and has not changed since. */
enum status import_ledger_seen(sqlite3 *log, const struct ledger_key *key, const struct stat *stat,
			       bool *same, struct message *message);

/*
 * Finds what begins with the same bytes, of several the one that was taken farthest, behind
 * `tried` others; file->id is 0 where nothing does. The caller frees *file with
 * import_ledger_free whatever is returned.
 */
enum status import_ledger_find(sqlite3 *log, const struct ledger_key *key, const char *head,
			       size_t head_size, size_t tried, struct ledger_file *file,
			       struct message *message);

/*
 * Writes where a file is, in a transaction. STATUS_FAILED where another import has moved it
 * meanwhile.
 */
enum status import_ledger_write(sqlite3 *log, const struct ledger_key *key,
				struct ledger_file *file, struct message *message);

/* Whether the file still lies at its path as it did when it was imported to its end. */
bool import_ledger_lies(const struct ledger_file *file);

void import_ledger_free(struct ledger_file *file);

/* Notes the file as it lies there now: taken to its end. */
enum status import_ledger_done(sqlite3 *log, const struct ledger_key *key, int64_t id,
			       const struct stat *stat, struct message *message);

#endif
