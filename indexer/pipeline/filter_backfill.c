#include "filter_backfill.h"

#include <stdlib.h>

#include "index/column_reader.h"
#include "index/write_batch.h"

/* One run and what it gathers. */
struct filling {
	struct filter_backfill *backfill;
	struct write_batch batch;
	uint8_t *scratch; /* one encoded chunk */
	uint8_t *room;	  /* containers of one that had to be read */
};

static enum status filling_write(struct filling *filling, struct message *message)
{
	struct filter_backfill *backfill = filling->backfill;
	struct write_commit commit = {.source = index_write_pending(backfill->indexed->id)};

	backfill->bitmap_bytes += filling->batch.bitmap_bytes.size;
	return write_batch_commit(&filling->batch, backfill->database, &commit,
				  backfill->control.gate, message);
}

static enum status filling_sink(void *context, const struct chunk_work *work,
				struct message *message)
{
	struct filling *filling = context;
	struct filter_backfill *backfill = filling->backfill;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < backfill->filter_count; i++) {
		struct write_bitmap bitmap = {.filter = backfill->filters[i].id,
					      .chunk = work->chunk,
					      .bytes = filling->scratch};

		struct container containers[CHUNK_SEGMENTS] = {{0}};

		status = chunk_work_containers(work, i, filling->room, containers, message);
		if (status != STATUS_OK)
			break;
		bitmap.size = chunk_encode(containers, filling->scratch, &bitmap.rows);
		if (bitmap.size == 0)
			continue;
		backfill->filters[i].rows += bitmap.rows;
		status = write_batch_add_bitmap(&filling->batch, &bitmap, message);
		if (status == STATUS_OK && write_batch_is_full(&filling->batch))
			status = filling_write(filling, message);
	}
	return status;
}

enum status filter_backfill_run(struct filter_backfill *backfill, struct message *message)
{
	struct filling filling = {.backfill = backfill,
				  .scratch = malloc(CHUNK_BYTES_MAX),
				  .room = malloc(CHUNK_ROOM)};
	const struct segment_supply supply = {.index_path = backfill->index_path,
					      .indexed = backfill->indexed};
	const struct workers_options options = {
		.supply = &supply,
		.encoder = {.evaluation = backfill->evaluation,
			    .program_count = backfill->filter_count},
		.sink = filling_sink,
		.sink_context = &filling,
		.spill_beside = backfill->index_path,
		.control = backfill->control,
	};
	enum status status = filling.scratch && filling.room
				     ? workers_run(&options, backfill->result, message)
				     : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = column_reader_complete(
			backfill->indexed, backfill->result->outcomes[OUTCOME_HEADER], message);
	if (status == STATUS_OK && filling.batch.bitmap_count)
		status = filling_write(&filling, message);
	write_batch_free(&filling.batch);
	free(filling.scratch);
	free(filling.room);
	return status;
}
