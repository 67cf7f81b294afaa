#include "backfill.h"

#include <stdlib.h>

#include "batch.h"
#include "stored_header.h"

/* One run and what it gathers. */
struct filling {
	struct backfill *backfill;
	struct batch batch;
	uint8_t *scratch; /* one encoded chunk */
};

static enum status filling_write(struct filling *filling, struct message *message)
{
	struct backfill *backfill = filling->backfill;
	struct commit commit = {.source = commit_pending(backfill->indexed->id)};

	backfill->bitmap_bytes += filling->batch.bitmap_bytes.size;
	return batch_write(&filling->batch, backfill->database, &commit, backfill->gate, message);
}

static enum status filling_sink(void *context, const struct chunk_work *work,
				struct message *message)
{
	struct filling *filling = context;
	struct backfill *backfill = filling->backfill;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < backfill->filter_count; i++) {
		struct container containers[CHUNK_SEGMENTS];
		size_t present = 0;
		struct commit_bitmap bitmap = {.filter = backfill->filters[i].id,
					       .chunk = work->chunk,
					       .bytes = filling->scratch};

		for (size_t j = 0; j < CHUNK_SEGMENTS; j++)
			if (work->segments[j].given && work->segments[j].containers[i].cardinality)
				containers[present++] = work->segments[j].containers[i];
		bitmap.size = chunk_encode(containers, present, filling->scratch, &bitmap.rows);
		if (bitmap.size == 0)
			continue;
		backfill->filters[i].rows += bitmap.rows;
		status = batch_add_bitmap(&filling->batch, &bitmap, message);
		if (status == STATUS_OK && batch_is_full(&filling->batch))
			status = filling_write(filling, message);
	}
	return status;
}

enum status backfill_run(struct backfill *backfill, struct message *message)
{
	struct filling filling = {.backfill = backfill, .scratch = malloc(CHUNK_BYTES_MAX)};
	const struct supply supply = {.index_path = backfill->index_path,
				      .indexed = backfill->indexed};
	const struct build_options build = {
		.supply = &supply,
		.encoder = {.evaluation = backfill->evaluation,
			    .program_count = backfill->filter_count},
		.threads = backfill->threads,
		.sink = filling_sink,
		.sink_context = &filling,
		.progress = backfill->progress,
		.progress_context = backfill->progress_context,
		.stop = backfill->stop,
		.gate = backfill->gate,
	};
	enum status status = filling.scratch ? build_run(&build, backfill->result, message)
					     : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = stored_headers_complete(
			backfill->indexed, backfill->result->outcomes[OUTCOME_HEADER], message);
	if (status == STATUS_OK && filling.batch.bitmap_count)
		status = filling_write(&filling, message);
	batch_free(&filling.batch);
	free(filling.scratch);
	return status;
}
