/*
 * pcap filters evaluated now, over the stored columns of an index: the answer to
 * {a pcap filter} in an expression.
 */
#ifndef CONNBITS_ASK_FILTER_SEARCH_H
#define CONNBITS_ASK_FILTER_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "filter/program.h"
#include "segment_walk.h"
#include "set/row_set.h"

/*
 * Runs count programs over all stored columns in one pass. Only this thread
 * uses the connection; the index has to be held. rows has count items; on
 * success the caller frees each with row_set_free. STATUS_FAILED also where
 * the index has no stored headers. stop is NULL, or asked on this thread every
 * few milliseconds; so is pause.
 */
enum status filter_search_run(sqlite3 *database, const struct answer_index *index,
			      const struct program *const *programs, size_t count,
			      const struct stop *stop, const struct search_pause *pause,
			      struct row_set *rows, struct message *message);

/* Counts the rows that one program accepts, which is less work. */
enum status filter_search_count(sqlite3 *database, const struct answer_index *index,
				const struct program *program, const struct stop *stop,
				const struct search_pause *pause, uint64_t *matches,
				struct message *message);

#endif
