/*
 * A walk through a set of row ids, or the part of it between two bounds, in
 * ascending or descending order. Row ids are decoded some at a time, at first
 * few: whoever wants three of a million pays for three.
 */
#ifndef CONNBITS_SET_ROW_SET_CURSOR_H
#define CONNBITS_SET_ROW_SET_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "row_set.h"

/* Zero-initialise; free with row_set_cursor_free. rowid and at_end are to be read. */
struct row_set_cursor {
	int64_t rowid;
	bool at_end;

	const struct row_set *rows;
	bool descending;
	uint64_t first;	  /* places in the set that are left: from first */
	uint64_t end;	  /* and before end */
	size_t container; /* of the window */
	uint64_t window;
	uint16_t *places; /* decoded, of one segment */
	size_t capacity;
	int64_t segment;
	size_t next;
	size_t count;
};

/*
 * Goes to the first row id from low to high, or descending to the last; there
 * is none where low > high. rows has to outlive the walk.
 */
enum status row_set_cursor_start(struct row_set_cursor *cursor, const struct row_set *rows,
				 int64_t low, int64_t high, bool descending,
				 struct message *message);

/* Goes to the next one. */
enum status row_set_cursor_next(struct row_set_cursor *cursor, struct message *message);

void row_set_cursor_free(struct row_set_cursor *cursor);

#endif
