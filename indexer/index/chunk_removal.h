/*
 * Rows that were deleted from the start of the log leave the index: whole
 * chunks here, the rest of the first one is read again (row_refresh.h).
 */
#ifndef CONNBITS_INDEX_CHUNK_REMOVAL_H
#define CONNBITS_INDEX_CHUNK_REMOVAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/reader_gate.h"
#include "index_reader.h"
#include "index_writer.h"

/*
 * Removes all chunks before that of the log's first row, in short
 * transactions, each of which leaves a whole index. *removed grows by the rows.
 * timed says whether the log has times, whose days are counted. gate, where not NULL, keeps the
 * transactions apart.
 */
enum status chunk_removal_run(sqlite3 *database, struct index_source *indexed,
			      struct index_write_filter *filters, size_t filter_count,
			      int64_t first_row, bool timed, uint64_t *removed,
			      struct reader_gate *gate, const volatile sig_atomic_t *stop,
			      struct message *message);

#endif
