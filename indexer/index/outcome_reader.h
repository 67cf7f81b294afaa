/*
 * Which segments are stored, and which end their rows came to. Nothing here
 * trusts what it reads.
 */
#ifndef CONNBITS_INDEX_OUTCOME_READER_H
#define CONNBITS_INDEX_OUTCOME_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"
#include "packet/connection.h"

/* Subtracts the outcomes of a segment, stored in that column of a row, from totals. */
enum status outcome_row_subtract(sqlite3_stmt *row, int column, uint64_t *totals,
				 struct message *message);

/*
 * Lists the stored segments from first to last, at most last - first + 1 of
 * them, in numbers. STATUS_FAILED where there are more: then some are no whole
 * numbers.
 */
enum status outcome_reader_list(sqlite3 *database, const struct index_source *source, int64_t first,
				int64_t last, int64_t *numbers, size_t *count,
				struct message *message);

/* The stored outcomes of segments, one at a time. */
struct outcome_reader;

/* Opens a reader in main. Free with outcome_reader_close. */
enum status outcome_reader_open(sqlite3 *database, int64_t source, struct outcome_reader **reader,
				struct message *message);

/* Subtracts what is stored of a segment, if anything is, from totals. */
enum status outcome_reader_subtract(struct outcome_reader *reader, int64_t segment,
				    uint64_t *totals, struct message *message);

void outcome_reader_close(struct outcome_reader *reader);

#endif
