#include "bitmap_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"

enum status kept_chunk_take(struct kept_chunk *kept, const struct stored_chunk *stored,
			    struct message *message)
{
	kept->stored = *stored;
	if (!stored->bytes)
		return STATUS_OK;
	if (kept->capacity < stored->size) {
		uint8_t *larger = realloc(kept->bytes, stored->size);

		if (!larger)
			return message_out_of_memory(message);
		kept->bytes = larger;
		kept->capacity = stored->size;
	}
	memcpy(kept->bytes, stored->bytes, stored->size);
	for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
		if (stored->containers[i].cardinality)
			kept->stored.containers[i].bytes =
				kept->bytes + (stored->containers[i].bytes - stored->bytes);
	kept->stored.bytes = kept->bytes;
	return STATUS_OK;
}

void kept_chunk_free(struct kept_chunk *kept)
{
	free(kept->bytes);
	*kept = (struct kept_chunk){0};
}

struct bitmap_reader {
	sqlite3_stmt *statement;
	int64_t filter;
	int64_t last; /* chunk read before; chunks ascend and none comes twice */
	bool any;
};

/* The bitmap in a column of the row at hand, of the chunk that *stored names. */
static enum status stored_chunk_read(sqlite3_stmt *statement, int column,
				     struct stored_chunk *stored, struct message *message)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	if (!bytes && sqlite3_errcode(sqlite3_db_handle(statement)) == SQLITE_NOMEM)
		return message_out_of_memory(message);
	stored->bytes = bytes ? bytes : (const uint8_t *)"";
	stored->size = bytes ? (size_t)sqlite3_column_bytes(statement, column) : 0;
	return chunk_decode(stored->chunk, stored->bytes, stored->size, stored->containers,
			    &stored->rows, message);
}

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

/* Beyond the bitmap itself: that its rows are as many as are declared, of a chunk that can be. */
static enum status rows_check(const struct stored_chunk *stored, int64_t rows,
			      struct message *message)
{
	if (stored->chunk < chunk_of_row(INT64_MIN) || stored->chunk > chunk_of_row(INT64_MAX))
		return message_set(message, STATUS_FAILED, "there is no such chunk");
	if (stored->rows == 0 || rows < 0 || stored->rows != (uint64_t)rows)
		return message_set(message, STATUS_FAILED,
				   "damaged bitmap: it has %llu rows where %lld are declared",
				   (unsigned long long)stored->rows, (long long)rows);
	return STATUS_OK;
}

enum status bitmap_reader_next(struct bitmap_reader *reader, struct stored_chunk *stored,
			       struct message *message)
{
	struct message cause;
	int row;
	enum status status = database_step(reader->statement, &row, message);

	*stored = (struct stored_chunk){0};
	if (status != STATUS_OK || !row)
		return status;
	stored->chunk = sqlite3_column_int64(reader->statement, 0);
	if (sqlite3_column_type(reader->statement, 0) != SQLITE_INTEGER ||
	    (reader->any && stored->chunk <= reader->last))
		return message_set(message, STATUS_FAILED,
				   "filter %lld of the index has chunk %lld twice; build it again "
				   "with connbits-index --rebuild",
				   (long long)reader->filter, (long long)stored->chunk);
	reader->last = stored->chunk;
	reader->any = true;
	status = stored_chunk_read(reader->statement, 2, stored, &cause);
	if (status == STATUS_OK)
		status = rows_check(stored, sqlite3_column_int64(reader->statement, 1), &cause);
	if (status == STATUS_OK)
		return STATUS_OK;
	if (message_is_passing(&cause)) {
		*message = cause;
		return status;
	}
	return message_set(message, status,
			   "filter %lld, chunk %lld of the index: %.400s; build it again "
			   "with connbits-index --rebuild",
			   (long long)reader->filter, (long long)stored->chunk, cause.text);
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
	stored->chunk = chunk;
	if (stored_chunk_read(reader->statement, 0, stored, &cause) == STATUS_OK)
		return STATUS_OK;
	if (message_is_passing(&cause)) {
		*message = cause;
		return STATUS_FAILED;
	}
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
