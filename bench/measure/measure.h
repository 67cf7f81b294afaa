/*
 * Repeated, interleaved timings and what is printed of them. A figure is never
 * alone: each stage stands beside the least that any program doing its work
 * would have to do, measured in the same run.
 */
#ifndef CONNBITS_MEASURE_MEASURE_H
#define CONNBITS_MEASURE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MEASURE_REPEATS_MAX = 99 };

struct measurement {
	const char *stage;
	const char *floor;  /* what the floor does */
	const char *engine; /* "" where no engine takes part */
	int threads;
	uint64_t rows;
	uint64_t filters; /* 0 where the stage knows none */
	size_t repeats;
	double seconds[MEASURE_REPEATS_MAX];
	double floor_seconds[MEASURE_REPEATS_MAX];
};

/* The median of count values, 1 to MEASURE_REPEATS_MAX of them. */
double measure_median(const double *values, size_t count);

/* The medians of both columns, in seconds. */
double measure_seconds(const struct measurement *measurement);
double measure_floor_seconds(const struct measurement *measurement);

/* The median of the ratios of both columns, taken repeat by repeat. */
double measure_ratio(const struct measurement *measurement);

/* The least and the greatest of those ratios. */
void measure_spread(const struct measurement *measurement, double *least, double *most);

/* One line of the table, after measure_print_head. */
void measure_print_head(FILE *stream);
void measure_print(FILE *stream, const struct measurement *measurement);

/* One JSON object, without a newline. */
void measure_print_json(FILE *stream, const struct measurement *measurement);

/* "1,000,000" for whole numbers, else as short as it is exact enough. */
const char *measure_number(double number, char text[static 32]);

#endif
