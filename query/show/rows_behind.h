/* Rows of the log that came after the index was made. */
#ifndef CONNBITS_SHOW_ROWS_BEHIND_H
#define CONNBITS_SHOW_ROWS_BEHIND_H

#include <stdint.h>

#include "ask/answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"

/*
 * Counts the rows of the log's table, which is in main, behind the last one
 * that is indexed, up to limit of them. The index's layout was checked before.
 */
enum status rows_behind_count(sqlite3 *database, const struct answer_index *index, uint32_t limit,
			      uint64_t *rows, struct message *message);

#endif
