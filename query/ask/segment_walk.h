/* All segments of an index, one after the other through SQLite, on one thread. */
#ifndef CONNBITS_ASK_SEGMENT_WALK_H
#define CONNBITS_ASK_SEGMENT_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "base/stop.h"
#include "column/segment_columns.h"
#include "index/column_reader.h"

/* What the thread that reads does now and then, while no statement stands on a row. */
struct search_pause {
	bool (*due)(void *context); /* asked at every segment */
	enum status (*run)(void *context, struct message *message);
	void *context;
};

/* Told of a segment, whose columns are valid until it returns. */
typedef enum status (*segment_visitor)(void *context, int64_t number,
				       struct segment_columns *columns, struct message *message);

/* Some segments: those from the first to the last. */
struct segment_span {
	int64_t first;
	int64_t last;
};

/* Visits every segment of a span, or with NULL of all, unless stop ends it; both stop and pause may
 * be NULL. */
enum status segment_walk(struct column_reader *reader, const struct segment_span *span,
			 const struct stop *stop, const struct search_pause *pause,
			 segment_visitor visit, void *context, struct message *message);

/* Lets go of the index for a moment where that is due. For those that walk otherwise. */
enum status search_pause_run(const struct search_pause *pause, struct column_reader *reader,
			     struct message *message);

/* The failure of a search that was stopped. */
enum status search_interrupted(struct message *message);

#endif
