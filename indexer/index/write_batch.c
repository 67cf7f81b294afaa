#include "write_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/little_endian.h"
#include "database/database.h"

static enum status bitmaps_write(sqlite3 *database, const struct write_commit *commit,
				 struct message *message)
{
	sqlite3_stmt *put = NULL;
	sqlite3_stmt *drop = NULL;
	enum status status = database_prepare(
		database, &put, message,
		"INSERT INTO connbits_bitmap (filter, chunk, rows, bitmap) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (filter, chunk) DO UPDATE SET rows = excluded.rows, bitmap = "
		"excluded.bitmap");

	if (status == STATUS_OK)
		status = database_prepare(
			database, &drop, message,
			"DELETE FROM connbits_bitmap WHERE filter = ?1 AND chunk = ?2");
	for (size_t i = 0; status == STATUS_OK && i < commit->bitmap_count; i++) {
		const struct write_bitmap *bitmap = &commit->bitmaps[i];
		sqlite3_stmt *statement = bitmap->size ? put : drop;

		sqlite3_bind_int64(statement, 1, bitmap->filter);
		sqlite3_bind_int64(statement, 2, bitmap->chunk);
		if (bitmap->size) {
			sqlite3_bind_int64(put, 3, (int64_t)bitmap->rows);
			status = database_bind_blob(put, 4, bitmap->bytes, bitmap->size, message);
		}
		if (status == STATUS_OK)
			status = database_run(statement, message);
	}
	sqlite3_finalize(put);
	sqlite3_finalize(drop);
	return status;
}

/* What is written of segments. */
struct header_statements {
	sqlite3_stmt *put;	   /* ?1: segment, ?2: rows, ?3: outcomes */
	sqlite3_stmt *drop;	   /* ?1: segment */
	sqlite3_stmt *put_column;  /* ?1: segment, ?2: column, ?3: bytes */
	sqlite3_stmt *drop_column; /* ?1: segment, ?2: column */
};

static enum status header_statements_open(sqlite3 *database, int64_t source,
					  struct header_statements *statements,
					  struct message *message)
{
	const long long id = (long long)source;
	enum status status = database_prepare(
		database, &statements->put, message,
		"INSERT INTO connbits_header (source, segment, rows, outcomes) VALUES (%lld, ?1, "
		"?2, ?3) ON CONFLICT (source, segment) DO UPDATE SET rows = excluded.rows, "
		"outcomes = excluded.outcomes",
		id);

	if (status == STATUS_OK)
		status = database_prepare(
			database, &statements->drop, message,
			"DELETE FROM connbits_header WHERE source = %lld AND segment = ?1", id);
	if (status == STATUS_OK)
		status = database_prepare(
			database, &statements->put_column, message,
			"INSERT INTO connbits_column (source, segment, column, bytes) VALUES "
			"(%lld, ?1, ?2, ?3) ON CONFLICT (source, segment, column) DO UPDATE SET "
			"bytes = excluded.bytes",
			id);
	if (status == STATUS_OK)
		status = database_prepare(database, &statements->drop_column, message,
					  "DELETE FROM connbits_column WHERE source = %lld AND "
					  "segment = ?1 AND column = ?2",
					  id);
	return status;
}

static void header_statements_close(struct header_statements *statements)
{
	sqlite3_finalize(statements->put);
	sqlite3_finalize(statements->drop);
	sqlite3_finalize(statements->put_column);
	sqlite3_finalize(statements->drop_column);
}

static enum status outcomes_write(const struct header_statements *statements,
				  const struct write_header *header, struct message *message)
{
	sqlite3_stmt *statement =
		outcomes_total(header->outcomes) ? statements->put : statements->drop;
	uint8_t outcomes[INDEX_OUTCOMES_SIZE];
	enum status status = STATUS_OK;

	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		write_little_endian_32(outcomes + (size_t)outcome * 4,
				       (uint32_t)header->outcomes[outcome]);
	sqlite3_bind_int64(statement, 1, header->segment);
	if (statement == statements->put) {
		sqlite3_bind_int64(statement, 2, (int64_t)header->outcomes[OUTCOME_HEADER]);
		status = database_bind_blob(statement, 3, outcomes, INDEX_OUTCOMES_SIZE, message);
	}
	return status == STATUS_OK ? database_run(statement, message) : status;
}

/* Writes the columns that there are, and removes those that there are no more. */
static enum status columns_write(const struct header_statements *statements,
				 const struct write_header *header, struct message *message)
{
	const uint8_t *bytes = header->packed.bytes;
	enum status status = STATUS_OK;

	for (int column = 0; status == STATUS_OK && column < STORED_COLUMNS; column++) {
		const size_t size = header->packed.sizes[column];
		sqlite3_stmt *statement = size ? statements->put_column : statements->drop_column;

		sqlite3_bind_int64(statement, 1, header->segment);
		sqlite3_bind_int(statement, 2, column);
		if (size)
			status = database_bind_blob(statement, 3, bytes, size, message);
		if (status == STATUS_OK)
			status = database_run(statement, message);
		if (size)
			bytes += size;
	}
	return status;
}

static enum status headers_write(sqlite3 *database, const struct write_commit *commit,
				 struct message *message)
{
	struct header_statements statements = {0};
	enum status status = header_statements_open(database, commit->source, &statements, message);

	for (size_t i = 0; status == STATUS_OK && i < commit->header_count; i++) {
		status = outcomes_write(&statements, &commit->headers[i], message);
		if (status == STATUS_OK)
			status = columns_write(&statements, &commit->headers[i], message);
	}
	header_statements_close(&statements);
	return status;
}

static enum status state_write(sqlite3 *database, const struct index_source *state,
			       struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		database, &statement, message,
		"UPDATE connbits_source SET fingerprints = ?1, rows = ?2, headers = ?3, "
		"listen = ?4, skipped_type = ?5, skipped_transport = ?6, skipped_address = ?7, "
		"skipped_family = ?8, skipped_port = ?9, first_row = ?10, last_row = ?11, "
		"log_stamp = ?12, " INDEX_IDENTITY_NEXT ", "
		"indexed_at = strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ') WHERE id = %lld",
		(long long)state->id);

	if (status != STATUS_OK)
		return status;
	status = database_bind_blob(statement, 1, state->fingerprint.bytes,
				    state->fingerprint.count * FINGERPRINT_BYTES, message);
	sqlite3_bind_int64(statement, 2, (int64_t)outcomes_total(state->outcomes));
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		sqlite3_bind_int64(statement, 3 + outcome, (int64_t)state->outcomes[outcome]);
	sqlite3_bind_int64(statement, 10, state->first_row);
	sqlite3_bind_int64(statement, 11, state->last_row);
	if (status == STATUS_OK && state->log_stamp.size)
		status = database_bind_blob(statement, 12, state->log_stamp.bytes,
					    state->log_stamp.size, message);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

/* Writes the parts of a commit within a transaction. */
static enum status commit_write(sqlite3 *database, const struct write_commit *commit,
				struct message *message)
{
	enum status status = STATUS_OK;

	if (commit->bitmap_count)
		status = bitmaps_write(database, commit, message);
	if (status == STATUS_OK && commit->header_count)
		status = headers_write(database, commit, message);
	if (status == STATUS_OK && commit->day_count)
		status = days_write(database, commit->source, commit->days, commit->day_count,
				    message);
	if (status == STATUS_OK && commit->filter_count)
		status = index_write_filter_rows(database, commit->filters, commit->filter_count, 0,
						 message);
	if (status == STATUS_OK && commit->state)
		status = state_write(database, commit->state, message);
	return status;
}

enum status write_commit_run(sqlite3 *database, const struct write_commit *commit,
			     struct message *message)
{
	enum status status = database_begin(database, message);

	if (status == STATUS_OK)
		status = commit_write(database, commit, message);
	return database_end(database, status, message);
}

/* Makes room for one more item of `each` bytes. */
static bool items_reserve(void **items, size_t count, size_t *capacity, size_t each)
{
	size_t larger = *capacity ? *capacity * 2 : 64;
	void *moved;

	if (count < *capacity)
		return true;
	moved = realloc(*items, larger * each);
	if (!moved)
		return false;
	*items = moved;
	*capacity = larger;
	return true;
}

static bool bytes_add(struct write_bytes *all, const uint8_t *bytes, size_t size)
{
	if (all->capacity - all->size < size) {
		size_t capacity = (all->capacity + size) * 2;
		uint8_t *larger = realloc(all->bytes, capacity);

		if (!larger)
			return false;
		all->bytes = larger;
		all->capacity = capacity;
	}
	if (size)
		memcpy(all->bytes + all->size, bytes, size);
	all->size += size;
	return true;
}

enum status write_batch_add_bitmap(struct write_batch *batch, const struct write_bitmap *bitmap,
				   struct message *message)
{
	void *items = batch->bitmaps;

	if (!items_reserve(&items, batch->bitmap_count, &batch->bitmap_capacity, sizeof(*bitmap)))
		return message_out_of_memory(message);
	batch->bitmaps = items;
	if (!bytes_add(&batch->bitmap_bytes, bitmap->bytes, bitmap->size))
		return message_out_of_memory(message);
	batch->bitmaps[batch->bitmap_count++] = *bitmap;
	return STATUS_OK;
}

enum status write_batch_add_header(struct write_batch *batch, const struct write_header *header,
				   struct message *message)
{
	void *items = batch->headers;

	if (!items_reserve(&items, batch->header_count, &batch->header_capacity, sizeof(*header)))
		return message_out_of_memory(message);
	batch->headers = items;
	if (!bytes_add(&batch->header_bytes, header->packed.bytes,
		       packed_columns_size(&header->packed)))
		return message_out_of_memory(message);
	batch->headers[batch->header_count++] = *header;
	return STATUS_OK;
}

enum status write_batch_add_day(struct write_batch *batch, const struct write_day *day,
				struct message *message)
{
	void *items = batch->days;

	if (!items_reserve(&items, batch->day_count, &batch->day_capacity, sizeof(*day)))
		return message_out_of_memory(message);
	batch->days = items;
	batch->days[batch->day_count++] = *day;
	return STATUS_OK;
}

static size_t bytes_waiting(const struct write_batch *batch)
{
	return batch->bitmap_bytes.size + batch->header_bytes.size;
}

size_t write_batch_enough(const struct write_batch *batch)
{
	return batch->alone ? WRITE_BATCH_BYTES_ALONE : WRITE_BATCH_BYTES;
}

bool write_batch_is_full(const struct write_batch *batch)
{
	return batch->begun || bytes_waiting(batch) >= write_batch_enough(batch) ||
	       batch->bitmap_count + batch->header_count >= WRITE_BATCH_ITEMS;
}

bool write_batch_is_heavy(const struct write_batch *batch)
{
	return batch->day_count >= WRITE_BATCH_DAYS ||
	       bytes_waiting(batch) >=
		       (size_t)(batch->alone ? WRITE_BATCH_HEAVY_ALONE : WRITE_BATCH_HEAVY);
}

/* The bytes have come to rest: tells each item where its own are. */
static void bytes_point(struct write_batch *batch)
{
	const uint8_t *next = batch->bitmap_bytes.bytes;
	uint8_t *columns;

	for (size_t i = 0; i < batch->bitmap_count; i++) {
		batch->bitmaps[i].bytes = next;
		if (next)
			next += batch->bitmaps[i].size;
	}
	columns = batch->header_bytes.bytes;
	for (size_t i = 0; i < batch->header_count; i++) {
		struct packed_columns *packed = &batch->headers[i].packed;

		packed->bytes = columns;
		if (columns)
			columns += packed_columns_size(packed);
	}
}

/* Begins the batch's transaction. */
static enum status batch_begin(struct write_batch *batch, sqlite3 *database,
			       struct reader_gate *gate, struct message *message)
{
	double asked;
	enum status status;

	if (gate)
		reader_gate_close(gate);
	asked = clock_seconds();
	status = database_begin(database, message);
	batch->begun = database;
	batch->gate = gate;
	batch->since = clock_seconds();
	batch->waited = batch->since - asked;
	return status;
}

/* Ends the transaction: commits where status is STATUS_OK. */
static enum status batch_end(struct write_batch *batch, enum status status, struct message *message)
{
	status = database_end(batch->begun, status, message);
	if (batch->gate)
		reader_gate_open(batch->gate, batch->waited, clock_seconds() - batch->since);
	batch->begun = NULL;
	return status;
}

/* Writes what is in the batch with what else is in *commit, and empties it. */
static enum status batch_write(struct write_batch *batch, struct write_commit *commit,
			       struct message *message)
{
	enum status status;

	bytes_point(batch);
	commit->bitmaps = batch->bitmaps;
	commit->bitmap_count = batch->bitmap_count;
	commit->headers = batch->headers;
	commit->header_count = batch->header_count;
	commit->days = batch->days;
	commit->day_count = commit->ahead ? 0 : batch->day_count;
	status = commit_write(batch->begun, commit, message);
	batch->bitmap_count = 0;
	batch->header_count = 0;
	batch->day_count = commit->ahead ? batch->day_count : 0;
	batch->bitmap_bytes.size = 0;
	batch->header_bytes.size = 0;
	return status;
}

enum status write_batch_part(struct write_batch *batch, sqlite3 *database, int64_t source,
			     struct reader_gate *gate, struct message *message)
{
	struct write_commit part = {.source = source};
	enum status status = batch->begun ? STATUS_OK : batch_begin(batch, database, gate, message);

	if (status == STATUS_OK)
		status = batch_write(batch, &part, message);
	return status == STATUS_OK ? STATUS_OK : batch_end(batch, status, message);
}

enum status write_batch_commit(struct write_batch *batch, sqlite3 *database,
			       struct write_commit *commit, struct reader_gate *gate,
			       struct message *message)
{
	enum status status = batch->begun ? STATUS_OK : batch_begin(batch, database, gate, message);

	if (status == STATUS_OK)
		status = batch_write(batch, commit, message);
	return batch_end(batch, status, message);
}

void write_batch_cancel(struct write_batch *batch)
{
	struct message ignored;

	if (batch->begun)
		batch_end(batch, STATUS_FAILED, &ignored);
}

void write_batch_free(struct write_batch *batch)
{
	write_batch_cancel(batch);
	free(batch->bitmaps);
	free(batch->headers);
	free(batch->days);
	free(batch->bitmap_bytes.bytes);
	free(batch->header_bytes.bytes);
	*batch = (struct write_batch){0};
}
