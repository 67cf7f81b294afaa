/*
 * Stored bitmaps, chunk by chunk, as Roaring bitmaps in memory. Every blob is
 * checked against the format before CRoaring sees it.
 */
#ifndef CONNBITS_INDEX_BITMAP_READER_H
#define CONNBITS_INDEX_BITMAP_READER_H

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"

struct stored_bitmaps;

/* Opens a cursor over an attached index. Free with stored_bitmaps_close. */
enum status stored_bitmaps_open(sqlite3 *database, const char *database_name,
				struct stored_bitmaps **cursor, struct message *message);

/* Puts the cursor before the chunks first to last of a filter. */
void stored_bitmaps_seek(struct stored_bitmaps *cursor, int64_t filter, int64_t first,
			 int64_t last);

/*
 * Reads the next chunk in ascending order. *bits is NULL at the end; otherwise
 * it holds (rowid & 0xffffffff), at least one, and belongs to the caller, who
 * frees it with roaring_bitmap_free.
 */
enum status stored_bitmaps_next(struct stored_bitmaps *cursor, int64_t *chunk,
				roaring_bitmap_t **bits, struct message *message);

void stored_bitmaps_close(struct stored_bitmaps *cursor);

#endif
