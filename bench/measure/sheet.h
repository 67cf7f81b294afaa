/*
 * The cost sheet: for each filter what it costs to compile, to evaluate, alone
 * and beside the others, and to keep, on the rows of one log.
 */
#ifndef CONNBITS_MEASURE_SHEET_H
#define CONNBITS_MEASURE_SHEET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/message.h"
#include "engine/evaluate.h"
#include "machine.h"
#include "stages.h"

enum sheet_form { SHEET_TABLE, SHEET_CSV, SHEET_JSON };

/* One filter. Times are the least of several, in nanoseconds; a row is one that has a header. */
struct sheet_line {
	char *name;
	double compile;	     /* the expression */
	size_t instructions; /* of the BPF program */
	const char *limit;   /* NULL, or why the vector engine leaves it to bpf_filter */
	size_t predicates;   /* that are left of it */
	size_t shared;	     /* those that other filters ask too */
	double marginal;     /* a row, beside all other filters */
	double alone;	     /* a row, by the vector engine with no other filter */
	double bpf;	     /* a row, by bpf_filter */
	uint64_t rows;	     /* that match, of those in memory */
	uint64_t bytes;	     /* of their bitmaps */
};

struct sheet {
	struct sheet_line *lines; /* the dearest first */
	size_t count;
	uint64_t rows;	     /* in memory: what shares refer to */
	uint64_t timed_rows; /* that were timed */
};

/* Measures every filter. vector and bpf are of all filters, in their order. Free with sheet_free.
 */
enum status sheet_measure(const struct stages *stages, const struct evaluation *vector,
			  const struct evaluation *bpf, struct sheet *sheet,
			  struct message *message);

void sheet_print(FILE *stream, const struct sheet *sheet, enum sheet_form form,
		 const struct machine *machine);

void sheet_free(struct sheet *sheet);

#endif
