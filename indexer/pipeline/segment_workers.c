#include "segment_workers.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/openmp.h"
#include "bitmap/roaring_format.h"
#include "engine/segment_encoder.h"
#include "index/column_reader.h"

enum {
	/* Containers of the chunks being worked on: those of 100 dense filters and 32 threads. */
	CONTAINER_MEMORY = 96 << 20,
};

/* Shared by all threads; guarded by the critical section connbits_workers. */
struct workers {
	const struct workers_options *options;
	struct encoder_options encoder;
	struct workers_result *result;
	int64_t next_segment;
	bool exhausted;
	struct chunk_table chunks;
	enum status status;
	struct message message;
	omp_lock_t sink; /* of whoever hands chunks to it */
	int threads;
};

/* What one thread works with. */
struct worker {
	struct workers *workers;
	struct segment_supply_reader *reader;
	struct segment *segment;
	struct segment_encoder *encoder;
	double seconds[WORKERS_STAGES];
};

const char *workers_stage_name(enum workers_stage stage)
{
	static const char *const names[WORKERS_STAGES] = {
		[WORKERS_READ] = "read",
		[WORKERS_EVALUATE] = "evaluate",
		[WORKERS_ENCODE] = "bitmap",
		[WORKERS_STORE] = "store",
	};

	return names[stage];
}

static void workers_fail(struct workers *workers, enum status status, const struct message *message)
{
#pragma omp critical(connbits_workers)
	if (workers->status == STATUS_OK) {
		workers->status = status;
		workers->message = *message;
	}
}

static bool workers_running(struct workers *workers)
{
	const volatile sig_atomic_t *stop = workers->options->control.stop;
	enum status status;

	if (stop && *stop) {
		struct message message;

		status = message_set(&message, STATUS_FAILED, "interrupted");
		workers_fail(workers, status, &message);
		return false;
	}
#pragma omp critical(connbits_workers)
	status = workers->status;
	return status == STATUS_OK;
}

static void report_progress(const struct workers *workers)
{
	const struct workers_options *options = workers->options;
	int64_t first;
	int64_t last;
	uint64_t rows = 0;

	if (!options->control.progress)
		return;
	segment_supply_range(options->supply, &first, &last);
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		rows += workers->result->outcomes[outcome];
	options->control.progress(options->control.progress_context, rows,
				  ((double)workers->next_segment - (double)first) /
					  ((double)last - (double)first + 1));
}

/* Gives the worker the next segment; *found is false at the end. */
static enum status segment_give(struct worker *worker, int64_t *number, bool *found,
				struct message *message)
{
	struct workers *workers = worker->workers;
	enum status status = STATUS_OK;

	*found = false;
#pragma omp critical(connbits_workers)
	if (!workers->exhausted) {
		const double since = reader_gate_enter(workers->options->control.gate);

		status = segment_supply_next(worker->reader, workers->next_segment, number, found,
					     message);
		reader_gate_leave(workers->options->control.gate, since);
		if (status == STATUS_OK && *found) {
			workers->next_segment = *number + 1;
			if (!chunk_table_give(&workers->chunks, *number))
				status = message_out_of_memory(message);
		} else {
			workers->exhausted = true;
			chunk_table_close(&workers->chunks);
		}
	}
	return status;
}

/* The lowest chunk, if it is complete. */
static struct chunk_work *chunk_complete(struct workers *workers)
{
	struct chunk_work *work;

#pragma omp critical(connbits_workers)
	work = chunk_table_complete(&workers->chunks);
	return work;
}

/*
 * The sink for this thread alone. Where another thread has it there is other work to do, but for
 * the last one, and where as many chunks as there are threads would pile up.
 */
static bool sink_take(struct workers *workers, bool last)
{
	size_t waiting;

	if (omp_test_lock(&workers->sink))
		return true;
#pragma omp critical(connbits_workers)
	waiting = chunk_table_count(&workers->chunks);
	if (!last && waiting <= (size_t)workers->threads)
		return false;
	omp_set_lock(&workers->sink);
	return true;
}

/* Hands complete chunks to the sink: all there are for the last segment. */
static enum status chunks_finish(struct worker *worker, bool last, struct message *message)
{
	const struct workers_options *options = worker->workers->options;
	enum status status = STATUS_OK;
	struct chunk_work *work;
	double start;

	if (!sink_take(worker->workers, last))
		return STATUS_OK;
	start = clock_seconds();
	while (status == STATUS_OK && (work = chunk_complete(worker->workers))) {
		status = options->sink(options->sink_context, work, message);
		chunk_work_free(work);
	}
	worker->seconds[WORKERS_STORE] += clock_seconds() - start;
	omp_unset_lock(&worker->workers->sink);
	return status;
}

static enum status rows_encode(struct worker *worker, int64_t number, struct segment_result *result,
			       struct message *message)
{
	struct reader_gate *gate = worker->workers->options->control.gate;
	double start = clock_seconds();
	enum status status;
	double since;

	since = reader_gate_enter(gate);
	status = segment_supply_read(worker->reader, number, worker->segment, message);
	reader_gate_leave(gate, since);
	worker->seconds[WORKERS_READ] += clock_seconds() - start;
	return status == STATUS_OK
		       ? segment_encoder_run(worker->encoder, worker->segment, result, message)
		       : status;
}

/* What is read of a segment, and when, is for its evaluation to say. */
static enum status columns_encode(struct worker *worker, int64_t number,
				  struct segment_result *result, struct message *message)
{
	struct reader_gate *gate = worker->workers->options->control.gate;
	struct segment_columns *columns;
	struct message cause = {.code = 0};
	enum status status;
	double since;

	since = reader_gate_enter(gate);
	status = segment_supply_columns(worker->reader, number, &columns, &cause);
	if (status == STATUS_OK)
		status = segment_encoder_run_columns(worker->encoder, number, columns, result,
						     &cause);
	segment_supply_rest(worker->reader);
	reader_gate_leave(gate, since);
	return status == STATUS_OK ? STATUS_OK : column_reader_damaged(number, &cause, message);
}

static enum status segment_process(struct worker *worker, int64_t number, struct message *message)
{
	struct workers *workers = worker->workers;
	struct segment_result result = {0};
	enum status status;

	status = workers->options->supply->rows ? rows_encode(worker, number, &result, message)
						: columns_encode(worker, number, &result, message);
	if (status != STATUS_OK)
		return status;
#pragma omp critical(connbits_workers)
	{
		chunk_table_take(&workers->chunks, number, &result);
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
			workers->result->outcomes[outcome] += result.outcomes[outcome];
		report_progress(workers);
	}
	return chunks_finish(worker, false, message);
}

static enum status worker_open(struct worker *worker, struct message *message)
{
	const struct workers_options *options = worker->workers->options;
	enum status status;

	worker->segment = segment_new();
	if (!worker->segment)
		return message_out_of_memory(message);
	status = segment_encoder_new(&worker->workers->encoder, &worker->encoder, message);
	if (status == STATUS_OK)
		status = segment_supply_reader_open(options->supply, &worker->reader, message);
	return status;
}

static void worker_close(struct worker *worker)
{
	const struct encoder_seconds encoder = segment_encoder_seconds(worker->encoder);

	const struct log_reading reading = segment_supply_reading(worker->reader);

	worker->seconds[WORKERS_EVALUATE] += encoder.evaluate;
	worker->seconds[WORKERS_ENCODE] += encoder.encode;
	segment_supply_reader_close(worker->reader);
	segment_free(worker->segment);
	segment_encoder_free(worker->encoder);
#pragma omp critical(connbits_workers)
	{
		for (int stage = 0; stage < WORKERS_STAGES; stage++)
			worker->workers->result->seconds[stage] += worker->seconds[stage];
		log_reading_add(&worker->workers->result->reading, &reading);
	}
}

static void worker_run(struct workers *workers)
{
	struct worker worker = {.workers = workers};
	struct message message;
	enum status status = worker_open(&worker, &message);

	while (status == STATUS_OK && workers_running(workers)) {
		int64_t number;
		bool found;

		status = segment_give(&worker, &number, &found, &message);
		if (status != STATUS_OK || !found)
			break;
		status = segment_process(&worker, number, &message);
	}
	/* Whoever is last finds every chunk complete. */
	if (status == STATUS_OK && workers_running(workers))
		status = chunks_finish(&worker, true, &message);
	if (status != STATUS_OK)
		workers_fail(workers, status, &message);
	worker_close(&worker);
}

/* No more threads than there are segments. */
static int thread_count(const struct workers_options *options, int64_t first, int64_t last)
{
	const uint64_t segments = (uint64_t)last - (uint64_t)first + 1;

	return first <= last && segments < (uint64_t)options->control.threads
		       ? (int)segments
		       : options->control.threads;
}

enum status workers_run(const struct workers_options *options, struct workers_result *result,
			struct message *message)
{
	struct workers workers = {.options = options,
				  .encoder = options->encoder,
				  .result = result,
				  .status = STATUS_OK};
	int64_t last;
	enum status status =
		spill_new(options->spill_beside, CONTAINER_MEMORY, &workers.encoder.spill, message);

	if (status != STATUS_OK)
		return status;

	segment_supply_range(options->supply, &workers.next_segment, &last);
	workers.exhausted = workers.next_segment > last;
	workers.threads = openmp_threads(thread_count(options, workers.next_segment, last));
	omp_init_lock(&workers.sink);
#pragma omp parallel num_threads(workers.threads)
	worker_run(&workers);
	omp_destroy_lock(&workers.sink);
	chunk_table_free(&workers.chunks);
	spill_free(workers.encoder.spill);
	if (workers.status != STATUS_OK)
		*message = workers.message;
	return workers.status;
}
