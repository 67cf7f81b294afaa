/*
 * Where the workers get their segments from: rows of the log, or stored columns.
 * One description for all threads, and one reader with its own read-only
 * connection for each.
 */
#ifndef CONNBITS_PIPELINE_SEGMENT_SUPPLY_H
#define CONNBITS_PIPELINE_SEGMENT_SUPPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "column/segment_columns.h"
#include "index/index_reader.h"
#include "log/log_reader.h"
#include "packet/segment.h"

/* Give `rows`, or `index_path` and `indexed`. All of it outlives the supply. */
struct segment_supply {
	const struct log *rows;
	const int64_t *dirty; /* segments to read again, ascending, all of them before `tail` */
	size_t dirty_count;
	int64_t tail; /* from this segment on every one that has rows */

	const char *index_path;
	const struct index_source *indexed;
};

struct segment_supply_reader;

/* The lowest and the highest segment there may be; *first > *last for none. */
void segment_supply_range(const struct segment_supply *supply, int64_t *first, int64_t *last);

/* The caller closes it with segment_supply_reader_close. */
enum status segment_supply_reader_open(const struct segment_supply *supply,
				       struct segment_supply_reader **reader,
				       struct message *message);

/* Finds the first segment from number `from` on. *found is false where there is none. */
enum status segment_supply_next(struct segment_supply_reader *reader, int64_t from, int64_t *number,
				bool *found, struct message *message);

/* Reads it, where the supply is the log's rows. No lock is held between calls. */
enum status segment_supply_read(struct segment_supply_reader *reader, int64_t number,
				struct segment *segment, struct message *message);

/*
 * Begins it, where the supply is stored columns. The index stays locked until
 * segment_supply_rest.
 */
enum status segment_supply_columns(struct segment_supply_reader *reader, int64_t number,
				   struct segment_columns **columns, struct message *message);
void segment_supply_rest(struct segment_supply_reader *reader);

/* How the log's rows were read so far; all zeros where the supply is stored columns. */
struct log_reading segment_supply_reading(const struct segment_supply_reader *reader);

void segment_supply_reader_close(struct segment_supply_reader *reader);

#endif
