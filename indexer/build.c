#include "build.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "chunk_table.h"
#include "clock.h"

enum {
	/* A batch this large is worth a transaction; it is written in a fraction of a second. */
	BATCH_BYTES = 8 << 20,
};

/* Bitmaps that wait for the sink. */
struct batch {
	struct store_bitmap *bitmaps; /* their bytes are set by batch_sink */
	size_t count;
	size_t capacity;
	uint8_t *bytes;
	size_t size;
	size_t bytes_capacity;
};

/* Shared by all threads; guarded by the critical section connbits_build. */
struct build {
	const struct build_options *options;
	uint64_t *filter_rows;
	struct build_result *result;
	int64_t next_segment;
	bool exhausted;
	struct chunk_table chunks;
	struct batch batch;
	enum status status;
	struct message message;
};

/* What one thread works with. */
struct worker {
	struct build *build;
	struct source_reader *reader;
	struct segment *segment;
	struct evaluator *evaluator;
	struct segment_bits *bits; /* of one segment and program */
	uint8_t *scratch;	   /* one encoded chunk, or the containers of one segment */
	size_t scratch_size;
	double seconds[BUILD_STAGES];
};

const char *build_stage_name(enum build_stage stage)
{
	static const char *const names[BUILD_STAGES] = {
		[BUILD_READ] = "read",
		[BUILD_EVALUATE] = "evaluate",
		[BUILD_ENCODE] = "bitmap",
		[BUILD_STORE] = "store",
	};

	return names[stage];
}

static size_t bitmap_count(const struct build *build)
{
	return BUILD_BUILT_IN + build->options->program_count;
}

static void build_fail(struct build *build, enum status status, const struct message *message)
{
#pragma omp critical(connbits_build)
	if (build->status == STATUS_OK) {
		build->status = status;
		build->message = *message;
	}
}

static bool build_running(struct build *build)
{
	const volatile sig_atomic_t *stop = build->options->stop;
	enum status status;

	if (stop && *stop) {
		struct message message;

		status =
			message_set(&message, STATUS_FAILED, "interrupted; the index is as it was");
		build_fail(build, status, &message);
		return false;
	}
#pragma omp critical(connbits_build)
	status = build->status;
	return status == STATUS_OK;
}

static void report_progress(const struct build *build)
{
	const struct build_options *options = build->options;
	double first = (double)segment_of(options->source->first);
	double last = (double)segment_of(options->source->last);
	uint64_t rows = 0;

	if (!options->progress)
		return;
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		rows += build->result->outcomes[outcome];
	options->progress(options->progress_context, rows,
			  ((double)build->next_segment - first) / (last - first + 1));
}

/* Gives the worker the next segment that has rows; *found is false at the end. */
static enum status segment_give(struct worker *worker, int64_t *number, bool *found,
				struct message *message)
{
	struct build *build = worker->build;
	enum status status = STATUS_OK;

	*found = false;
#pragma omp critical(connbits_build)
	if (!build->exhausted) {
		status = source_next_segment(worker->reader, build->next_segment, number, found,
					     message);
		if (status == STATUS_OK && *found) {
			build->next_segment = *number + 1;
			if (!chunk_table_give(&build->chunks, *number))
				status = message_out_of_memory(message);
		} else {
			build->exhausted = true;
			chunk_table_close(&build->chunks);
		}
	}
	return status;
}

/* Gives the bits of one bitmap of the worker's segment. */
static void bits_evaluate(struct worker *worker, size_t bitmap)
{
	const struct segment *segment = worker->segment;

	if (bitmap >= BUILD_BUILT_IN) {
		evaluator_bits(worker->evaluator, bitmap - BUILD_BUILT_IN, worker->bits);
	} else if (bitmap == BUILD_ALL) {
		segment_bits_all(segment, worker->bits);
	} else {
		memset(worker->bits->occupied, 0xff, sizeof(worker->bits->occupied));
		memcpy(worker->bits->words, segment->skipped, sizeof(segment->skipped));
	}
}

/* Encodes all bitmaps of the worker's segment. The caller frees *out also on failure. */
static enum status segment_encode(struct worker *worker, struct segment_bitmaps *out,
				  struct message *message)
{
	size_t count = bitmap_count(worker->build);
	size_t used = 0;
	double last = clock_seconds();
	enum status status;

	*out = (struct segment_bitmaps){.containers = calloc(count, sizeof(*out->containers))};
	if (!out->containers)
		return message_out_of_memory(message);
	status = evaluator_read(worker->evaluator, worker->segment, message);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		double now;

		if (worker->scratch_size - used < CONTAINER_BYTES_MAX) {
			uint8_t *larger = realloc(worker->scratch, worker->scratch_size * 2);

			if (!larger)
				return message_out_of_memory(message);
			worker->scratch = larger;
			worker->scratch_size *= 2;
		}
		bits_evaluate(worker, i);
		now = clock_seconds();
		worker->seconds[BUILD_EVALUATE] += now - last;
		container_encode(worker->segment->number, worker->bits,
				 evaluation_kernels(worker->build->options->evaluation),
				 worker->scratch + used, &out->containers[i]);
		used += out->containers[i].size;
		last = clock_seconds();
		worker->seconds[BUILD_ENCODE] += last - now;
	}
	out->bytes = malloc(used ? used : 1);
	if (!out->bytes)
		return message_out_of_memory(message);
	memcpy(out->bytes, worker->scratch, used);
	used = 0;
	for (size_t i = 0; i < count; i++) {
		out->containers[i].bytes = out->bytes + used;
		used += out->containers[i].size;
	}
	return STATUS_OK;
}

static bool batch_reserve(struct batch *batch, size_t size)
{
	if (batch->count == batch->capacity) {
		size_t capacity = batch->capacity ? batch->capacity * 2 : 256;
		struct store_bitmap *bitmaps = realloc(batch->bitmaps, capacity * sizeof(*bitmaps));

		if (!bitmaps)
			return false;
		batch->bitmaps = bitmaps;
		batch->capacity = capacity;
	}
	if (batch->bytes_capacity - batch->size < size) {
		size_t capacity = (batch->bytes_capacity + size) * 2;
		uint8_t *bytes = realloc(batch->bytes, capacity);

		if (!bytes)
			return false;
		batch->bytes = bytes;
		batch->bytes_capacity = capacity;
	}
	return true;
}

static bool batch_append(struct batch *batch, size_t filter, int64_t chunk, uint64_t rows,
			 const uint8_t *bytes, size_t size)
{
	if (!batch_reserve(batch, size))
		return false;
	memcpy(batch->bytes + batch->size, bytes, size);
	batch->size += size;
	batch->bitmaps[batch->count++] =
		(struct store_bitmap){.filter = filter, .chunk = chunk, .rows = rows, .size = size};
	return true;
}

static void batch_free(struct batch *batch)
{
	free(batch->bitmaps);
	free(batch->bytes);
	*batch = (struct batch){0};
}

/* Joins the segments of a complete chunk and appends its bitmaps to a batch. */
static enum status chunk_append(struct worker *worker, const struct chunk_work *work,
				struct batch *batch, struct message *message)
{
	struct build *build = worker->build;
	size_t count = bitmap_count(build);

	for (size_t bitmap = 0; bitmap < count; bitmap++) {
		struct container containers[CHUNK_SEGMENTS];
		size_t present = 0;
		uint64_t rows;
		size_t size;

		for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
			if (work->segments[i].containers &&
			    work->segments[i].containers[bitmap].cardinality)
				containers[present++] = work->segments[i].containers[bitmap];
		size = chunk_encode(containers, present, worker->scratch, &rows);
		if (size == 0)
			continue;
		if (!batch_append(batch, bitmap, work->chunk, rows, worker->scratch, size))
			return message_out_of_memory(message);
#pragma omp atomic
		build->filter_rows[bitmap] += rows;
	}
	return STATUS_OK;
}

/* As many bitmaps from `first` on as a transaction may have bytes; at least one. */
static size_t slice_length(const struct batch *batch, size_t first)
{
	size_t bytes = 0;
	size_t end = first;

	while (end < batch->count &&
	       (end == first || bytes + batch->bitmaps[end].size <= BATCH_BYTES))
		bytes += batch->bitmaps[end++].size;
	return end - first;
}

/* Hands a batch to the sink, in slices; only one thread does so at a time. */
static enum status batch_sink(struct worker *worker, struct batch *batch, struct message *message)
{
	const struct build_options *options = worker->build->options;
	enum status status = STATUS_OK;
	size_t offset = 0;

	for (size_t i = 0; i < batch->count; i++) {
		batch->bitmaps[i].bytes = batch->bytes + offset;
		offset += batch->bitmaps[i].size;
	}
#pragma omp critical(connbits_sink)
	{
		double start = clock_seconds();

		for (size_t first = 0; status == STATUS_OK && first < batch->count;) {
			size_t length = slice_length(batch, first);

			status = options->sink(options->sink_context, batch->bitmaps + first,
					       length, message);
			first += length;
		}
		worker->seconds[BUILD_STORE] += clock_seconds() - start;
		worker->build->result->bitmap_bytes += batch->size;
	}
	return status;
}

/*
 * Takes complete chunks out of the table into the shared batch, and hands that
 * on once it is large, or at the very end.
 */
static enum status chunks_finish(struct worker *worker, bool flush, struct message *message)
{
	struct build *build = worker->build;
	struct batch ready = {0};
	enum status status = STATUS_OK;

#pragma omp critical(connbits_build)
	{
		struct chunk_work *work;

		while (status == STATUS_OK && (work = chunk_table_complete(&build->chunks))) {
			status = chunk_append(worker, work, &build->batch, message);
			chunk_work_free(work);
		}
		if (flush || build->batch.size >= BATCH_BYTES) {
			ready = build->batch;
			build->batch = (struct batch){0};
		}
	}
	if (status == STATUS_OK)
		status = batch_sink(worker, &ready, message);
	batch_free(&ready);
	return status;
}

static enum status segment_process(struct worker *worker, int64_t number, struct message *message)
{
	struct build *build = worker->build;
	struct segment_bitmaps bitmaps;
	double start = clock_seconds();
	enum status status = source_read_segment(worker->reader, number, worker->segment, message);

	worker->seconds[BUILD_READ] += clock_seconds() - start;
	if (status != STATUS_OK)
		return status;
	status = segment_encode(worker, &bitmaps, message);
	if (status != STATUS_OK) {
		free(bitmaps.containers);
		free(bitmaps.bytes);
		return status;
	}
#pragma omp critical(connbits_build)
	{
		chunk_table_take(&build->chunks, number, bitmaps);
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
			build->result->outcomes[outcome] += worker->segment->outcomes[outcome];
		report_progress(build);
	}
	return chunks_finish(worker, false, message);
}

static enum status worker_open(struct worker *worker, struct message *message)
{
	const struct build_options *options = worker->build->options;
	enum status status;

	worker->segment = segment_new();
	worker->bits = malloc(sizeof(*worker->bits));
	worker->scratch_size = CHUNK_BYTES_MAX;
	worker->scratch = malloc(worker->scratch_size);
	if (!worker->segment || !worker->bits || !worker->scratch)
		return message_out_of_memory(message);
	status = evaluator_new(options->evaluation, &worker->evaluator, message);
	if (status != STATUS_OK)
		return status;
	return source_reader_open(options->source, &worker->reader, message);
}

static void worker_close(struct worker *worker)
{
	source_reader_close(worker->reader);
	segment_free(worker->segment);
	evaluator_free(worker->evaluator);
	free(worker->bits);
	free(worker->scratch);
#pragma omp critical(connbits_build)
	for (int stage = 0; stage < BUILD_STAGES; stage++)
		worker->build->result->seconds[stage] += worker->seconds[stage];
}

static void worker_run(struct build *build)
{
	struct worker worker = {.build = build};
	struct message message;
	enum status status = worker_open(&worker, &message);

	while (status == STATUS_OK && build_running(build)) {
		int64_t number;
		bool found;

		status = segment_give(&worker, &number, &found, &message);
		if (status != STATUS_OK || !found)
			break;
		status = segment_process(&worker, number, &message);
	}
	/* Whoever is last finds every chunk complete. */
	if (status == STATUS_OK && build_running(build))
		status = chunks_finish(&worker, true, &message);
	if (status != STATUS_OK)
		build_fail(build, status, &message);
	worker_close(&worker);
}

enum status build_run(const struct build_options *options, uint64_t *filter_rows,
		      struct build_result *result, struct message *message)
{
	struct build build = {
		.options = options,
		.filter_rows = filter_rows,
		.result = result,
		.next_segment = segment_of(options->source->first),
		.exhausted = options->source->empty,
		.status = STATUS_OK,
	};

	*result = (struct build_result){0};
	memset(filter_rows, 0, bitmap_count(&build) * sizeof(*filter_rows));
#pragma omp parallel num_threads(options->threads)
	worker_run(&build);
	batch_free(&build.batch);
	chunk_table_free(&build.chunks);
	if (build.status != STATUS_OK)
		*message = build.message;
	return build.status;
}
