#include "row_refresh.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"
#include "index/chunk_removal.h"
#include "index/header_reader.h"
#include "index/write_batch.h"

enum {
	/* Packed headers from this size on are written ahead of their chunk's commit. */
	AHEAD_BYTES = 1 << 16,
};

/* One run. */
struct run {
	struct refresh *refresh;
	struct message *message;
	bool indexed_any; /* when the run began; then these are its bounds: */
	int64_t first_row;
	int64_t last_row;
	int64_t *dirty; /* segments that are read again; all others are behind them */
	size_t dirty_count;
	struct batch batch;
	int64_t chunk;		       /* the last one in the batch */
	bool whole;		       /* all of that chunk is in it */
	sqlite3_stmt *stored_bitmap;   /* of filter ?1 and chunk ?2 */
	sqlite3_stmt *stored_outcomes; /* of segment ?1 */
	uint8_t *scratch;	       /* one encoded chunk */
};

bool refresh_needed(const struct refresh *refresh)
{
	const struct stored_source *indexed = refresh->indexed;
	const struct source *source = refresh->source;

	if (indexed->first_row > indexed->last_row)
		return !source->empty;
	return source->first != indexed->first_row || source->last != indexed->last_row ||
	       refresh->noted_count > 0;
}

static int compare_segments(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The stored segments that share a chunk with the first row left and are not behind it. */
static enum status dirty_at_start(struct run *run, int64_t first_row)
{
	const int64_t chunk_start = chunk_first_segment(chunk_of_row(first_row));
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		run->refresh->database, &statement, run->message,
		"SELECT segment FROM connbits_header WHERE source = %lld AND segment BETWEEN %lld "
		"AND %lld",
		(long long)run->refresh->indexed->id, (long long)chunk_start,
		(long long)segment_of(first_row));

	while (status == STATUS_OK) {
		status = database_step(statement, &row, run->message);
		if (status != STATUS_OK || !row)
			break;
		/* There are no more whole numbers in that range. */
		if (run->dirty_count == CHUNK_SEGMENTS)
			status = message_set(run->message, STATUS_FAILED,
					     "the index is damaged (numbers of segments); build it "
					     "again with connbits-index --rebuild");
		else
			run->dirty[run->dirty_count++] = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return status;
}

/* Which segments that are indexed have to be read again. */
static enum status dirty_find(struct run *run)
{
	const struct refresh *refresh = run->refresh;
	const int64_t last = segment_of(run->last_row);
	enum status status = STATUS_OK;
	size_t distinct = 0;

	run->dirty = calloc(refresh->noted_count + CHUNK_SEGMENTS + 1, sizeof(*run->dirty));
	if (!run->dirty)
		return message_out_of_memory(run->message);
	if (!run->indexed_any)
		return STATUS_OK;
	if (refresh->source->first > run->first_row)
		status = dirty_at_start(run, refresh->source->first);
	for (size_t i = 0; i < refresh->noted_count; i++)
		if (refresh->noted[i] >= segment_of(refresh->source->first) &&
		    refresh->noted[i] <= last)
			run->dirty[run->dirty_count++] = refresh->noted[i];
	if (refresh->source->last > run->last_row)
		run->dirty[run->dirty_count++] = last;
	qsort(run->dirty, run->dirty_count, sizeof(*run->dirty), compare_segments);
	for (size_t i = 0; i < run->dirty_count; i++)
		if (i == 0 || run->dirty[i] != run->dirty[distinct - 1])
			run->dirty[distinct++] = run->dirty[i];
	run->dirty_count = distinct;
	return status;
}

/* The rows up to which everything is indexed once the chunks of the batch are. */
static int64_t watermark(const struct run *run, bool finished)
{
	const struct source *source = run->refresh->source;
	const int64_t chunk_end = chunk_last_row(run->chunk);

	if (finished)
		return source->last;
	if (run->indexed_any && run->chunk < chunk_of_row(run->last_row))
		return run->last_row;
	return chunk_end < source->last ? chunk_end : source->last;
}

/* Only where the log is the file that is written to, its readers are in the way. */
static struct gate *commit_gate(const struct refresh *refresh)
{
	return refresh->same_file ? refresh->control.gate : NULL;
}

/* Commits the batch with the watermark that it moves. */
static enum status run_commit(struct run *run, bool finished)
{
	struct refresh *refresh = run->refresh;
	struct stored_source *indexed = refresh->indexed;
	struct commit commit = {
		.source = indexed->id,
		.filters = refresh->filters,
		.filter_count = ENCODER_BUILT_IN + refresh->program_count,
		.state = indexed,
	};

	indexed->first_row = refresh->source->first;
	indexed->last_row = watermark(run, finished);
	indexed->fingerprint = refresh->source->fingerprint;
	refresh->bitmap_bytes += run->batch.bitmap_bytes.size;
	refresh->header_bytes += run->batch.header_bytes.size;
	return batch_write(&run->batch, refresh->database, &commit, commit_gate(refresh),
			   run->message);
}

/* Forgets what is stored of a segment's outcomes, where it was indexed. */
static enum status outcomes_subtract(struct run *run, int64_t segment)
{
	uint64_t *totals = run->refresh->indexed->outcomes;
	int row;
	enum status status;

	if (!run->indexed_any || segment > segment_of(run->last_row))
		return STATUS_OK;
	sqlite3_bind_int64(run->stored_outcomes, 1, segment);
	status = database_step(run->stored_outcomes, &row, run->message);
	if (status == STATUS_OK && row)
		status = stored_outcomes_subtract(run->stored_outcomes, 0, totals, run->message);
	sqlite3_reset(run->stored_outcomes);
	return status;
}

/*
 * Large headers of a segment behind all indexed ones: nobody reads them before
 * the watermark is there, so they need not wait for their chunk.
 */
static enum status header_ahead(struct run *run, const struct commit_header *header)
{
	struct refresh *refresh = run->refresh;
	struct batch alone = {0};
	struct commit commit = {.source = refresh->indexed->id};
	enum status status = batch_add_header(&alone, header, run->message);

	if (status == STATUS_OK) {
		refresh->header_bytes += header->size;
		status = batch_write(&alone, refresh->database, &commit, commit_gate(refresh),
				     run->message);
	}
	batch_free(&alone);
	return status;
}

static enum status segments_take(struct run *run, const struct chunk_work *work)
{
	struct stored_source *indexed = run->refresh->indexed;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++) {
		const struct segment_result *result = &work->segments[i];
		struct commit_header header = {
			.segment = chunk_first_segment(work->chunk) + (int64_t)i,
			.packed = result->packed,
			.size = result->packed_size,
		};

		if (!result->given)
			continue;
		status = outcomes_subtract(run, header.segment);
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
			header.outcomes[outcome] = result->outcomes[outcome];
			indexed->outcomes[outcome] += result->outcomes[outcome];
		}
		if (status != STATUS_OK)
			break;
		if (header.size >= AHEAD_BYTES &&
		    !(run->indexed_any && header.segment <= segment_of(run->last_row)))
			status = header_ahead(run, &header);
		else
			status = batch_add_header(&run->batch, &header, run->message);
	}
	return status;
}

/* Gives the containers that are stored for a filter and chunk, and their bytes as they are. */
static enum status stored_containers(struct run *run, size_t filter, int64_t chunk,
				     struct container *containers, const uint8_t **bytes,
				     size_t *size, uint64_t *rows)
{
	struct message cause;
	int row;
	enum status status;

	memset(containers, 0, CHUNK_SEGMENTS * sizeof(*containers));
	*bytes = NULL;
	*size = 0;
	*rows = 0;
	if (!run->indexed_any || chunk > chunk_of_row(run->last_row))
		return STATUS_OK;
	sqlite3_reset(run->stored_bitmap);
	sqlite3_bind_int64(run->stored_bitmap, 1, run->refresh->filters[filter].id);
	sqlite3_bind_int64(run->stored_bitmap, 2, chunk);
	status = database_step(run->stored_bitmap, &row, run->message);
	if (status != STATUS_OK || !row)
		return status;
	*bytes = sqlite3_column_blob(run->stored_bitmap, 0);
	*size = (size_t)sqlite3_column_bytes(run->stored_bitmap, 0);
	if (chunk_decode(chunk, *bytes, *bytes ? *size : 0, containers, rows, &cause) == STATUS_OK)
		return STATUS_OK;
	return message_set(run->message, STATUS_FAILED,
			   "filter '%.255s', chunk %lld of the index: %.400s; build it again with "
			   "connbits-index --rebuild",
			   run->refresh->filters[filter].name, (long long)chunk, cause.text);
}

/* Joins what is stored of a chunk with what was made of its segments now. */
static enum status bitmap_take(struct run *run, const struct chunk_work *work, size_t filter)
{
	struct commit_filter *target = &run->refresh->filters[filter];
	struct container containers[CHUNK_SEGMENTS];
	size_t present = 0;
	const uint8_t *stored;
	size_t stored_size;
	uint64_t stored_rows;
	struct commit_bitmap bitmap = {
		.filter = target->id, .chunk = work->chunk, .bytes = run->scratch};
	enum status status = stored_containers(run, filter, work->chunk, containers, &stored,
					       &stored_size, &stored_rows);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
		if (work->segments[i].given)
			containers[i] = work->segments[i].containers[filter];
		if (containers[i].cardinality)
			containers[present++] = containers[i];
	}
	bitmap.size = chunk_encode(containers, present, run->scratch, &bitmap.rows);
	target->rows += bitmap.rows - stored_rows;
	if (bitmap.size == stored_size &&
	    (stored_size == 0 || memcmp(stored, run->scratch, stored_size) == 0))
		return STATUS_OK;
	return batch_add_bitmap(&run->batch, &bitmap, run->message);
}

/* Writes what is in the batch, all of it behind the watermark, and leaves that where it is. */
static enum status batch_ahead(struct run *run)
{
	struct refresh *refresh = run->refresh;
	struct commit commit = {.source = refresh->indexed->id};

	refresh->bitmap_bytes += run->batch.bitmap_bytes.size;
	refresh->header_bytes += run->batch.header_bytes.size;
	return batch_write(&run->batch, refresh->database, &commit, commit_gate(refresh),
			   run->message);
}

/* Nobody reads the bitmaps of a chunk behind the watermark: many of them go in many commits. */
static bool chunk_goes_ahead(const struct run *run, const struct chunk_work *work)
{
	return !(run->indexed_any && work->chunk <= chunk_of_row(run->last_row)) &&
	       chunk_work_bytes(work, ENCODER_BUILT_IN + run->refresh->program_count) > BATCH_BYTES;
}

static bool batch_is_empty(const struct batch *batch)
{
	return batch->bitmap_count + batch->header_count == 0;
}

static enum status run_sink(void *context, const struct chunk_work *work, struct message *message)
{
	struct run *run = context;
	const size_t filters = ENCODER_BUILT_IN + run->refresh->program_count;
	const bool ahead = chunk_goes_ahead(run, work);
	enum status status = STATUS_OK;

	run->message = message;
	if (ahead && !batch_is_empty(&run->batch))
		status = run_commit(run, false);
	run->whole = false;
	if (status == STATUS_OK)
		status = segments_take(run, work);
	for (size_t i = 0; status == STATUS_OK && i < filters; i++) {
		status = bitmap_take(run, work, i);
		if (status == STATUS_OK && ahead && batch_is_full(&run->batch))
			status = batch_ahead(run);
	}
	sqlite3_reset(run->stored_bitmap);
	run->chunk = work->chunk;
	run->whole = status == STATUS_OK;
	/* The watermark moves with a chunk that went ahead, also where its batch is empty now. */
	if (status == STATUS_OK && (ahead || batch_is_full(&run->batch)))
		status = run_commit(run, false);
	return status;
}

static enum status run_build(struct run *run)
{
	struct refresh *refresh = run->refresh;
	const struct supply supply = {
		.rows = refresh->source,
		.dirty = run->dirty,
		.dirty_count = run->dirty_count,
		.tail = run->indexed_any ? segment_of(run->last_row) + 1
					 : segment_of(refresh->source->first),
	};
	const struct build_options build = {
		.supply = &supply,
		.encoder = {.evaluation = refresh->evaluation,
			    .program_count = refresh->program_count,
			    .built_in = true,
			    .pack = refresh->indexed->packed},
		.sink = run_sink,
		.sink_context = run,
		.control = refresh->control,
	};

	return build_run(&build, refresh->result, run->message);
}

static enum status run_prepare(struct run *run)
{
	struct refresh *refresh = run->refresh;
	enum status status = STATUS_OK;

	run->scratch = malloc(CHUNK_BYTES_MAX);
	if (!run->scratch)
		return message_out_of_memory(run->message);
	if (run->indexed_any && refresh->source->first > run->first_row)
		status = retention_run(refresh->database, refresh->indexed, refresh->filters,
				       ENCODER_BUILT_IN + refresh->program_count,
				       refresh->source->first, &refresh->removed_rows,
				       commit_gate(refresh), refresh->control.stop, run->message);
	if (status == STATUS_OK)
		status =
			database_prepare(refresh->database, &run->stored_bitmap, run->message,
					 "SELECT bitmap FROM connbits_bitmap WHERE filter = ?1 AND "
					 "chunk = ?2");
	if (status == STATUS_OK)
		status = database_prepare(
			refresh->database, &run->stored_outcomes, run->message,
			"SELECT outcomes FROM connbits_header WHERE source = %lld AND segment = ?1",
			(long long)refresh->indexed->id);
	if (status == STATUS_OK)
		status = dirty_find(run);
	return status;
}

static enum status run_all(struct run *run)
{
	const struct refresh *refresh = run->refresh;
	struct message *message = run->message;
	enum status status = run_prepare(run);

	if (status == STATUS_OK) {
		status = run_build(run);
		run->message = message;
		if (status != STATUS_OK && refresh->control.stop && *refresh->control.stop &&
		    run->whole && !batch_is_empty(&run->batch)) {
			struct message ignored;

			/* Complete chunks; that the job was stopped is said all the same. */
			run->message = &ignored;
			run_commit(run, false);
			run->message = message;
		}
	}
	if (status == STATUS_OK)
		status = source_check(refresh->source, refresh->indexed->tracked, message);
	if (status == STATUS_OK)
		status = run_commit(run, true);
	return status;
}

enum status refresh_run(struct refresh *refresh, struct message *message)
{
	struct run run = {
		.refresh = refresh,
		.message = message,
		.indexed_any = refresh->indexed->first_row <= refresh->indexed->last_row,
		.first_row = refresh->indexed->first_row,
		.last_row = refresh->indexed->last_row,
	};
	enum status status = run_all(&run);

	sqlite3_finalize(run.stored_bitmap);
	sqlite3_finalize(run.stored_outcomes);
	batch_free(&run.batch);
	free(run.dirty);
	free(run.scratch);
	return status;
}
