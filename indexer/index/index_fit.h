/*
 * Whether an index still stands for its log: new rows behind the last one and
 * deleted rows at the start are how logs live; anything else means that row
 * ids may stand for other rows, and that the log has to be read again.
 */
#ifndef CONNBITS_INDEX_INDEX_FIT_H
#define CONNBITS_INDEX_INDEX_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index_reader.h"
#include "log/layout.h"

struct change {
	bool rebuild;
	char reason[400]; /* of a rebuild, in words */
};

/*
 * Holds the log's table, whose first and last row id are given (empty: it has
 * none), against the index that was made of it. One read transaction of log
 * has to be open.
 */
enum status change_find(sqlite3 *log, const struct layout *layout, bool empty, int64_t first,
			int64_t last, const struct stored_source *indexed, struct change *change,
			struct message *message);

#endif
