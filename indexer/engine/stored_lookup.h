/*
 * A segment as it is stored for column_lookup: each of its distinct values is
 * looked up once, and rows by the places of theirs. What both ways of reading share is here too.
 */
#ifndef CONNBITS_ENGINE_STORED_LOOKUP_H
#define CONNBITS_ENGINE_STORED_LOOKUP_H

#include "base/message.h"
#include "column_lookup.h"

/* A row that meets a listed predicate. */
struct hit {
	uint32_t predicate;
	uint16_t low;
};

/* Makes room for so many more hits. False without memory. */
bool column_lookup_hits_reserve(struct column_lookup *lookup, size_t more);

/* Reads all rows of a segment, a struct segment_columns, or until there are too many hits. */
enum status stored_look_up(struct column_lookup *lookup, const void *source,
			   struct message *message);

#endif
