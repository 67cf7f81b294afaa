#include "stage_evaluate.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bitmap/roaring_format.h"

/* What one thread works with. */
struct bench_worker {
	const struct evaluation *evaluation;
	struct evaluator *evaluator;
	struct segment_columns *columns;
	struct column_supply supply; /* of the segment that was read last, */
	bool in_columns;	     /* where it was read as it is stored */
	struct segment_bits *bits;
	uint8_t *encoded;
	uint64_t sum; /* of what was read, so that reading is not left out */
};

static enum status worker_open(struct bench_worker *worker, const struct evaluation *evaluation,
			       struct message *message)
{
	*worker = (struct bench_worker){
		.evaluation = evaluation,
		.columns = segment_columns_new(),
		.bits = malloc(sizeof(*worker->bits)),
		.encoded = malloc(CONTAINER_BYTES_MAX),
	};
	if (!worker->bits || !worker->encoded || !worker->columns)
		return message_out_of_memory(message);
	return evaluator_new(evaluation, &worker->evaluator, message);
}

static void worker_close(struct bench_worker *worker)
{
	evaluator_free(worker->evaluator);
	segment_columns_free(worker->columns);
	free(worker->bits);
	free(worker->encoded);
}

/* Reads a segment as a job does that evaluates it: its columns where the engine searches them. */
static enum status worker_read(struct bench_worker *worker, const struct stages *stages, size_t i,
			       struct message *message)
{
	const struct segment *segment = stages->segments[i];

	worker->in_columns = stages->packed[i].bytes && evaluation_searches(worker->evaluation);
	if (!worker->in_columns)
		return evaluator_read(worker->evaluator, segment, message);
	worker->supply = packed_columns_supply(&stages->packed[i]);
	segment_columns_begin(worker->columns, &worker->supply);
	return evaluator_read_columns(worker->evaluator, segment->number, worker->columns, message);
}

static enum status worker_bits(struct bench_worker *worker, size_t filter, struct message *message)
{
	if (worker->in_columns)
		return evaluator_column_bits(worker->evaluator, filter, worker->bits, message);
	evaluator_bits(worker->evaluator, filter, worker->bits);
	return STATUS_OK;
}

static uint64_t headers_sum(const struct packed_headers *headers)
{
	const size_t length = headers->rows * headers->stride / 8;
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		uint64_t word;

		memcpy(&word, headers->bytes + i * 8, 8);
		sum += word;
	}
	return sum;
}

static uint64_t bits_count(const struct segment_bits *bits)
{
	uint64_t count = 0;

	for (size_t i = 0; i < SEGMENT_WORDS; i++)
		count += (uint64_t)__builtin_popcountll(segment_bits_word(bits, i));
	return count;
}

static enum status segment_measure(struct bench_worker *worker, const struct stages *stages,
				   size_t place, struct evaluate_seconds *seconds,
				   struct message *message)
{
	const struct segment *segment = stages->segments[place];
	double start = clock_seconds();
	enum status status;

	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		worker->sum += headers_sum(&segment->headers[i]);
	seconds->evaluate_floor += clock_seconds() - start;
	start = clock_seconds();
	status = worker_read(worker, stages, place, message);
	seconds->evaluate += clock_seconds() - start;
	for (size_t i = 0; status == STATUS_OK && i < stages->filters->count; i++) {
		struct container container;
		double times[4];

		times[0] = clock_seconds();
		status = worker_bits(worker, i, message);
		if (status != STATUS_OK)
			break;
		times[1] = clock_seconds();
		container_encode(segment->number, worker->bits,
				 evaluation_kernels(worker->evaluation), worker->encoded,
				 &container);
		times[2] = clock_seconds();
		worker->sum += bits_count(worker->bits);
		times[3] = clock_seconds();
		seconds->evaluate += times[1] - times[0];
		seconds->encode += times[2] - times[1];
		seconds->encode_floor += times[3] - times[2];
	}
	return status;
}

enum status stage_evaluate(const struct stages *stages, const struct evaluation *evaluation,
			   struct evaluate_seconds *seconds, struct message *message)
{
	volatile uint64_t kept = 0;
	enum status result = STATUS_OK;

	*seconds = (struct evaluate_seconds){0};
#pragma omp parallel num_threads(stages->threads)
	{
		struct bench_worker worker;
		struct evaluate_seconds own = {0};
		struct message failure;
		enum status status = worker_open(&worker, evaluation, &failure);

#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < stages->segment_count; i++)
			if (status == STATUS_OK)
				status = segment_measure(&worker, stages, i, &own, &failure);
#pragma omp critical(connbits_stages)
		{
			/* All are done when the slowest is. */
			seconds->evaluate = fmax(seconds->evaluate, own.evaluate);
			seconds->encode = fmax(seconds->encode, own.encode);
			seconds->evaluate_floor = fmax(seconds->evaluate_floor, own.evaluate_floor);
			seconds->encode_floor = fmax(seconds->encode_floor, own.encode_floor);
			kept += worker.sum;
		}
		stages_keep_first(&result, message, status, &failure);
		worker_close(&worker);
	}
	return result;
}

enum status stage_filters(const struct stages *stages, const struct evaluation *evaluation,
			  size_t filters, uint64_t *filter_rows, struct filters_done *done,
			  struct message *message)
{
	const double start = clock_seconds();
	enum status result = STATUS_OK;
	uint64_t rows = 0;
	uint64_t bytes = 0;

#pragma omp parallel num_threads(stages->threads) reduction(+ : rows, bytes)
	{
		struct bench_worker worker;
		struct message failure;
		enum status status = worker_open(&worker, evaluation, &failure);

#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < stages->segment_count; i++) {
			struct container container;

			if (status == STATUS_OK)
				status = worker_read(&worker, stages, i, &failure);
			for (size_t j = 0; status == STATUS_OK && j < filters; j++) {
				status = worker_bits(&worker, j, &failure);
				if (status != STATUS_OK)
					break;
				container_encode(stages->segments[i]->number, worker.bits,
						 evaluation_kernels(evaluation), worker.encoded,
						 &container);
				rows += container.cardinality;
				bytes += container.size;
				if (filter_rows && container.cardinality) {
#pragma omp atomic
					filter_rows[j] += container.cardinality;
				}
			}
		}
		stages_keep_first(&result, message, status, &failure);
		worker_close(&worker);
	}
	*done = (struct filters_done){
		.seconds = clock_seconds() - start, .rows = rows, .bytes = bytes};
	return result;
}

static enum status segment_compare(const struct stages *stages, struct bench_worker *workers,
				   size_t place, size_t filters, struct message *message)
{
	const struct segment *segment = stages->segments[place];
	struct container containers[2];
	enum status status = STATUS_OK;

	for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
		status = worker_read(&workers[i], stages, place, message);
	for (size_t filter = 0; status == STATUS_OK && filter < filters; filter++) {
		for (size_t i = 0; status == STATUS_OK && i < 2; i++) {
			status = worker_bits(&workers[i], filter, message);
			if (status != STATUS_OK)
				return status;
			container_encode(segment->number, workers[i].bits,
					 evaluation_kernels(workers[i].evaluation),
					 workers[i].encoded, &containers[i]);
		}
		if (containers[0].size != containers[1].size ||
		    memcmp(workers[0].encoded, workers[1].encoded, containers[0].size) != 0)
			status = message_set(
				message, STATUS_FAILED,
				"the engines disagree on filter '%.255s' in segment %lld; please "
				"report the filter and a row that differs",
				stages->filters->items[filter].name, (long long)segment->number);
	}
	return status;
}

enum status stage_compare(const struct stages *stages, const struct evaluation *one,
			  const struct evaluation *other, size_t segments, size_t filters,
			  struct message *message)
{
	const size_t count = segments < stages->segment_count ? segments : stages->segment_count;
	const size_t compared = filters < stages->filters->count ? filters : stages->filters->count;
	const struct evaluation *const evaluations[2] = {one, other};
	enum status result = STATUS_OK;

#pragma omp parallel num_threads(stages->threads)
	{
		struct bench_worker workers[2] = {0};
		struct message failure;
		enum status status = STATUS_OK;

		for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
			status = worker_open(&workers[i], evaluations[i], &failure);
#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < count; i++)
			if (status == STATUS_OK)
				status = segment_compare(stages, workers, i, compared, &failure);
		stages_keep_first(&result, message, status, &failure);
		worker_close(&workers[0]);
		worker_close(&workers[1]);
	}
	return result;
}
