/*
 * The stages between headers and blobs: evaluating the filters over the
 * segments in memory and encoding the bits.
 */
#ifndef CONNBITS_MEASURE_STAGE_EVALUATE_H
#define CONNBITS_MEASURE_STAGE_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "engine/evaluate.h"
#include "stages.h"

struct evaluate_seconds {
	double evaluate;
	double encode;
	double evaluate_floor; /* reading every header's bytes once */
	double encode_floor;   /* counting the bits once */
};

/* Times both parts and their floors, each filter and segment by itself. */
enum status stage_evaluate(const struct stages *stages, const struct evaluation *evaluation,
			   struct evaluate_seconds *seconds, struct message *message);

struct filters_done {
	double seconds;
	uint64_t rows;	/* that match, of all filters */
	uint64_t bytes; /* of their containers */
};

/*
 * Times both parts together, of the first `filters` filters of the evaluation.
 * filter_rows is NULL, or gets the rows that match each of them added.
 */
enum status stage_filters(const struct stages *stages, const struct evaluation *evaluation,
			  size_t filters, uint64_t *filter_rows, struct filters_done *done,
			  struct message *message);

/*
 * Evaluates and encodes the first `filters` filters over the first `segments`
 * segments with both evaluations, or all where there are fewer, and fails if
 * one byte differs: no time of two engines is printed unless they agree.
 */
enum status stage_compare(const struct stages *stages, const struct evaluation *one,
			  const struct evaluation *other, size_t segments, size_t filters,
			  struct message *message);

#endif
