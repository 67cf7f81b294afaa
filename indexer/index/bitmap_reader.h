/*
 * Stored bitmaps as the containers that they are made of, each checked against
 * the format: bitmap_reader reads those of a filter chunk by chunk, chunk_reader
 * single ones.
 */
#ifndef CONNBITS_INDEX_BITMAP_READER_H
#define CONNBITS_INDEX_BITMAP_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/roaring_format.h"
#include "database/sqlite.h"

/* A stored bitmap as it was read: the bytes are valid until the reader is used again. */
struct stored_chunk {
	int64_t chunk;
	struct container containers[CHUNK_SEGMENTS]; /* without cardinality where there is none */
	const uint8_t *bytes;			     /* NULL where nothing is stored */
	size_t size;
	uint64_t rows;
};

/* One with bytes of its own. Zero-initialise; free with kept_chunk_free. */
struct kept_chunk {
	struct stored_chunk stored;
	uint8_t *bytes;
	size_t capacity;
};

/* Copies a chunk that was read; what was kept before goes. */
enum status kept_chunk_take(struct kept_chunk *kept, const struct stored_chunk *stored,
			    struct message *message);

void kept_chunk_free(struct kept_chunk *kept);

struct bitmap_reader;

/* Opens a reader of an attached index. Free with bitmap_reader_close. */
enum status bitmap_reader_open(sqlite3 *database, const char *database_name,
			       struct bitmap_reader **reader, struct message *message);

/* Puts the reader before the chunks first to last of a filter. */
void bitmap_reader_seek(struct bitmap_reader *reader, int64_t filter, int64_t first, int64_t last);

/* Reads the next chunk in ascending order, which has rows; stored->bytes is NULL at the end. */
enum status bitmap_reader_next(struct bitmap_reader *reader, struct stored_chunk *stored,
			       struct message *message);

void bitmap_reader_close(struct bitmap_reader *reader);

/* The bitmaps of one filter and chunk after the other, as containers. */
struct chunk_reader;

/* Opens a reader in main. Free with chunk_reader_close. */
enum status chunk_reader_open(sqlite3 *database, struct chunk_reader **reader,
			      struct message *message);

/* Reads what is stored of a filter, whose name is for messages, in a chunk. */
enum status chunk_reader_read(struct chunk_reader *reader, int64_t filter, const char *name,
			      int64_t chunk, struct stored_chunk *stored, struct message *message);

/* Ends a read, so that the index is not locked until the next. */
void chunk_reader_rest(struct chunk_reader *reader);

void chunk_reader_close(struct chunk_reader *reader);

#endif
