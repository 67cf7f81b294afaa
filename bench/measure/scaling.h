/*
 * How the time of evaluating filters grows: with rows, with filters, with
 * threads and with the share of rows that match; each beside its limit.
 */
#ifndef CONNBITS_MEASURE_SCALING_H
#define CONNBITS_MEASURE_SCALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/message.h"
#include "catalogue/catalogue.h"
#include "machine.h"
#include "scaling_point.h"

enum {
	SCALING_DEFAULT_ROWS = 1000000,
	SCALING_FIRST_ROWS = 100000, /* the smallest log; the others have ten times as many each */
	SCALING_POINTS_MAX = 16,
};

enum scaling_axis {
	SCALING_BY_ROWS,
	SCALING_BY_FILTERS,
	SCALING_BY_THREADS,
	SCALING_BY_SHARE,
	SCALING_AXES,
};

struct scaling_curve {
	const char *title; /* what grows: "rows", "filters", "threads", "share" */
	char setting[96];  /* what stays: "107 filters, 2 threads" */
	const char *label; /* of the axis, in words */
	struct scaling_point *points;
	size_t count;
};

struct scaling {
	struct scaling_curve curves[SCALING_AXES];
	uint64_t repeats;
};

struct scaling_options {
	const char *folder; /* where logs are made; they are removed */
	const struct catalogue *catalogue;
	uint64_t rows; /* of the largest log, from SCALING_FIRST_ROWS */
	uint64_t repeats;
	int threads;
};

/* Measures all curves. The caller frees *scaling with scaling_free whatever is returned. */
enum status scaling_measure(const struct scaling_options *options, struct scaling *scaling,
			    struct message *message);

/* True where a mode has two points or more. */
bool scaling_has_slope(const struct scaling_curve *curve, enum scaling_mode mode);

/*
 * The exponent e of time = c * x^e through the points of a mode whose x is at
 * least a hundredth of the last, by least squares; 0 with fewer than two.
 */
double scaling_slope(const struct scaling_curve *curve, enum scaling_mode mode);

/* Seconds for each x more between the last two points of a mode; 0 with fewer. */
double scaling_marginal(const struct scaling_curve *curve, enum scaling_mode mode);

void scaling_print(FILE *stream, const struct scaling *scaling, const struct machine *machine);
void scaling_print_json(FILE *stream, const struct scaling *scaling, const struct machine *machine);

void scaling_free(struct scaling *scaling);

#endif
