#include "build.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "clock.h"
#include "packing.h"

/* Shared by all threads; guarded by the critical section connbits_build. */
struct build {
	const struct build_options *options;
	struct build_result *result;
	int64_t next_segment;
	bool exhausted;
	struct chunk_table chunks;
	enum status status;
	struct message message;
};

/* What one thread works with. */
struct worker {
	struct build *build;
	struct supply_reader *reader;
	struct segment *segment;
	struct evaluator *evaluator;
	struct segment_bits *bits; /* of one segment and program */
	uint8_t *scratch;	   /* the containers of one segment */
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

static size_t built_in_count(const struct build *build)
{
	return build->options->built_in ? BUILD_BUILT_IN : 0;
}

static size_t bitmap_count(const struct build *build)
{
	return built_in_count(build) + build->options->program_count;
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

		status = message_set(&message, STATUS_FAILED, "interrupted");
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
	int64_t first;
	int64_t last;
	uint64_t rows = 0;

	if (!options->progress)
		return;
	supply_range(options->supply, &first, &last);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		rows += build->result->outcomes[outcome];
	options->progress(options->progress_context, rows,
			  ((double)build->next_segment - (double)first) /
				  ((double)last - (double)first + 1));
}

static void gate_enter(const struct build *build)
{
	if (build->options->gate)
		pthread_rwlock_rdlock(build->options->gate);
}

static void gate_leave(const struct build *build)
{
	if (build->options->gate)
		pthread_rwlock_unlock(build->options->gate);
}

/* Gives the worker the next segment; *found is false at the end. */
static enum status segment_give(struct worker *worker, int64_t *number, bool *found,
				struct message *message)
{
	struct build *build = worker->build;
	enum status status = STATUS_OK;

	*found = false;
#pragma omp critical(connbits_build)
	if (!build->exhausted) {
		gate_enter(build);
		status = supply_next(worker->reader, build->next_segment, number, found, message);
		gate_leave(build);
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
	const size_t built_in = built_in_count(worker->build);

	if (bitmap >= built_in) {
		evaluator_bits(worker->evaluator, bitmap - built_in, worker->bits);
	} else if (bitmap == BUILD_ALL) {
		segment_bits_all(segment, worker->bits);
	} else {
		memset(worker->bits->occupied, 0xff, sizeof(worker->bits->occupied));
		memcpy(worker->bits->words, segment->skipped, sizeof(segment->skipped));
	}
}

/* Makes room for one more container, however large. */
static bool scratch_reserve(struct worker *worker, size_t used)
{
	uint8_t *larger;

	if (worker->scratch_size - used >= CONTAINER_BYTES_MAX)
		return true;
	larger = realloc(worker->scratch, worker->scratch_size * 2);
	if (!larger)
		return false;
	worker->scratch = larger;
	worker->scratch_size *= 2;
	return true;
}

/* Gives the containers, which lie one behind the other in the scratch, memory of their own. */
static bool containers_keep(const struct worker *worker, size_t count, size_t size,
			    struct segment_result *out)
{
	size_t used = 0;

	out->bytes = malloc(size ? size : 1);
	if (!out->bytes)
		return false;
	memcpy(out->bytes, worker->scratch, size);
	for (size_t i = 0; i < count; i++) {
		out->containers[i].bytes = out->bytes + used;
		used += out->containers[i].size;
	}
	return true;
}

/* Encodes all bitmaps of the worker's segment. The caller frees *out also on failure. */
static enum status segment_encode(struct worker *worker, struct segment_result *out,
				  struct message *message)
{
	const struct kernels *kernels = evaluation_kernels(worker->build->options->evaluation);
	const size_t count = bitmap_count(worker->build);
	size_t used = 0;
	double last = clock_seconds();
	enum status status;

	out->containers = calloc(count + 1, sizeof(*out->containers));
	if (!out->containers)
		return message_out_of_memory(message);
	status = evaluator_read(worker->evaluator, worker->segment, message);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		double now;

		if (!scratch_reserve(worker, used))
			return message_out_of_memory(message);
		bits_evaluate(worker, i);
		now = clock_seconds();
		worker->seconds[BUILD_EVALUATE] += now - last;
		container_encode(worker->segment->number, worker->bits, kernels,
				 worker->scratch + used, &out->containers[i]);
		used += out->containers[i].size;
		last = clock_seconds();
		worker->seconds[BUILD_ENCODE] += last - now;
	}
	if (!containers_keep(worker, count, used, out))
		return message_out_of_memory(message);
	if (worker->build->options->pack)
		status = packing_encode(worker->segment, kernels, &out->packed, &out->packed_size,
					message);
	worker->seconds[BUILD_ENCODE] += clock_seconds() - last;
	return status;
}

/* The lowest chunk, if it is complete. */
static struct chunk_work *chunk_complete(struct build *build)
{
	struct chunk_work *work;

#pragma omp critical(connbits_build)
	work = chunk_table_complete(&build->chunks);
	return work;
}

/*
 * Hands complete chunks to the sink. A thread that finds another one at it
 * waits: so no more chunks pile up than there are threads.
 */
static enum status chunks_finish(struct worker *worker, struct message *message)
{
	const struct build_options *options = worker->build->options;
	enum status status = STATUS_OK;

#pragma omp critical(connbits_sink)
	{
		double start = clock_seconds();
		struct chunk_work *work;

		while (status == STATUS_OK && (work = chunk_complete(worker->build))) {
			status = options->sink(options->sink_context, work, message);
			chunk_work_free(work);
		}
		worker->seconds[BUILD_STORE] += clock_seconds() - start;
	}
	return status;
}

static enum status segment_process(struct worker *worker, int64_t number, struct message *message)
{
	struct build *build = worker->build;
	struct segment_result result = {.given = true};
	double start = clock_seconds();
	enum status status;

	gate_enter(build);
	status = supply_read(worker->reader, number, worker->segment, message);
	gate_leave(build);
	worker->seconds[BUILD_READ] += clock_seconds() - start;
	if (status == STATUS_OK)
		status = segment_encode(worker, &result, message);
	if (status != STATUS_OK) {
		segment_result_free(&result);
		return status;
	}
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		result.outcomes[outcome] = worker->segment->outcomes[outcome];
#pragma omp critical(connbits_build)
	{
		chunk_table_take(&build->chunks, number, &result);
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
			build->result->outcomes[outcome] += result.outcomes[outcome];
		report_progress(build);
	}
	return chunks_finish(worker, message);
}

static enum status worker_open(struct worker *worker, struct message *message)
{
	const struct build_options *options = worker->build->options;
	enum status status;

	worker->segment = segment_new();
	worker->bits = malloc(sizeof(*worker->bits));
	worker->scratch_size = (size_t)16 * CONTAINER_BYTES_MAX;
	worker->scratch = malloc(worker->scratch_size);
	if (!worker->segment || !worker->bits || !worker->scratch)
		return message_out_of_memory(message);
	status = evaluator_new(options->evaluation, &worker->evaluator, message);
	if (status == STATUS_OK)
		status = supply_reader_open(options->supply, &worker->reader, message);
	return status;
}

static void worker_close(struct worker *worker)
{
	supply_reader_close(worker->reader);
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
		status = chunks_finish(&worker, &message);
	if (status != STATUS_OK)
		build_fail(build, status, &message);
	worker_close(&worker);
}

enum status build_run(const struct build_options *options, struct build_result *result,
		      struct message *message)
{
	struct build build = {.options = options, .result = result, .status = STATUS_OK};
	int64_t last;
	int threads = options->threads;

	supply_range(options->supply, &build.next_segment, &last);
	build.exhausted = build.next_segment > last;
	/* No more threads than there are segments. */
	if (!build.exhausted &&
	    (uint64_t)last - (uint64_t)build.next_segment + 1 < (uint64_t)threads)
		threads = (int)(last - build.next_segment + 1);
#pragma omp parallel num_threads(threads)
	worker_run(&build);
	chunk_table_free(&build.chunks);
	if (build.status != STATUS_OK)
		*message = build.message;
	return build.status;
}
