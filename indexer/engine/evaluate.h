/*
 * Segments and programs to one bit per row and program: the one place behind
 * which the engines stand. Every engine gives the bits of libpcap's bpf_filter.
 */
#ifndef CONNBITS_ENGINE_EVALUATE_H
#define CONNBITS_ENGINE_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "base/stop.h"
#include "bitmap/kernel.h"
#include "bitmap/segment_bits.h"
#include "column/segment_columns.h"
#include "filter/program.h"
#include "packet/segment.h"

enum engine {
	ENGINE_BPF,    /* bpf_filter for every row: the reference */
	ENGINE_VECTOR, /* conditions on columns, many rows at a time */
};

/* True and *engine for "bpf" and "vector". */
bool engine_find(const char *name, enum engine *engine);

const char *engine_name(enum engine engine);

/* Programs made ready for an engine. Threads share it; nothing in it changes. */
struct evaluation;

/* What one thread evaluates with. */
struct evaluator;

struct plan;

/*
 * Makes count programs ready, which have to outlive the evaluation. The
 * instruction set is the best one of the processor, or the one that the
 * environment names in CONNBITS_SIMD (baseline, avx2, avx512): STATUS_USAGE if
 * there is none of that name here. stop is NULL, or asked whether this should end,
 * with STATUS_FAILED. The caller frees with evaluation_free.
 */
enum status evaluation_new(enum engine engine, const struct program *const *programs, size_t count,
			   const struct stop *stop, struct evaluation **evaluation,
			   struct message *message);

/* The same for evaluators that read nothing but stored columns. */
enum status evaluation_new_search(const struct program *const *programs, size_t count,
				  const struct stop *stop, struct evaluation **evaluation,
				  struct message *message);

/* The plan of the vector engine; NULL for another engine. */
const struct plan *evaluation_plan(const struct evaluation *evaluation);

/* Whether stored columns are searched as they lie; else all values of a column are looked up. */
bool evaluation_searches(const struct evaluation *evaluation);

/* Whether a program is left to bpf_filter, so that headers are made of stored columns. */
bool evaluation_needs_headers(const struct evaluation *evaluation);

/*
 * The columns of a segment in memory, as jobs store them, for evaluator_read_columns. The caller
 * frees packed->bytes with free.
 */
enum status evaluation_pack(const struct segment *segment, struct packed_columns *packed,
			    struct message *message);

/* The instruction set that is used. */
const struct kernels *evaluation_kernels(const struct evaluation *evaluation);

void evaluation_free(struct evaluation *evaluation);

/* The caller frees with evaluator_free, before the evaluation. */
enum status evaluator_new(const struct evaluation *evaluation, struct evaluator **evaluator,
			  struct message *message);

/*
 * From now on what takes long is ended where stop, which may be NULL, says so: bits are
 * then not the program's. Asked on the thread that evaluates.
 */
void evaluator_heed(struct evaluator *evaluator, const struct stop *stop);

/* Takes a segment, which may not change before the last evaluator_bits of it. */
enum status evaluator_read(struct evaluator *evaluator, const struct segment *segment,
			   struct message *message);

/*
 * The same for a segment as it is stored, of which no more is read than the programs
 * need: what is wrong with it may show only in evaluator_column_bits.
 */
enum status evaluator_read_columns(struct evaluator *evaluator, int64_t number,
				   struct segment_columns *columns, struct message *message);

/*
 * Gives the bit of every row of the segment (by the lower 16 bits of its row
 * id) whose header the program of this number accepts.
 */
void evaluator_bits(struct evaluator *evaluator, size_t program, struct segment_bits *bits);

/* The same after evaluator_read_columns. */
enum status evaluator_column_bits(struct evaluator *evaluator, size_t program,
				  struct segment_bits *bits, struct message *message);

/* Only how many rows there are. */
enum status evaluator_column_count(struct evaluator *evaluator, size_t program, uint32_t *count,
				   struct message *message);

void evaluator_free(struct evaluator *evaluator);

#endif
