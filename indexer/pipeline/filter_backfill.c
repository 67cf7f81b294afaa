#include "filter_backfill.h"

#include <stdlib.h>

#include "base/numbers.h"
#include "base/rowid.h"
#include "bitmap/container_algebra.h"
#include "index/bitmap_reader.h"
#include "index/chunk_days.h"
#include "index/column_reader.h"
#include "index/write_batch.h"

/* One run and what it gathers. */
struct filling {
	struct filter_backfill *backfill;
	struct write_batch batch;
	struct chunk_reader *stored;
	struct derived_work *derived;
	struct column_reader *columns; /* NULL where no times are stored */
	struct chunk_days *days;
	int64_t days_chunk; /* the one that they are of, */
	bool days_known;    /* if any */
	int64_t *chunks;    /* that have rows, ascending: what derived filters go through */
	size_t chunk_count;
	size_t next_chunk;
	uint8_t *scratch; /* one encoded chunk */
	uint8_t *room;	  /* containers of one that had to be read */
};

static enum status filling_write(struct filling *filling, struct message *message)
{
	struct filter_backfill *backfill = filling->backfill;
	struct write_commit commit = {.source = backfill->indexed->id};

	backfill->bitmap_bytes += filling->batch.bitmap_bytes.size;
	chunk_reader_rest(filling->stored);
	return write_batch_commit(&filling->batch, backfill->database, &commit,
				  backfill->control.gate, message);
}

/* Counts on which days the rows are that a filter has in a chunk. */
static enum status days_add(struct filling *filling, const struct index_write_filter *filter,
			    int64_t chunk, const struct container containers[static CHUNK_SEGMENTS],
			    struct message *message)
{
	enum status status = STATUS_OK;

	if (!filling->columns)
		return STATUS_OK;
	if (!filling->days_known || filling->days_chunk != chunk) {
		chunk_days_begin(filling->days);
		status = chunk_days_add_stored(filling->days, DAYS_MADE, filling->columns, chunk,
					       message);
		if (status == STATUS_OK)
			status = chunk_days_ready(filling->days, message);
		filling->days_chunk = chunk;
		filling->days_known = status == STATUS_OK;
	}
	if (status != STATUS_OK)
		return status;
	chunk_days_count(filling->days, DAYS_MADE, filter->kind, containers);
	return chunk_days_take(filling->days, filter->id, &filling->batch, message);
}

/* Adds what a filter has in a chunk. */
static enum status bitmap_add(struct filling *filling, size_t filter, int64_t chunk,
			      const struct container containers[static CHUNK_SEGMENTS],
			      struct message *message)
{
	struct index_write_filter *target = &filling->backfill->filters[filter];
	struct write_bitmap bitmap = {
		.filter = target->id, .chunk = chunk, .bytes = filling->scratch};
	enum status status;

	bitmap.size = chunk_encode(containers, filling->scratch, &bitmap.rows);
	if (bitmap.size == 0)
		return STATUS_OK;
	target->rows += bitmap.rows;
	status = write_batch_add_bitmap(&filling->batch, &bitmap, message);
	if (status == STATUS_OK)
		status = days_add(filling, target, chunk, containers, message);
	if (status == STATUS_OK &&
	    (write_batch_is_full(&filling->batch) || write_batch_is_heavy(&filling->batch)))
		status = filling_write(filling, message);
	return status;
}

/* Counts the rows of a chunk that are in one of a filter and what it replaces, not in both. */
static enum status change_count(struct filling *filling, struct index_write_filter *target,
				int64_t chunk, const struct container made[static CHUNK_SEGMENTS],
				struct message *message)
{
	struct stored_chunk stored;
	enum status status = chunk_reader_read(filling->stored, target->replaces, target->name,
					       chunk, &stored, message);

	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++) {
		const struct container *before = &stored.containers[i];
		const uint32_t both = made[i].cardinality && before->cardinality
					      ? container_common(&made[i], before)
					      : 0;

		target->changed += made[i].cardinality + before->cardinality - 2 * both;
	}
	return status;
}

/* Computes all derived filters for a chunk. */
static enum status derived_add(struct filling *filling, int64_t chunk,
			       const struct chunk_work *work, struct message *message)
{
	const struct filter_backfill *backfill = filling->backfill;
	enum status status = STATUS_OK;

	derived_work_begin(filling->derived, chunk, work);
	for (size_t i = 0; status == STATUS_OK && i < backfill->derived->count; i++) {
		const size_t filter = backfill->derived->items[i].filter;
		struct index_write_filter *target = &backfill->filters[filter];
		struct container containers[CHUNK_SEGMENTS];

		status = derived_work_run(filling->derived, i, containers, message);
		if (status == STATUS_OK && target->replaces)
			status = change_count(filling, target, chunk, containers, message);
		if (status == STATUS_OK)
			status = bitmap_add(filling, filter, chunk, containers, message);
	}
	chunk_reader_rest(filling->stored);
	return status;
}

/* Computes them for the chunks ahead of one that have rows and no headers. */
static enum status chunks_pass(struct filling *filling, int64_t before, bool all,
			       struct message *message)
{
	const volatile sig_atomic_t *stop = filling->backfill->control.stop;
	enum status status = STATUS_OK;

	for (; status == STATUS_OK && filling->next_chunk < filling->chunk_count &&
	       (all || filling->chunks[filling->next_chunk] < before);
	     filling->next_chunk++) {
		if (stop && *stop)
			return message_set(message, STATUS_FAILED, "interrupted");
		status = derived_add(filling, filling->chunks[filling->next_chunk], NULL, message);
	}
	return status;
}

static enum status filling_sink(void *context, const struct chunk_work *work,
				struct message *message)
{
	struct filling *filling = context;
	struct filter_backfill *backfill = filling->backfill;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < backfill->filter_count; i++) {
		struct container containers[CHUNK_SEGMENTS] = {{0}};

		if (backfill->filters[i].derived)
			continue;
		status = chunk_work_containers(work, i, filling->room, containers, message);
		if (status == STATUS_OK)
			status = bitmap_add(filling, i, work->chunk, containers, message);
	}
	if (status != STATUS_OK || backfill->derived->count == 0)
		return status;
	status = chunks_pass(filling, work->chunk, false, message);
	if (filling->next_chunk < filling->chunk_count &&
	    filling->chunks[filling->next_chunk] == work->chunk)
		filling->next_chunk++;
	return status == STATUS_OK ? derived_add(filling, work->chunk, work, message) : status;
}

/* Adds the chunks in which a filter has rows. */
static enum status chunks_list(struct filling *filling, int64_t filter, struct message *message)
{
	const struct filter_backfill *backfill = filling->backfill;
	struct bitmap_reader *reader = NULL;
	struct stored_chunk stored = {0};
	enum status status = bitmap_reader_open(backfill->database, "main", &reader, message);

	if (status == STATUS_OK)
		bitmap_reader_seek(reader, filter, chunk_of_row(backfill->indexed->first_row),
				   chunk_of_row(backfill->indexed->last_row));
	while (status == STATUS_OK) {
		int64_t *larger;

		status = bitmap_reader_next(reader, &stored, message);
		if (status != STATUS_OK || !stored.bytes)
			break;
		larger = realloc(filling->chunks, (filling->chunk_count + 1) * sizeof(*larger));
		if (!larger) {
			status = message_out_of_memory(message);
			break;
		}
		filling->chunks = larger;
		larger[filling->chunk_count++] = stored.chunk;
	}
	bitmap_reader_close(reader);
	return status;
}

/* All chunks that have rows with a header, or skipped ones. */
static enum status chunks_find(struct filling *filling, struct message *message)
{
	enum status status = chunks_list(filling, filling->backfill->all, message);

	if (status == STATUS_OK)
		status = chunks_list(filling, filling->backfill->skipped, message);
	filling->chunk_count = numbers_settle(filling->chunks, filling->chunk_count);
	return status;
}

static enum status columns_run(struct filling *filling, struct message *message)
{
	struct filter_backfill *backfill = filling->backfill;
	const struct segment_supply supply = {.index_path = backfill->index_path,
					      .indexed = backfill->indexed};
	const struct workers_options options = {
		.supply = &supply,
		.encoder = {.evaluation = backfill->evaluation,
			    .program_count = backfill->filter_count + backfill->helper_count,
			    .questions = backfill->questions,
			    .question_count = backfill->question_count},
		.sink = filling_sink,
		.sink_context = filling,
		.spill_beside = backfill->index_path,
		.control = backfill->control,
	};
	enum status status = workers_run(&options, backfill->result, message);

	return status == STATUS_OK
		       ? column_reader_complete(backfill->indexed,
						backfill->result->outcomes[OUTCOME_HEADER], message)
		       : status;
}

static enum status filling_begin(struct filling *filling, struct message *message)
{
	struct filter_backfill *backfill = filling->backfill;
	enum status status;

	filling->scratch = malloc(CHUNK_BYTES_MAX);
	filling->room = malloc(CHUNK_ROOM);
	if (!filling->scratch || !filling->room)
		return message_out_of_memory(message);
	status = chunk_reader_open(backfill->database, &filling->stored, message);
	if (status == STATUS_OK && backfill->indexed->packed && backfill->timed) {
		status = column_reader_open(backfill->database, "main", backfill->indexed,
					    &filling->columns, message);
		filling->days = chunk_days_new();
		if (status == STATUS_OK && !filling->days)
			status = message_out_of_memory(message);
	}
	if (status == STATUS_OK)
		status = derived_work_new(backfill->derived, filling->stored, &filling->derived,
					  message);
	if (status == STATUS_OK && backfill->derived->count)
		status = chunks_find(filling, message);
	return status;
}

enum status filter_backfill_run(struct filter_backfill *backfill, struct message *message)
{
	struct filling filling = {.backfill = backfill};
	enum status status = filling_begin(&filling, message);

	if (status == STATUS_OK && backfill->reads_columns)
		status = columns_run(&filling, message);
	if (status == STATUS_OK)
		status = chunks_pass(&filling, 0, true, message);
	if (status == STATUS_OK && filling.batch.bitmap_count)
		status = filling_write(&filling, message);
	derived_work_free(filling.derived);
	chunk_reader_close(filling.stored);
	column_reader_close(filling.columns);
	chunk_days_free(filling.days);
	write_batch_free(&filling.batch);
	free(filling.chunks);
	free(filling.scratch);
	free(filling.room);
	return status;
}
