#include "chunk_removal.h"

#include <string.h>

#include "base/rowid.h"
#include "bitmap/roaring_format.h"
#include "bitmap_reader.h"
#include "chunk_days.h"
#include "column_reader.h"
#include "database/database.h"
#include "outcome_reader.h"
#include "write_batch.h"

enum {
	/* Columns that one transaction removes: about as long as a commit takes. */
	REMOVED_BYTES = 16 << 20,
};

struct removal {
	sqlite3 *database;
	struct index_source *indexed;
	struct index_write_filter *filters;
	size_t filter_count;
	struct message *message;
	struct reader_gate *gate;
	struct write_batch batch;
	uint64_t removed_bytes; /* of columns in the batch */
	uint64_t removed_rows;
	sqlite3_stmt *first;	       /* the lowest segment from ?1 on and before ?2 */
	sqlite3_stmt *segments;	       /* ?1 to ?2: segment, outcomes, size of the columns */
	sqlite3_stmt *rows;	       /* of filter ?1 in chunk ?2 */
	struct column_reader *columns; /* NULL where no times are stored */
	struct chunk_reader *bitmaps;
	struct chunk_days *days;
};

static enum status removal_open(struct removal *removal)
{
	const long long source = (long long)removal->indexed->id;
	enum status status =
		database_prepare(removal->database, &removal->first, removal->message,
				 "SELECT min(segment) FROM connbits_header WHERE source = %lld AND "
				 "segment >= ?1 AND segment < ?2",
				 source);

	if (status == STATUS_OK)
		status = database_prepare(
			removal->database, &removal->segments, removal->message,
			"SELECT segment, outcomes, (SELECT sum(length(bytes)) FROM connbits_column "
			"c WHERE c.source = h.source AND c.segment = h.segment) FROM "
			"connbits_header h WHERE source = %lld AND segment BETWEEN ?1 AND ?2 ORDER "
			"BY segment",
			source);
	if (status == STATUS_OK)
		status = database_prepare(
			removal->database, &removal->rows, removal->message,
			"SELECT rows FROM connbits_bitmap WHERE filter = ?1 AND chunk = ?2");
	return status;
}

/* What counts the days of rows that go, where they are counted. */
static enum status removal_open_days(struct removal *removal, bool timed)
{
	enum status status;

	if (!timed)
		return STATUS_OK;
	removal->days = chunk_days_new();
	if (!removal->days)
		return message_out_of_memory(removal->message);
	status = chunk_reader_open(removal->database, &removal->bitmaps, removal->message);
	return status == STATUS_OK ? column_reader_open(removal->database, "main", removal->indexed,
							&removal->columns, removal->message)
				   : status;
}

static void removal_close(struct removal *removal)
{
	sqlite3_finalize(removal->first);
	sqlite3_finalize(removal->segments);
	sqlite3_finalize(removal->rows);
	column_reader_close(removal->columns);
	chunk_reader_close(removal->bitmaps);
	chunk_days_free(removal->days);
	write_batch_free(&removal->batch);
}

static enum status segments_remove(struct removal *removal, int64_t chunk)
{
	const uint64_t before = outcomes_total(removal->indexed->outcomes);
	int row;
	enum status status = STATUS_OK;

	sqlite3_bind_int64(removal->segments, 1, chunk_first_segment(chunk));
	sqlite3_bind_int64(removal->segments, 2, chunk_last_segment(chunk));
	while (status == STATUS_OK) {
		struct write_header header = {0};

		status = database_step(removal->segments, &row, removal->message);
		if (status != STATUS_OK || !row)
			break;
		header.segment = sqlite3_column_int64(removal->segments, 0);
		removal->removed_bytes += (uint64_t)sqlite3_column_int64(removal->segments, 2);
		status = outcome_row_subtract(removal->segments, 1, removal->indexed->outcomes,
					      removal->message);
		if (status == STATUS_OK)
			status = write_batch_add_header(&removal->batch, &header, removal->message);
	}
	sqlite3_reset(removal->segments);
	removal->removed_rows += before - outcomes_total(removal->indexed->outcomes);
	return status;
}

static enum status days_begin(struct removal *removal, int64_t chunk)
{
	enum status status;

	if (!removal->columns)
		return STATUS_OK;
	chunk_days_begin(removal->days);
	status = chunk_days_add_stored(removal->days, DAYS_STORED, removal->columns, chunk,
				       removal->message);
	return status == STATUS_OK ? chunk_days_ready(removal->days, removal->message) : status;
}

/* Takes off on which days the rows are that a filter has in a chunk. */
static enum status filter_days_remove(struct removal *removal,
				      const struct index_write_filter *filter, int64_t chunk)
{
	struct stored_chunk stored;
	enum status status;

	if (!removal->columns)
		return STATUS_OK;
	status = chunk_reader_read(removal->bitmaps, filter->id, filter->name, chunk, &stored,
				   removal->message);
	if (status == STATUS_OK)
		chunk_days_count(removal->days, DAYS_STORED, filter->kind, stored.containers);
	chunk_reader_rest(removal->bitmaps);
	return status == STATUS_OK ? chunk_days_take(removal->days, filter->id, &removal->batch,
						     removal->message)
				   : status;
}

static enum status bitmaps_remove(struct removal *removal, int64_t chunk)
{
	enum status status = days_begin(removal, chunk);

	for (size_t i = 0; status == STATUS_OK && i < removal->filter_count; i++) {
		const struct write_bitmap bitmap = {.filter = removal->filters[i].id,
						    .chunk = chunk};
		int row;

		sqlite3_bind_int64(removal->rows, 1, bitmap.filter);
		sqlite3_bind_int64(removal->rows, 2, chunk);
		status = database_step(removal->rows, &row, removal->message);
		if (status == STATUS_OK && row) {
			removal->filters[i].rows -=
				(uint64_t)sqlite3_column_int64(removal->rows, 0);
			status = write_batch_add_bitmap(&removal->batch, &bitmap, removal->message);
			if (status == STATUS_OK &&
			    strcmp(removal->filters[i].name, INDEX_SKIPPED) != 0)
				status = filter_days_remove(removal, &removal->filters[i], chunk);
		}
		sqlite3_reset(removal->rows);
	}
	return status;
}

static enum status removal_commit(struct removal *removal)
{
	struct write_commit commit = {
		.source = removal->indexed->id,
		.filters = removal->filters,
		.filter_count = removal->filter_count,
		.state = removal->indexed,
	};

	removal->removed_bytes = 0;
	return write_batch_commit(&removal->batch, removal->database, &commit, removal->gate,
				  removal->message);
}

/* Finds the lowest stored chunk from `from` on and before `end`. */
static enum status chunk_find(struct removal *removal, int64_t from, int64_t end, bool *found,
			      int64_t *chunk)
{
	int row;
	enum status status;

	sqlite3_bind_int64(removal->first, 1, chunk_first_segment(from));
	sqlite3_bind_int64(removal->first, 2, chunk_first_segment(end));
	status = database_step(removal->first, &row, removal->message);
	*found = status == STATUS_OK && row &&
		 sqlite3_column_type(removal->first, 0) == SQLITE_INTEGER;
	if (*found)
		*chunk = chunk_of_segment(sqlite3_column_int64(removal->first, 0));
	sqlite3_reset(removal->first);
	return status;
}

static enum status chunks_remove(struct removal *removal, int64_t first_row,
				 const volatile sig_atomic_t *stop)
{
	const int64_t end = chunk_of_row(first_row);
	int64_t next = chunk_of_row(INT64_MIN);
	bool found = true;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && found) {
		int64_t chunk;

		if (stop && *stop)
			return message_set(removal->message, STATUS_FAILED, "interrupted");
		status = chunk_find(removal, next, end, &found, &chunk);
		if (status != STATUS_OK || !found)
			break;
		status = segments_remove(removal, chunk);
		if (status == STATUS_OK)
			status = bitmaps_remove(removal, chunk);
		next = chunk + 1;
		removal->indexed->first_row = chunk_first_row(next);
		if (status == STATUS_OK && (write_batch_is_full(&removal->batch) ||
					    write_batch_is_heavy(&removal->batch) ||
					    removal->removed_bytes >= REMOVED_BYTES))
			status = removal_commit(removal);
	}
	if (status == STATUS_OK && removal->batch.header_count)
		status = removal_commit(removal);
	return status;
}

enum status chunk_removal_run(sqlite3 *database, struct index_source *indexed,
			      struct index_write_filter *filters, size_t filter_count,
			      int64_t first_row, bool timed, uint64_t *removed,
			      struct reader_gate *gate, const volatile sig_atomic_t *stop,
			      struct message *message)
{
	struct removal removal = {
		.database = database,
		.indexed = indexed,
		.filters = filters,
		.filter_count = filter_count,
		.message = message,
		.gate = gate,
	};
	enum status status = removal_open(&removal);

	if (status == STATUS_OK)
		status = removal_open_days(&removal, timed && indexed->packed);
	if (status == STATUS_OK)
		status = chunks_remove(&removal, first_row, stop);
	*removed += removal.removed_rows;
	removal_close(&removal);
	return status;
}
