/*
 * One segment to the containers of all bitmaps: what a thread does with every
 * segment that it is given.
 */
#ifndef CONNBITS_ENGINE_SEGMENT_ENCODER_H
#define CONNBITS_ENGINE_SEGMENT_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "chunk_table.h"
#include "column_question.h"
#include "evaluate.h"
#include "packet/segment.h"

/* The bitmaps that stand ahead of the programs' where they are asked for. */
enum { ENCODER_ALL, ENCODER_SKIPPED, ENCODER_BUILT_IN };

struct segment_encoder;

/* What is made besides the bitmaps of the programs. */
struct encoder_options {
	const struct evaluation *evaluation;
	size_t program_count;			 /* of the evaluation */
	const struct column_question *questions; /* whose bitmaps follow the programs' */
	size_t question_count;
	bool built_in;		 /* @all and @skipped are bitmaps 0 and 1, the programs' follow */
	bool pack;		 /* pack the headers */
	bool counts;		 /* of stored segments: cardinalities and no bytes */
	struct spill *spill;	 /* NULL, or takes what goes beyond its memory */
	const struct stop *stop; /* NULL, or asked whether to end, with SQLite's INTERRUPT */
};

/* What it took, added up. */
struct encoder_seconds {
	double evaluate;
	double encode;
};

/* It belongs to one thread; *options has to outlive it. Free with segment_encoder_free. */
enum status segment_encoder_new(const struct encoder_options *options,
				struct segment_encoder **encoder, struct message *message);

/* Encodes a segment. On success the caller frees *result with segment_result_free. */
enum status segment_encoder_run(struct segment_encoder *encoder, const struct segment *segment,
				struct segment_result *result, struct message *message);

/*
 * The same for a segment as it is stored, of which no more is read than the programs
 * need. No built-in bitmaps, and nothing is packed.
 */
enum status segment_encoder_run_columns(struct segment_encoder *encoder, int64_t number,
					struct segment_columns *columns,
					struct segment_result *result, struct message *message);

struct encoder_seconds segment_encoder_seconds(const struct segment_encoder *encoder);

void segment_encoder_free(struct segment_encoder *encoder);

#endif
