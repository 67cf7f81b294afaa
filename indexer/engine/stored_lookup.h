/*
 * A segment as it is stored for column_lookup: each of its distinct values is
 * looked up once, and rows by the places of theirs. What both ways of reading share is here too.
 */
#ifndef CONNBITS_ENGINE_STORED_LOOKUP_H
#define CONNBITS_ENGINE_STORED_LOOKUP_H

#include "base/message.h"
#include "column_lookup.h"
#include "condition/formula.h"

/* Rows that are looked up at a time: all columns of them stay in the first cache. */
enum { TILE_ROWS = FORMULA_ROWS };

/* Some headers of one version, taken apart. */
struct tile {
	size_t rows;
	const uint16_t *lows;
	uint32_t places[TILE_ROWS]; /* of each row in the planes of a bin */
	uint32_t numbers[COLUMN_COUNT][TILE_ROWS];
};

/* A row that meets a listed predicate. */
struct hit {
	uint32_t predicate;
	uint16_t low;
};

/* Makes room for so many more hits. False without memory. */
bool column_lookup_hits_reserve(struct column_lookup *lookup, size_t more);

/* Tries a formula on every row of the tile. */
void column_lookup_formula(struct column_lookup *lookup, size_t number, const struct tile *tile);

/* Reads all rows of a segment, a struct segment_columns, or until there are too many hits. */
enum status stored_look_up(struct column_lookup *lookup, const void *source,
			   struct message *message);

#endif
