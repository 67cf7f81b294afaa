/*
 * The stored columns of all segments of a source, read from the index's file past
 * SQLite's page cache, by several threads at once: payload_file.h says where that may be.
 */
#ifndef CONNBITS_INDEX_COLUMN_FILE_H
#define CONNBITS_INDEX_COLUMN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "column/segment_columns.h"
#include "database/sqlite.h"
#include "index_reader.h"

struct column_file;

/*
 * Opens the columns of a source within a read transaction, which has to be held until
 * column_file_close. *file is NULL where they can be read through SQLite alone.
 */
enum status column_file_open(sqlite3 *database, const char *database_name,
			     const struct index_source *source, struct column_file **file,
			     struct message *message);

/*
 * The same for another thread, or NULL where that cannot be. The first one has to
 * outlive it.
 */
struct column_file *column_file_again(const struct column_file *first);

/* Whether another file has taken its name: what was read through others of it does not count. */
bool column_file_moved(const struct column_file *file);

/* How many segments there are. */
size_t column_file_segments(const struct column_file *file);

/*
 * Begins the columns of one of them, by its place: their numbers ascend. Valid until the
 * next one.
 */
struct segment_columns *column_file_begin(struct column_file *file, size_t place, int64_t *number);

void column_file_close(struct column_file *file);

#endif
