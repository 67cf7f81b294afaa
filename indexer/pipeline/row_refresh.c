#include "row_refresh.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "dirty_segments.h"
#include "index/bitmap_reader.h"
#include "index/chunk_days.h"
#include "index/chunk_removal.h"
#include "index/outcome_reader.h"
#include "index/write_batch.h"

enum {
	/*
	 * Where the index lies in the log, whose writers wait for commits, packed headers from this
	 * size on are written ahead of their chunk's.
	 */
	AHEAD_BYTES = 1 << 16,
};

/* One run. */
struct refresh_run {
	struct row_refresh *refresh;
	struct message *message;
	bool indexed_any; /* when the run began; then these are its bounds: */
	int64_t first_row;
	int64_t last_row;
	struct dirty_segments dirty; /* all others that are read are behind them */
	struct write_batch batch;
	int64_t chunk;			 /* the last one in the batch */
	bool whole;			 /* all of that chunk is in it */
	struct chunk_reader *chunks;	 /* what was stored of bitmaps */
	struct outcome_reader *outcomes; /* and of segments */
	struct derived_work *derived;
	struct column_reader *columns; /* what was stored of times; NULL where none are */
	struct segment_columns *made;  /* what is now */
	struct chunk_days *days;
	uint8_t *scratch; /* one encoded chunk, */
	uint8_t *room;	  /* and containers of one that had to be read */
};

bool row_refresh_has_work(const struct index_source *indexed, const struct log *log,
			  size_t noted_count)
{
	if (indexed->first_row > indexed->last_row)
		return !log->empty;
	return log->first != indexed->first_row || log->last != indexed->last_row ||
	       noted_count > 0;
}

/* The rows up to which everything is indexed once the chunks of the batch are. */
static int64_t watermark(const struct refresh_run *run, bool finished)
{
	const struct log *log = run->refresh->log;
	const int64_t chunk_end = chunk_last_row(run->chunk);

	if (finished)
		return log->last;
	if (run->indexed_any && run->chunk < chunk_of_row(run->last_row))
		return run->last_row;
	return chunk_end < log->last ? chunk_end : log->last;
}

/* Only where the log is the file that is written to, its readers are in the way. */
static struct reader_gate *commit_gate(const struct row_refresh *refresh)
{
	return refresh->same_file ? refresh->control.gate : NULL;
}

/* Commits the batch with the watermark that it moves. */
static enum status run_commit(struct refresh_run *run, bool finished)
{
	struct row_refresh *refresh = run->refresh;
	struct index_source *indexed = refresh->indexed;
	struct write_commit commit = {
		.source = indexed->id,
		.filters = refresh->filters,
		.filter_count = ENCODER_BUILT_IN + refresh->program_count,
		.state = indexed,
	};

	indexed->first_row = refresh->log->first;
	indexed->last_row = watermark(run, finished);
	indexed->fingerprint = refresh->log->fingerprint;
	/* What this commits to the log's own file changes that. */
	if (!finished || indexed->inside)
		indexed->log_stamp.size = 0;
	refresh->bitmap_bytes += run->batch.bitmap_bytes.size;
	refresh->header_bytes += run->batch.header_bytes.size;
	return write_batch_commit(&run->batch, refresh->database, &commit, commit_gate(refresh),
				  run->message);
}

/* True for a segment of which something may be stored already. */
static bool was_indexed(const struct refresh_run *run, int64_t segment)
{
	return run->indexed_any && segment <= segment_of(run->last_row);
}

/*
 * Large headers of a segment behind all indexed ones: nobody reads them before
 * the watermark is there, so they need not wait for their chunk.
 */
static enum status header_ahead(struct refresh_run *run, const struct write_header *header)
{
	struct row_refresh *refresh = run->refresh;
	struct write_batch alone = {0};
	struct write_commit commit = {.source = refresh->indexed->id, .ahead = true};
	enum status status = write_batch_add_header(&alone, header, run->message);

	if (status == STATUS_OK) {
		refresh->header_bytes += packed_columns_size(&header->packed);
		status = write_batch_commit(&alone, refresh->database, &commit,
					    commit_gate(refresh), run->message);
	}
	write_batch_free(&alone);
	return status;
}

/* Writes what is in the batch in the transaction of the commit that the chunk will end with. */
static enum status batch_part(struct refresh_run *run)
{
	struct row_refresh *refresh = run->refresh;

	refresh->bitmap_bytes += run->batch.bitmap_bytes.size;
	refresh->header_bytes += run->batch.header_bytes.size;
	chunk_reader_rest(run->chunks);
	return write_batch_part(&run->batch, refresh->database, refresh->indexed->id,
				commit_gate(refresh), run->message);
}

static enum status segments_take(struct refresh_run *run, const struct chunk_work *work)
{
	struct index_source *indexed = run->refresh->indexed;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++) {
		const struct segment_result *result = &work->segments[i];
		struct write_header header = {
			.segment = chunk_first_segment(work->chunk) + (int64_t)i,
			.packed = result->packed,
		};

		if (!result->given)
			continue;
		if (was_indexed(run, header.segment))
			status = outcome_reader_subtract(run->outcomes, header.segment,
							 indexed->outcomes, run->message);
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
			header.outcomes[outcome] = result->outcomes[outcome];
			indexed->outcomes[outcome] += result->outcomes[outcome];
		}
		if (status != STATUS_OK)
			break;
		if (run->refresh->same_file && packed_columns_size(&header.packed) >= AHEAD_BYTES &&
		    !was_indexed(run, header.segment))
			status = header_ahead(run, &header);
		else
			status = write_batch_add_header(&run->batch, &header, run->message);
		/* In the log the transaction begins only once nothing else is to be committed. */
		if (status == STATUS_OK && run->batch.alone && write_batch_is_heavy(&run->batch))
			status = batch_part(run);
	}
	return status;
}

/* Reads on which days the rows of a chunk were, as far as it was read again, and are. */
static enum status days_begin(struct refresh_run *run, const struct chunk_work *work)
{
	enum status status = STATUS_OK;

	if (!run->days)
		return STATUS_OK;
	chunk_days_begin(run->days);
	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++) {
		const struct segment_result *result = &work->segments[i];
		const int64_t number = chunk_first_segment(work->chunk) + (int64_t)i;
		const struct column_supply supply = packed_columns_supply(&result->packed);

		if (!result->given)
			continue;
		if (was_indexed(run, number))
			status = chunk_days_add_segment(run->days, DAYS_STORED, run->columns,
							number, run->message);
		if (status != STATUS_OK || result->packed.sizes[0] == 0)
			continue;
		segment_columns_begin(run->made, &supply);
		status = chunk_days_add(run->days, DAYS_MADE, i, run->made, run->message);
	}
	column_reader_rest(run->columns);
	return status == STATUS_OK ? chunk_days_ready(run->days, run->message) : status;
}

static void days_count(const struct refresh_run *run, enum chunk_days_side side, size_t filter,
		       const struct container containers[static CHUNK_SEGMENTS])
{
	if (run->days && filter != ENCODER_SKIPPED)
		chunk_days_count(run->days, side, run->refresh->filters[filter].kind, containers);
}

/* Computes a derived filter for the segments that were read; the others' stay as they are. */
static enum status derived_take(struct refresh_run *run, const struct chunk_work *work,
				size_t number, struct container stored[static CHUNK_SEGMENTS])
{
	struct container made[CHUNK_SEGMENTS];
	enum status status = derived_work_run(run->derived, number, made, run->message);

	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++)
		if (work->segments[i].given)
			stored[i] = made[i];
	return status;
}

/* What a filter is that is not computed of others. */
#define NOT_DERIVED SIZE_MAX

/* Joins what is stored of a chunk with what was made of its segments now. */
static enum status bitmap_take(struct refresh_run *run, const struct chunk_work *work,
			       size_t filter, size_t derived)
{
	struct index_write_filter *target = &run->refresh->filters[filter];
	struct stored_chunk stored = {0};
	struct write_bitmap bitmap = {
		.filter = target->id, .chunk = work->chunk, .bytes = run->scratch};
	enum status status = STATUS_OK;

	if (target->stays && !run->days)
		return STATUS_OK;
	if (run->indexed_any && work->chunk <= chunk_of_row(run->last_row))
		status = chunk_reader_read(run->chunks, target->id, target->name, work->chunk,
					   &stored, run->message);
	if (status == STATUS_OK)
		days_count(run, DAYS_STORED, filter, stored.containers);
	if (status == STATUS_OK && !target->stays)
		status = derived == NOT_DERIVED
				 ? chunk_work_containers(work, filter, run->room, stored.containers,
							 run->message)
				 : derived_take(run, work, derived, stored.containers);
	if (status != STATUS_OK)
		return status;
	if (run->days) {
		days_count(run, DAYS_MADE, filter, stored.containers);
		status = chunk_days_take(run->days, target->id, &run->batch, run->message);
	}
	if (status != STATUS_OK || target->stays)
		return status;
	bitmap.size = chunk_encode(stored.containers, run->scratch, &bitmap.rows);
	target->rows += bitmap.rows - stored.rows;
	if (bitmap.size == stored.size &&
	    (stored.size == 0 || memcmp(stored.bytes, run->scratch, stored.size) == 0))
		return STATUS_OK;
	return write_batch_add_bitmap(&run->batch, &bitmap, run->message);
}

/* Writes what is in the batch, all of it behind the watermark, and leaves that where it is. */
static enum status batch_ahead(struct refresh_run *run)
{
	struct row_refresh *refresh = run->refresh;
	struct write_commit commit = {.source = refresh->indexed->id, .ahead = true};

	refresh->bitmap_bytes += run->batch.bitmap_bytes.size;
	refresh->header_bytes += run->batch.header_bytes.size;
	return write_batch_commit(&run->batch, refresh->database, &commit, commit_gate(refresh),
				  run->message);
}

/* Nobody reads the bitmaps of a chunk behind the watermark: many of them go in many commits. */
static bool chunk_goes_ahead(const struct refresh_run *run, const struct chunk_work *work)
{
	return !(run->indexed_any && work->chunk <= chunk_of_row(run->last_row)) &&
	       chunk_work_bytes(work, ENCODER_BUILT_IN + run->refresh->program_count) >
		       write_batch_enough(&run->batch);
}

/* Takes one bitmap of a chunk, and writes where that is due. */
static enum status bitmap_add(struct refresh_run *run, const struct chunk_work *work, bool ahead,
			      size_t filter, size_t derived)
{
	enum status status = bitmap_take(run, work, filter, derived);

	/* What a part has written, days too, waits for the watermark. */
	if (status == STATUS_OK && ahead && !run->batch.begun && write_batch_is_full(&run->batch) &&
	    run->batch.day_count < WRITE_BATCH_DAYS)
		return batch_ahead(run);
	if (status == STATUS_OK && write_batch_is_heavy(&run->batch))
		return batch_part(run);
	return status;
}

static enum status bitmaps_add(struct refresh_run *run, const struct chunk_work *work, bool ahead)
{
	const struct row_refresh *refresh = run->refresh;
	const struct derived_filters *derived = refresh->derived;
	const size_t filters = ENCODER_BUILT_IN + refresh->program_count;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < filters; i++)
		if (!refresh->filters[i].derived)
			status = bitmap_add(run, work, ahead, i, NOT_DERIVED);
	if (status == STATUS_OK)
		derived_work_begin(run->derived, work->chunk, work);
	for (size_t i = 0; status == STATUS_OK && i < derived->count; i++)
		status = bitmap_add(run, work, ahead, derived->items[i].filter, i);
	return status;
}

static bool batch_is_empty(const struct write_batch *batch)
{
	return batch->bitmap_count + batch->header_count + batch->day_count == 0;
}

static enum status run_sink(void *context, const struct chunk_work *work, struct message *message)
{
	struct refresh_run *run = context;
	const bool ahead = chunk_goes_ahead(run, work);
	enum status status = STATUS_OK;

	run->message = message;
	if (ahead && !batch_is_empty(&run->batch))
		status = run_commit(run, false);
	run->whole = false;
	if (status == STATUS_OK)
		status = days_begin(run, work);
	if (status == STATUS_OK)
		status = segments_take(run, work);
	if (status == STATUS_OK)
		status = bitmaps_add(run, work, ahead);
	chunk_reader_rest(run->chunks);
	/* Other threads wait at the gate as long as a transaction is begun. */
	if (status != STATUS_OK)
		write_batch_cancel(&run->batch);
	run->chunk = work->chunk;
	run->whole = status == STATUS_OK;
	/* The watermark moves with a chunk that went ahead, also where its batch is empty now. */
	if (status == STATUS_OK && (ahead || write_batch_is_full(&run->batch)))
		status = run_commit(run, false);
	return status;
}

static enum status run_build(struct refresh_run *run)
{
	struct row_refresh *refresh = run->refresh;
	const struct segment_supply supply = {
		.rows = refresh->log,
		.dirty = run->dirty.numbers,
		.dirty_count = run->dirty.count,
		.tail = run->indexed_any ? segment_of(run->last_row) + 1
					 : segment_of(refresh->log->first),
	};
	const struct workers_options options = {
		.supply = &supply,
		.encoder = {.evaluation = refresh->evaluation,
			    .program_count = refresh->program_count + refresh->helper_count,
			    .questions = refresh->questions,
			    .question_count = refresh->question_count,
			    .built_in = true,
			    .pack = refresh->indexed->packed},
		.sink = run_sink,
		.sink_context = run,
		.spill_beside = sqlite3_db_filename(refresh->database, "main"),
		.control = refresh->control,
	};

	return workers_run(&options, refresh->result, run->message);
}

/* What counts days, where the index has times. */
static enum status days_open(struct refresh_run *run)
{
	const struct row_refresh *refresh = run->refresh;

	if (!refresh->indexed->packed || !refresh->log->layout.timestamp)
		return STATUS_OK;
	run->days = chunk_days_new();
	run->made = segment_columns_new();
	if (!run->days || !run->made)
		return message_out_of_memory(run->message);
	return column_reader_open(refresh->database, "main", refresh->indexed, &run->columns,
				  run->message);
}

static enum status run_prepare(struct refresh_run *run)
{
	struct row_refresh *refresh = run->refresh;
	enum status status = STATUS_OK;

	run->scratch = malloc(CHUNK_BYTES_MAX);
	run->room = malloc(CHUNK_ROOM);
	if (!run->scratch || !run->room)
		return message_out_of_memory(run->message);
	if (run->indexed_any && refresh->log->first > run->first_row)
		status = chunk_removal_run(
			refresh->database, refresh->indexed, refresh->filters,
			ENCODER_BUILT_IN + refresh->program_count, refresh->log->first,
			refresh->log->layout.timestamp != NULL, &refresh->removed_rows,
			commit_gate(refresh), refresh->control.stop, run->message);
	if (status == STATUS_OK)
		status = chunk_reader_open(refresh->database, &run->chunks, run->message);
	if (status == STATUS_OK)
		status = days_open(run);
	if (status == STATUS_OK)
		status = derived_work_new(refresh->derived, NULL, &run->derived, run->message);
	if (status == STATUS_OK)
		status = outcome_reader_open(refresh->database, refresh->indexed->id,
					     &run->outcomes, run->message);
	if (status == STATUS_OK && run->indexed_any)
		status = dirty_segments_find(&run->dirty,
					     &(struct dirty_search){
						     .database = refresh->database,
						     .indexed = refresh->indexed,
						     .first_row = run->first_row,
						     .last_row = run->last_row,
						     .log_first = refresh->log->first,
						     .log_last = refresh->log->last,
						     .noted = refresh->noted,
						     .noted_count = refresh->noted_count,
					     },
					     run->message);
	return status;
}

static enum status run_all(struct refresh_run *run)
{
	const struct row_refresh *refresh = run->refresh;
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
		status = log_check(refresh->log, refresh->indexed->tracked,
				   &refresh->indexed->log_stamp, message);
	if (status == STATUS_OK)
		status = run_commit(run, true);
	return status;
}

enum status row_refresh_run(struct row_refresh *refresh, struct message *message)
{
	struct refresh_run run = {
		.refresh = refresh,
		.message = message,
		.indexed_any = refresh->indexed->first_row <= refresh->indexed->last_row,
		.first_row = refresh->indexed->first_row,
		.last_row = refresh->indexed->last_row,
		.batch.alone = !refresh->same_file,
	};
	enum status status = run_all(&run);

	derived_work_free(run.derived);
	chunk_reader_close(run.chunks);
	column_reader_close(run.columns);
	segment_columns_free(run.made);
	chunk_days_free(run.days);
	outcome_reader_close(run.outcomes);
	write_batch_free(&run.batch);
	dirty_segments_free(&run.dirty);
	free(run.scratch);
	free(run.room);
	return status;
}
