#include "sheet.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "bitmap/roaring_format.h"
#include "engine/predicate_use.h"
#include "filter/soundness.h"
#include "stage_evaluate.h"

enum {
	TIMED_SEGMENTS = 4,
	COMPARED_FILTERS = 1000,
	TIMINGS = 7, /* of which the least counts: noise only adds */
};

/* What the measuring of all filters shares. */
struct measuring {
	const struct stages *stages;
	const struct evaluation *vector;
	const struct evaluation *bpf;
	struct evaluator *together;
	struct evaluator *reference;
	struct predicate_use use;
	struct segment_bits *bits;
	uint8_t *encoded; /* one container */
	struct message *message;
};

static size_t timed_segments(const struct stages *stages)
{
	return stages->segment_count < TIMED_SEGMENTS ? stages->segment_count : TIMED_SEGMENTS;
}

static enum status compile_time(const struct filter_entry *filter, double *nanoseconds,
				struct message *message)
{
	enum status status = STATUS_OK;

	for (int i = 0; status == STATUS_OK && i < TIMINGS; i++) {
		struct program program;
		const double start = clock_seconds();
		double taken;

		status = soundness_compile(filter->expression, NULL, &program, message);
		taken = (clock_seconds() - start) * 1e9;
		program_free(&program);
		if (i == 0 || taken < *nanoseconds)
			*nanoseconds = taken;
		/* What is compiled in a process of its own takes long enough to be seen once. */
		if (taken > 1e8)
			break;
	}
	return status;
}

/* Adds to *seconds the least time of one program over a segment that was read, or is read too. */
static enum status segment_time(struct measuring *measuring, struct evaluator *evaluator,
				size_t program, const struct segment *segment, bool with_reading,
				double *seconds)
{
	double least = 0;
	enum status status = STATUS_OK;

	if (!with_reading)
		status = evaluator_read(evaluator, segment, measuring->message);
	for (int i = 0; status == STATUS_OK && i < TIMINGS; i++) {
		const double start = clock_seconds();
		double taken;

		if (with_reading)
			status = evaluator_read(evaluator, segment, measuring->message);
		if (status != STATUS_OK)
			break;
		evaluator_bits(evaluator, program, measuring->bits);
		taken = clock_seconds() - start;
		if (i == 0 || taken < least)
			least = taken;
	}
	*seconds += least;
	return status;
}

/* The time of a program over the timed segments, in seconds. */
static enum status program_time(struct measuring *measuring, struct evaluator *evaluator,
				size_t program, bool with_reading, double *seconds)
{
	enum status status = STATUS_OK;

	*seconds = 0;
	for (size_t i = 0; status == STATUS_OK && i < timed_segments(measuring->stages); i++)
		status = segment_time(measuring, evaluator, program, measuring->stages->segments[i],
				      with_reading, seconds);
	return status;
}

static enum status alone_time(struct measuring *measuring, const struct program *program,
			      double *seconds)
{
	struct evaluation *evaluation = NULL;
	struct evaluator *evaluator = NULL;
	enum status status =
		evaluation_new(ENGINE_VECTOR, &program, 1, NULL, &evaluation, measuring->message);

	if (status == STATUS_OK)
		status = evaluator_new(evaluation, &evaluator, measuring->message);
	/* A first pass, in which the engine learns which predicates are rare. */
	if (status == STATUS_OK)
		status = program_time(measuring, evaluator, 0, true, seconds);
	if (status == STATUS_OK)
		status = program_time(measuring, evaluator, 0, true, seconds);
	evaluator_free(evaluator);
	evaluation_free(evaluation);
	return status;
}

/* The containers of one filter's chunk, as far as their bitmap's size depends on them. */
struct chunk_size {
	size_t count;
	size_t bytes;
	bool any_run;
};

/* The size of the bitmap that chunk_encode makes of them (Roaring format specification). */
static size_t chunk_size_bytes(const struct chunk_size *chunk)
{
	const size_t head = chunk->any_run ? 4 + (chunk->count + 7) / 8 : 8;
	const bool has_offsets = !chunk->any_run || chunk->count >= 4;

	return chunk->count ? head + chunk->count * (has_offsets ? 8 : 4) + chunk->bytes : 0;
}

static void chunk_size_add(struct chunk_size *chunk, const struct container *container)
{
	if (container->cardinality == 0)
		return;
	chunk->count++;
	chunk->bytes += container->size;
	chunk->any_run |= container->is_run;
}

/* The bits of one segment: rows of each filter, and what they add to their chunk's bitmap. */
static enum status segment_count(struct measuring *measuring, const struct segment *segment,
				 struct chunk_size *chunks, struct sheet_line *lines)
{
	enum status status = evaluator_read(measuring->together, segment, measuring->message);

	for (size_t i = 0; status == STATUS_OK && i < measuring->stages->filters->count; i++) {
		struct container container;

		evaluator_bits(measuring->together, i, measuring->bits);
		container_encode(segment->number, measuring->bits,
				 evaluation_kernels(measuring->vector), measuring->encoded,
				 &container);
		lines[i].rows += container.cardinality;
		chunk_size_add(&chunks[i], &container);
	}
	return status;
}

/* The segment of that place in the log: in memory, or read into `scratch`. */
static enum status segment_at(struct measuring *measuring, struct log_reader *reader, size_t place,
			      struct segment *scratch, const struct segment **segment)
{
	const struct stages *stages = measuring->stages;

	*segment = place < stages->segment_count ? stages->segments[place] : scratch;
	return place < stages->segment_count ? STATUS_OK
					     : log_reader_segment(reader, stages->numbers[place],
								  scratch, measuring->message);
}

/* Rows and bytes of every filter's bitmaps over the whole log, one a chunk as stored. */
static enum status bitmaps_count(struct measuring *measuring, struct sheet *sheet)
{
	const struct stages *stages = measuring->stages;
	const size_t filters = stages->filters->count;
	struct chunk_size *chunks = calloc(filters + 1, sizeof(*chunks));
	struct segment *scratch = segment_new();
	struct log_reader *reader;
	enum status status = log_reader_open(stages->log, &reader, measuring->message);

	if (status == STATUS_OK && (!chunks || !scratch))
		status = message_out_of_memory(measuring->message);
	for (size_t i = 0; status == STATUS_OK && i < stages->number_count; i++) {
		const int64_t chunk = chunk_of_segment(stages->numbers[i]);
		const bool last = i + 1 == stages->number_count ||
				  chunk_of_segment(stages->numbers[i + 1]) != chunk;
		const struct segment *segment;

		status = segment_at(measuring, reader, i, scratch, &segment);
		if (status != STATUS_OK)
			break;
		sheet->rows += segment->outcomes[OUTCOME_HEADER];
		status = segment_count(measuring, segment, chunks, sheet->lines);
		for (size_t j = 0; last && j < filters; j++) {
			sheet->lines[j].bytes += chunk_size_bytes(&chunks[j]);
			chunks[j] = (struct chunk_size){0};
		}
	}
	log_reader_close(reader);
	segment_free(scratch);
	free(chunks);
	return status;
}

static void predicates_count(struct measuring *measuring, size_t filter, struct sheet_line *line)
{
	const struct plan *plan = evaluation_plan(measuring->vector);
	const enum program_condition_limit limit = plan->filters[filter].limit;

	if (limit != PROGRAM_CONDITION_DONE) {
		line->limit = program_condition_limit_text(limit);
		return;
	}
	line->predicates = predicate_use_find(&measuring->use, filter);
	for (size_t i = 0; i < plan->predicate_count; i++)
		line->shared += measuring->use.met[i] && measuring->use.askers[i] > 1;
}

static enum status line_measure(struct measuring *measuring, size_t filter, double rows,
				struct sheet_line *line)
{
	const struct filter_entry *entry = &measuring->stages->filters->items[filter];
	double marginal;
	double alone = 0;
	double bpf = 0;
	enum status status;

	line->name = strdup(entry->name);
	if (!line->name)
		return message_out_of_memory(measuring->message);
	line->instructions = entry->program.length;
	predicates_count(measuring, filter, line);
	status = compile_time(entry, &line->compile, measuring->message);
	if (status == STATUS_OK)
		status = program_time(measuring, measuring->together, filter, false, &marginal);
	if (status == STATUS_OK)
		status = alone_time(measuring, &entry->program, &alone);
	if (status == STATUS_OK)
		status = program_time(measuring, measuring->reference, filter, true, &bpf);
	if (status != STATUS_OK)
		return status;
	line->marginal = marginal * 1e9 / rows;
	line->alone = alone * 1e9 / rows;
	line->bpf = bpf * 1e9 / rows;
	return STATUS_OK;
}

static enum status measuring_open(struct measuring *measuring)
{
	enum status status =
		evaluator_new(measuring->vector, &measuring->together, measuring->message);

	if (status == STATUS_OK)
		status = evaluator_new(measuring->bpf, &measuring->reference, measuring->message);
	if (status == STATUS_OK)
		status = predicate_use_open(&measuring->use, evaluation_plan(measuring->vector),
					    measuring->message);
	measuring->bits = malloc(sizeof(*measuring->bits));
	measuring->encoded = malloc(CONTAINER_BYTES_MAX);
	if (status == STATUS_OK && (!measuring->bits || !measuring->encoded))
		status = message_out_of_memory(measuring->message);
	return status;
}

static void measuring_close(struct measuring *measuring)
{
	evaluator_free(measuring->together);
	evaluator_free(measuring->reference);
	predicate_use_close(&measuring->use);
	free(measuring->bits);
	free(measuring->encoded);
}

static int compare_lines(const void *a, const void *b)
{
	const struct sheet_line *x = a;
	const struct sheet_line *y = b;

	return (x->marginal < y->marginal) - (x->marginal > y->marginal);
}

enum status sheet_measure(const struct stages *stages, const struct evaluation *vector,
			  const struct evaluation *bpf, struct sheet *sheet,
			  struct message *message)
{
	struct measuring measuring = {
		.stages = stages, .vector = vector, .bpf = bpf, .message = message};
	const size_t count = stages->filters->count;
	enum status status = measuring_open(&measuring);

	*sheet = (struct sheet){0};
	for (size_t i = 0; i < timed_segments(stages); i++)
		sheet->timed_rows += stages->segments[i]->outcomes[OUTCOME_HEADER];
	sheet->lines = calloc(count + 1, sizeof(*sheet->lines));
	if (status == STATUS_OK && !sheet->lines)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = stage_compare(stages, bpf, vector, TIMED_SEGMENTS, COMPARED_FILTERS,
				       message);
	if (status == STATUS_OK)
		status = bitmaps_count(&measuring, sheet);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = line_measure(&measuring, i, (double)sheet->timed_rows,
				      &sheet->lines[sheet->count++]);
	measuring_close(&measuring);
	if (status == STATUS_OK)
		qsort(sheet->lines, sheet->count, sizeof(*sheet->lines), compare_lines);
	else
		sheet_free(sheet);
	return status;
}

static double share_of(const struct sheet *sheet, const struct sheet_line *line)
{
	return sheet->rows ? (double)line->rows / (double)sheet->rows : 0;
}

static void print_table(FILE *stream, const struct sheet *sheet)
{
	fprintf(stream, "%-24s %11s %9s %10s %10s %6s %6s %6s %9s %8s %8s %9s\n", "", "", "", "",
		"", "BPF", "predi-", "of it", "ns a row:", "", "", "bpf over");
	fprintf(stream, "%-24s %11s %9s %10s %10s %6s %6s %6s %9s %8s %8s %9s\n", "filter", "rows",
		"share", "bytes", "compile us", "instr.", "cates", "shared", "marginal", "alone",
		"bpf", "marginal");
	for (size_t i = 0; i < sheet->count; i++) {
		const struct sheet_line *line = &sheet->lines[i];

		fprintf(stream,
			"%-24s %11" PRIu64 " %8.4f%% %10" PRIu64
			" %10.1f %6zu %6zu %6zu %9.3f %8.2f %8.2f %9.1f%s%s\n",
			line->name, line->rows, share_of(sheet, line) * 100, line->bytes,
			line->compile / 1e3, line->instructions, line->predicates, line->shared,
			line->marginal, line->alone, line->bpf,
			line->marginal > 0 ? line->bpf / line->marginal : 0,
			line->limit ? " left to bpf_filter: " : "", line->limit ? line->limit : "");
	}
}

static void print_csv(FILE *stream, const struct sheet *sheet)
{
	fputs("filter,rows,share,bitmap_bytes,compile_ns,instructions,predicates,shared_predicates,"
	      "marginal_ns,alone_ns,bpf_ns,engine\n",
	      stream);
	for (size_t i = 0; i < sheet->count; i++) {
		const struct sheet_line *line = &sheet->lines[i];

		fprintf(stream,
			"%s,%" PRIu64 ",%.9f,%" PRIu64 ",%.0f,%zu,%zu,%zu,%.4f,%.3f,%.3f,%s\n",
			line->name, line->rows, share_of(sheet, line), line->bytes, line->compile,
			line->instructions, line->predicates, line->shared, line->marginal,
			line->alone, line->bpf, line->limit ? "bpf" : "vector");
	}
}

static void print_json(FILE *stream, const struct sheet *sheet, const struct machine *machine)
{
	fputs("{\"machine\": ", stream);
	machine_print_json(stream, machine);
	fprintf(stream, ", \"rows\": %" PRIu64 ", \"timed_rows\": %" PRIu64 ", \"filters\": [",
		sheet->rows, sheet->timed_rows);
	for (size_t i = 0; i < sheet->count; i++) {
		const struct sheet_line *line = &sheet->lines[i];

		fputs(i ? ", {\"filter\": " : "{\"filter\": ", stream);
		json_write_string(stream, line->name);
		fprintf(stream,
			", \"rows\": %" PRIu64 ", \"share\": %.9f, \"bitmap_bytes\": %" PRIu64
			", \"compile_ns\": %.0f, \"instructions\": %zu, \"predicates\": %zu, "
			"\"shared_predicates\": %zu, \"marginal_ns\": %.4f, \"alone_ns\": %.3f, "
			"\"bpf_ns\": %.3f, \"engine\": \"%s\"}",
			line->rows, share_of(sheet, line), line->bytes, line->compile,
			line->instructions, line->predicates, line->shared, line->marginal,
			line->alone, line->bpf, line->limit ? "bpf" : "vector");
	}
	fputs("]}\n", stream);
}

void sheet_print(FILE *stream, const struct sheet *sheet, enum sheet_form form,
		 const struct machine *machine)
{
	switch (form) {
	case SHEET_CSV:
		print_csv(stream, sheet);
		break;
	case SHEET_JSON:
		print_json(stream, sheet, machine);
		break;
	default:
		machine_print(stream, machine);
		print_table(stream, sheet);
	}
}

void sheet_free(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->count; i++)
		free(sheet->lines[i].name);
	free(sheet->lines);
	*sheet = (struct sheet){0};
}
