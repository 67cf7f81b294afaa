#include "measure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static void sort_copy(const double *values, size_t count, double *sorted)
{
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_doubles);
}

double measure_median(const double *values, size_t count)
{
	double sorted[MEASURE_REPEATS_MAX];

	sort_copy(values, count, sorted);
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void ratios(const struct measurement *measurement, double *out)
{
	for (size_t i = 0; i < measurement->repeats; i++)
		out[i] = measurement->seconds[i] / measurement->floor_seconds[i];
}

double measure_seconds(const struct measurement *measurement)
{
	return measure_median(measurement->seconds, measurement->repeats);
}

double measure_floor_seconds(const struct measurement *measurement)
{
	return measure_median(measurement->floor_seconds, measurement->repeats);
}

double measure_ratio(const struct measurement *measurement)
{
	double values[MEASURE_REPEATS_MAX];

	ratios(measurement, values);
	return measure_median(values, measurement->repeats);
}

void measure_spread(const struct measurement *measurement, double *least, double *most)
{
	double values[MEASURE_REPEATS_MAX];
	double sorted[MEASURE_REPEATS_MAX];

	ratios(measurement, values);
	sort_copy(values, measurement->repeats, sorted);
	*least = sorted[0];
	*most = sorted[measurement->repeats - 1];
}

/* Rows times filters where filters count, else rows: what the stage handles. */
static double work(const struct measurement *measurement)
{
	double filters = measurement->filters ? (double)measurement->filters : 1;

	return (double)measurement->rows * filters;
}

void measure_print_head(FILE *stream)
{
	fprintf(stream, "%-11s %-6s %7s %12s %12s %7s  %-13s %s\n", "stage", "engine", "threads",
		"rows/s", "floor rows/s", "ratio", "(min - max)", "ns, floor");
}

void measure_print(FILE *stream, const struct measurement *measurement)
{
	double seconds = measure_seconds(measurement);
	double floor_seconds = measure_floor_seconds(measurement);
	double rows = (double)measurement->rows;
	double least;
	double most;
	char spread[32];

	measure_spread(measurement, &least, &most);
	snprintf(spread, sizeof(spread), "(%.2f - %.2f)", least, most);
	fprintf(stream, "%-11s %-6s %7d %12.0f %12.0f %7.2f  %-13s %.2f a row%s, %s\n",
		measurement->stage, measurement->engine, measurement->threads, rows / seconds,
		rows / floor_seconds, measure_ratio(measurement), spread,
		seconds * 1e9 / work(measurement), measurement->filters ? " and filter" : "",
		measurement->floor);
}

void measure_print_json(FILE *stream, const struct measurement *measurement)
{
	double seconds = measure_seconds(measurement);
	double floor_seconds = measure_floor_seconds(measurement);
	double rows = (double)measurement->rows;
	double least;
	double most;

	measure_spread(measurement, &least, &most);
	fprintf(stream,
		"{\"stage\": \"%s\", \"engine\": \"%s\", \"threads\": %d, \"rows\": %" PRIu64
		", \"filters\": %" PRIu64 ", \"seconds\": %.9f, \"rows_per_second\": %.1f, "
		"\"floor\": \"%s\", \"floor_seconds\": %.9f, \"floor_rows_per_second\": %.1f, "
		"\"ratio\": %.4f, \"ratio_min\": %.4f, \"ratio_max\": %.4f, \"repeats\": %zu}",
		measurement->stage, measurement->engine, measurement->threads, measurement->rows,
		measurement->filters, seconds, rows / seconds, measurement->floor, floor_seconds,
		rows / floor_seconds, measure_ratio(measurement), least, most,
		measurement->repeats);
}

const char *measure_number(double number, char text[static 32])
{
	char digits[24];
	size_t length;
	size_t used = 0;

	if (number < 1000 || number > 1e15 || number != floor(number)) {
		snprintf(text, 32, "%.3g", number);
		return text;
	}
	snprintf(digits, sizeof(digits), "%.0f", number);
	length = strlen(digits);
	for (size_t i = 0; i < length; i++) {
		text[used++] = digits[i];
		if ((length - i) % 3 == 1 && i + 1 < length)
			text[used++] = ',';
	}
	text[used] = '\0';
	return text;
}
