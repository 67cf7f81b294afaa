/*
 * Which segments that are indexed have to be read again from the log: those in
 * which triggers noted a change, the one that new rows go on with, and those
 * that share a chunk with the first row that retention left.
 */
#ifndef CONNBITS_PIPELINE_DIRTY_SEGMENTS_H
#define CONNBITS_PIPELINE_DIRTY_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index/index_reader.h"

/* Zero-initialise; free with dirty_segments_free. */
struct dirty_segments {
	int64_t *numbers; /* ascending, each once */
	size_t count;
};

struct dirty_search {
	sqlite3 *database; /* of the index */
	const struct index_source *indexed;
	int64_t first_row; /* that was indexed before retention, not above last_row */
	int64_t last_row;
	int64_t log_first; /* the log's rows as they are now */
	int64_t log_last;
	const int64_t *noted; /* segments with notes, ascending */
	size_t noted_count;
};

/* Finds them. The caller frees *dirty whatever is returned. */
enum status dirty_segments_find(struct dirty_segments *dirty, const struct dirty_search *search,
				struct message *message);

void dirty_segments_free(struct dirty_segments *dirty);

#endif
