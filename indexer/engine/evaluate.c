#include "evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "column/segment_packing.h"
#include "column_search.h"
#include "packet/header.h"
#include "plan.h"
#include "vector.h"

struct evaluation {
	enum engine engine;
	const struct program *const *programs;
	const struct kernels *kernels;
	struct plan *plan; /* of the vector engine */
};

struct evaluator {
	const struct evaluation *evaluation;
	const struct segment *segment;
	struct vector *vector;	      /* of the vector engine, once it is needed */
	struct column_search *search; /* likewise, where that serves */
	struct segment *headers;      /* of stored columns, where it does not */
	bool searches;		      /* the segment is that of `search` */
	const struct stop *stop;
	struct segment_bits bits; /* that are only counted */
};

/* Rows of a long program between two questions whether to go on: some milliseconds. */
enum { ROWS_BETWEEN = 64 };

static const char *const engine_names[] = {[ENGINE_BPF] = "bpf", [ENGINE_VECTOR] = "vector"};

bool engine_find(const char *name, enum engine *engine)
{
	for (size_t i = 0; i < sizeof(engine_names) / sizeof(*engine_names); i++) {
		if (strcmp(engine_names[i], name) == 0) {
			*engine = (enum engine)i;
			return true;
		}
	}
	return false;
}

const char *engine_name(enum engine engine)
{
	return engine_names[engine];
}

static enum status kernels_choose(const struct kernels **kernels, struct message *message)
{
	const char *name = getenv("CONNBITS_SIMD");

	*kernels = name && *name ? kernels_find(name) : kernels_best();
	if (!*kernels)
		return message_set(
			message, STATUS_USAGE,
			"CONNBITS_SIMD=%.40s: this processor has no instruction set of "
			"that name; expected baseline, avx2 or avx512, or nothing for the "
			"best one",
			name);
	return STATUS_OK;
}

static enum status evaluation_make(enum engine engine, const struct program *const *programs,
				   size_t count, bool is_search, const struct stop *stop,
				   struct evaluation **evaluation, struct message *message)
{
	struct evaluation *made = calloc(1, sizeof(*made));
	enum status status = made ? STATUS_OK : message_out_of_memory(message);

	*evaluation = NULL;
	if (status == STATUS_OK) {
		made->engine = engine;
		made->programs = programs;
		status = kernels_choose(&made->kernels, message);
	}
	if (status == STATUS_OK && engine == ENGINE_VECTOR)
		status = plan_make(programs, count, stop, &made->plan, message);
	if (status == STATUS_OK && made->plan &&
	    !(is_search && column_search_serves(made->plan, made->kernels)))
		status = plan_look_up(made->plan, message);
	if (status != STATUS_OK) {
		evaluation_free(made);
		return status;
	}
	*evaluation = made;
	return STATUS_OK;
}

enum status evaluation_new(enum engine engine, const struct program *const *programs, size_t count,
			   const struct stop *stop, struct evaluation **evaluation,
			   struct message *message)
{
	return evaluation_make(engine, programs, count, false, stop, evaluation, message);
}

enum status evaluation_new_search(const struct program *const *programs, size_t count,
				  const struct stop *stop, struct evaluation **evaluation,
				  struct message *message)
{
	return evaluation_make(ENGINE_VECTOR, programs, count, true, stop, evaluation, message);
}

const struct plan *evaluation_plan(const struct evaluation *evaluation)
{
	return evaluation->plan;
}

bool evaluation_searches(const struct evaluation *evaluation)
{
	return evaluation->plan && column_search_serves(evaluation->plan, evaluation->kernels);
}

bool evaluation_needs_headers(const struct evaluation *evaluation)
{
	const struct plan *plan = evaluation->plan;

	for (size_t i = 0; plan && i < plan->filter_count; i++)
		if (plan->filters[i].limit != PROGRAM_CONDITION_DONE)
			return true;
	return !plan;
}

enum status evaluation_pack(const struct segment *segment, struct packed_columns *packed,
			    struct message *message)
{
	struct segment_packing *packing = segment_packing_new();
	enum status status =
		packing ? segment_packing_run(packing, segment, kernels_best(), packed, message)
			: message_out_of_memory(message);

	segment_packing_free(packing);
	return status;
}

const struct kernels *evaluation_kernels(const struct evaluation *evaluation)
{
	return evaluation->kernels;
}

void evaluation_free(struct evaluation *evaluation)
{
	if (!evaluation)
		return;
	plan_free(evaluation->plan);
	free(evaluation);
}

enum status evaluator_new(const struct evaluation *evaluation, struct evaluator **evaluator,
			  struct message *message)
{
	*evaluator = calloc(1, sizeof(**evaluator));
	if (!*evaluator)
		return message_out_of_memory(message);
	(*evaluator)->evaluation = evaluation;
	return STATUS_OK;
}

void evaluator_heed(struct evaluator *evaluator, const struct stop *stop)
{
	evaluator->stop = stop;
}

static enum status vector_need(struct evaluator *evaluator, struct message *message)
{
	if (evaluator->vector)
		return STATUS_OK;
	return vector_new(evaluator->evaluation->plan, evaluator->evaluation->kernels,
			  &evaluator->vector, message);
}

enum status evaluator_read(struct evaluator *evaluator, const struct segment *segment,
			   struct message *message)
{
	const struct evaluation *evaluation = evaluator->evaluation;
	enum status status = STATUS_OK;

	evaluator->segment = segment;
	evaluator->searches = false;
	if (!evaluation->plan)
		return STATUS_OK;
	status = vector_need(evaluator, message);
	return status == STATUS_OK ? vector_read(evaluator->vector, segment, message) : status;
}

enum status evaluator_read_columns(struct evaluator *evaluator, int64_t number,
				   struct segment_columns *columns, struct message *message)
{
	const struct evaluation *evaluation = evaluator->evaluation;
	enum status status = STATUS_OK;

	evaluator->searches = evaluation_searches(evaluation);
	if (evaluator->searches) {
		if (!evaluator->search)
			status = column_search_new(evaluation->plan, evaluation->kernels,
						   &evaluator->search, message);
		if (status == STATUS_OK)
			column_search_begin(evaluator->search, columns);
		return status;
	}
	evaluator->segment = NULL;
	if (!evaluation_needs_headers(evaluation)) {
		status = vector_need(evaluator, message);
		return status == STATUS_OK
			       ? vector_read_columns(evaluator->vector, columns, message)
			       : status;
	}
	if (!evaluator->headers && !(evaluator->headers = segment_new()))
		return message_out_of_memory(message);
	status = segment_columns_headers(columns, evaluation->kernels, number, evaluator->headers,
					 message);
	return status == STATUS_OK ? evaluator_read(evaluator, evaluator->headers, message)
				   : status;
}

static void bits_bpf(const struct program *program, const struct packed_headers *headers,
		     const struct stop *stop, struct segment_bits *bits)
{
	for (size_t row = 0; row < headers->rows; row++) {
		const uint8_t *header = headers->bytes + row * headers->stride;

		if (row % ROWS_BETWEEN == 0 && stop_asked(stop))
			return;
		if (program_matches(program, header, header_wire_length(header),
				    headers->captured[row]))
			segment_bits_add(bits, headers->low[row]);
	}
}

void evaluator_bits(struct evaluator *evaluator, size_t program, struct segment_bits *bits)
{
	const struct evaluation *evaluation = evaluator->evaluation;

	if (evaluation->plan &&
	    evaluation->plan->filters[program].limit == PROGRAM_CONDITION_DONE) {
		vector_bits(evaluator->vector, evaluation->plan->filters[program].condition, bits);
		return;
	}
	segment_bits_clear(bits);
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		bits_bpf(evaluation->programs[program], &evaluator->segment->headers[i],
			 evaluator->stop, bits);
}

enum status evaluator_column_bits(struct evaluator *evaluator, size_t program,
				  struct segment_bits *bits, struct message *message)
{
	const struct plan *plan = evaluator->evaluation->plan;

	if (evaluator->searches)
		return column_search_bits(evaluator->search, plan->filters[program].condition, bits,
					  message);
	evaluator_bits(evaluator, program, bits);
	return STATUS_OK;
}

enum status evaluator_column_count(struct evaluator *evaluator, size_t program, uint32_t *count,
				   struct message *message)
{
	const struct plan *plan = evaluator->evaluation->plan;

	if (evaluator->searches)
		return column_search_count(evaluator->search, plan->filters[program].condition,
					   count, message);
	evaluator_bits(evaluator, program, &evaluator->bits);
	*count = 0;
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		*count += (uint32_t)__builtin_popcountll(segment_bits_word(&evaluator->bits, word));
	return STATUS_OK;
}

void evaluator_free(struct evaluator *evaluator)
{
	if (!evaluator)
		return;
	vector_free(evaluator->vector);
	column_search_free(evaluator->search);
	segment_free(evaluator->headers);
	free(evaluator);
}
