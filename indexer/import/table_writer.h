/*
 * Batches of rows into the log: tables are made, columns added as they turn up, and rows get
 * ids that none had before. All within a transaction of the caller's.
 */
#ifndef CONNBITS_IMPORT_TABLE_WRITER_H
#define CONNBITS_IMPORT_TABLE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "intake.h"

struct table_writer;

/* What a file's rows came to. */
struct written_rows {
	const char *table;
	uint64_t rows;
};

/* For the tables of one intake. Free with table_writer_close. */
enum status table_writer_open(sqlite3 *log, struct table_writer **writer, struct message *message);

/* A transaction has begun: reads which ids are free. */
enum status table_writer_begin(struct table_writer *writer, struct message *message);

/* Deletes rows by their ids, of a table that was imported. */
enum status table_writer_remove(sqlite3 *log, const char *table, int64_t first, int64_t last,
				struct message *message);

/* The rows that had values for columns that their table has no room for. */
uint64_t table_writer_dropped(const struct table_writer *writer);

/* Writes a batch. */
enum status table_writer_batch(struct table_writer *writer, const struct row_batch *batch,
			       struct message *message);

/* The next id of each table, to be written before each commit. */
enum status table_writer_ids(struct table_writer *writer, struct message *message);

/*
 * The table of the last batch's last row, and its first and last ids. NULL where it
 * had no rows.
 */
const char *table_writer_last(const struct table_writer *writer, int64_t *first, int64_t *last);

/* The rows written to the table at `place`, from 0; a NULL table behind the last. */
struct written_rows table_writer_rows(const struct table_writer *writer, size_t place);

void table_writer_close(struct table_writer *writer);

#endif
