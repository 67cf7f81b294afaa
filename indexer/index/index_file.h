/*
 * The file that holds the connbits_* tables, while a job is at work on it: one
 * job at a time. What the job writes to the tables is index_writer.h's.
 */
#ifndef CONNBITS_INDEX_INDEX_FILE_H
#define CONNBITS_INDEX_INDEX_FILE_H

#include "base/message.h"
#include "database/sqlite.h"

struct store;

/*
 * Opens the index at path for writing, and writes nothing yet; a missing file
 * is made. STATUS_FAILED if another job has it, if it is of a newer format, or
 * if it cannot be opened. On success the caller closes it with store_close.
 */
enum status store_open(const char *path, struct store **store, struct message *message);

/* The connection. */
sqlite3 *store_database(struct store *store);

/* The format of the tables; 0 where there are none yet. */
int store_format(const struct store *store);

/*
 * Makes the tables where they are missing; those of an earlier format are
 * dropped. A new file gets the text encoding of the log: SQLite attaches only
 * files of one encoding.
 */
enum status store_tables(struct store *store, const char *encoding, struct message *message);

/* What was written is to stay, also in a file that store_open made. */
void store_keep(struct store *store);

/*
 * Closes the index. A file that store_open made is removed unless store_keep
 * was called. No other connection of this process may have the file open.
 */
void store_close(struct store *store);

#endif
