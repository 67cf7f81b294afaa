/*
 * The file that holds the connbits_* tables, while a job is at work on it: one
 * job at a time. What the job writes to the tables is index_writer.h's.
 */
#ifndef CONNBITS_INDEX_INDEX_FILE_H
#define CONNBITS_INDEX_INDEX_FILE_H

#include "base/message.h"
#include "database/sqlite.h"

struct index_file;

/*
 * Opens the index at path for writing, and writes nothing yet; a missing file
 * is made by index_file_tables. STATUS_FAILED if another job has it, if it is of a newer format, or
 * if it cannot be opened. On success the caller closes it with index_file_close.
 */
enum status index_file_open(const char *path, struct index_file **file, struct message *message);

/* The connection; another one after index_file_tables. */
sqlite3 *index_file_database(struct index_file *file);

/* The format of the tables; 0 where there are none yet. */
int index_file_format(const struct index_file *file);

/* Where that is INDEX_FORMAT_DAMAGED, a table that is not as it is made. */
const char *index_file_damaged(const struct index_file *file);

/*
 * Makes the tables where they are missing; those of an earlier format are
 * dropped. A new file gets the text encoding of the log: SQLite attaches only
 * files of one encoding.
 */
enum status index_file_tables(struct index_file *file, const char *encoding,
			      struct message *message);

/* What was written is to stay, also in a file that index_file_tables made. */
void index_file_keep(struct index_file *file);

/*
 * Closes the index. A file that index_file_tables made is left empty unless
 * index_file_keep was called. No other connection of this process may have the file open.
 */
void index_file_close(struct index_file *file);

#endif
