#include "bitmap_reader.h"

#include <stdlib.h>

#include "base/rowid.h"
#include "database/database.h"

struct bitmap_reader {
	sqlite3_stmt *statement;
	int64_t filter;
	int64_t last; /* chunk read before; chunks ascend and none comes twice */
	bool any;
};

enum status bitmap_reader_open(sqlite3 *database, const char *database_name,
			       struct bitmap_reader **reader, struct message *message)
{
	struct bitmap_reader *opened = calloc(1, sizeof(*opened));
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	status = database_prepare(database, &opened->statement, message,
				  "SELECT chunk, rows, bitmap FROM \"%w\".connbits_bitmap WHERE "
				  "filter = ?1 AND chunk BETWEEN ?2 AND ?3 ORDER BY chunk",
				  database_name);
	if (status == STATUS_OK)
		*reader = opened;
	else
		free(opened);
	return status;
}

void bitmap_reader_seek(struct bitmap_reader *reader, int64_t filter, int64_t first, int64_t last)
{
	sqlite3_reset(reader->statement);
	reader->filter = filter;
	reader->any = false;
	sqlite3_bind_int64(reader->statement, 1, filter);
	sqlite3_bind_int64(reader->statement, 2, first);
	sqlite3_bind_int64(reader->statement, 3, last);
}

/* The blob's own check, then that it is the bitmap of this chunk and of no other. */
static enum status blob_check(const uint8_t *bytes, size_t length, int64_t chunk, int64_t rows,
			      struct message *message)
{
	const unsigned keys = segment_key(chunk_first_segment(chunk));
	uint64_t cardinality;
	uint16_t first_key = 0;
	uint16_t last_key = 0;
	enum status status =
		roaring_format_check(bytes, length, &cardinality, &first_key, &last_key, message);

	if (status != STATUS_OK)
		return status;
	if (chunk < chunk_of_row(INT64_MIN) || chunk > chunk_of_row(INT64_MAX))
		return message_set(message, STATUS_FAILED, "there is no such chunk");
	if (cardinality == 0 || rows < 0 || cardinality != (uint64_t)rows)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: it has %llu rows where %lld are declared",
				   (unsigned long long)cardinality, (long long)rows);
	if (first_key < keys || last_key >= keys + CHUNK_SEGMENTS)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: it has rows of another chunk");
	return STATUS_OK;
}

enum status bitmap_reader_next(struct bitmap_reader *reader, int64_t *chunk,
			       roaring_bitmap_t **bits, struct message *message)
{
	const void *bytes;
	size_t length;
	struct message cause;
	int row;
	enum status status = database_step(reader->statement, &row, message);

	*bits = NULL;
	if (status != STATUS_OK || !row)
		return status;
	*chunk = sqlite3_column_int64(reader->statement, 0);
	if (sqlite3_column_type(reader->statement, 0) != SQLITE_INTEGER ||
	    (reader->any && *chunk <= reader->last))
		return message_set(message, STATUS_FAILED,
				   "filter %lld of the index has chunk %lld twice; build it again "
				   "with connbits-index --rebuild",
				   (long long)reader->filter, (long long)*chunk);
	reader->last = *chunk;
	reader->any = true;
	bytes = sqlite3_column_blob(reader->statement, 2);
	length = (size_t)sqlite3_column_bytes(reader->statement, 2);
	status = blob_check(bytes, bytes ? length : 0, *chunk,
			    sqlite3_column_int64(reader->statement, 1), &cause);
	if (status != STATUS_OK)
		return message_set(message, status,
				   "filter %lld, chunk %lld of the index: %.400s; build it again "
				   "with connbits-index --rebuild",
				   (long long)reader->filter, (long long)*chunk, cause.text);
	*bits = roaring_bitmap_portable_deserialize_safe(bytes, length);
	return *bits ? STATUS_OK : message_out_of_memory(message);
}

void bitmap_reader_close(struct bitmap_reader *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->statement);
	free(reader);
}

struct chunk_reader {
	sqlite3_stmt *statement; /* of filter ?1 and chunk ?2 */
};

enum status chunk_reader_open(sqlite3 *database, struct chunk_reader **reader,
			      struct message *message)
{
	struct chunk_reader *opened = calloc(1, sizeof(*opened));
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	status = database_prepare(
		database, &opened->statement, message,
		"SELECT bitmap FROM connbits_bitmap WHERE filter = ?1 AND chunk = ?2");
	if (status == STATUS_OK)
		*reader = opened;
	else
		chunk_reader_close(opened);
	return status;
}

enum status chunk_reader_read(struct chunk_reader *reader, int64_t filter, const char *name,
			      int64_t chunk, struct stored_chunk *stored, struct message *message)
{
	struct message cause;
	int row;
	enum status status;

	*stored = (struct stored_chunk){0};
	sqlite3_reset(reader->statement);
	sqlite3_bind_int64(reader->statement, 1, filter);
	sqlite3_bind_int64(reader->statement, 2, chunk);
	status = database_step(reader->statement, &row, message);
	if (status != STATUS_OK || !row)
		return status;
	stored->bytes = sqlite3_column_blob(reader->statement, 0);
	stored->size = (size_t)sqlite3_column_bytes(reader->statement, 0);
	if (chunk_decode(chunk, stored->bytes, stored->bytes ? stored->size : 0, stored->containers,
			 &stored->rows, &cause) == STATUS_OK)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "filter '%.255s', chunk %lld of the index: %.400s; build it again with "
			   "connbits-index --rebuild",
			   name, (long long)chunk, cause.text);
}

void chunk_reader_rest(struct chunk_reader *reader)
{
	sqlite3_reset(reader->statement);
}

void chunk_reader_close(struct chunk_reader *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->statement);
	free(reader);
}
