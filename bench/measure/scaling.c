#include "scaling.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "generate/generate.h"
#include "share_catalogue.h"
#include "subject.h"

static const uint64_t filter_counts[] = {1, 10, 100, 1000, 10000};

/* With fewer rows the last point would be compiling and nothing else. */
enum { ROWS_A_FILTER = 100 };
static const double shares[] = {0.0001, 0.001, 0.01, 0.1, 0.5, 0.9};

struct scaling_run {
	const struct scaling_options *options;
	struct scaling *scaling;
	struct scaling_files files;
	struct bandwidth *bandwidth;
	uint64_t base_rows; /* of the log that the curves without rows share */
	struct message *message;
};

/* One more point of a curve. */
static enum status point_add(const struct scaling_run *run, enum scaling_axis axis,
			     const struct catalogue *catalogue, int threads, uint64_t rows)
{
	struct scaling_curve *curve = &run->scaling->curves[axis];
	struct scaling_point *point = &curve->points[curve->count];
	enum status status;

	point->rows = rows;
	status = scaling_point_measure(&run->files, catalogue, run->bandwidth, threads,
				       run->options->repeats, point, run->message);
	switch (axis) {
	case SCALING_BY_ROWS:
		point->x = (double)rows;
		break;
	case SCALING_BY_FILTERS:
		point->x = (double)point->filters;
		break;
	case SCALING_BY_THREADS:
		point->x = threads;
		break;
	default:
		point->x = point->rows_held && point->filters
				   ? (double)point->matches / (double)point->rows_held /
					     (double)point->filters
				   : 0;
	}
	if (status == STATUS_OK)
		curve->count++;
	return status;
}

static enum status by_filters(const struct scaling_run *run)
{
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && i < sizeof(filter_counts) / sizeof(*filter_counts) &&
	     filter_counts[i] * ROWS_A_FILTER <= run->base_rows;
	     i++) {
		struct catalogue catalogue;

		status = subject_catalogue(NULL, filter_counts[i], &catalogue, run->message);
		if (status == STATUS_OK)
			status = point_add(run, SCALING_BY_FILTERS, &catalogue,
					   run->options->threads, run->base_rows);
		catalogue_free(&catalogue);
	}
	return status;
}

/* 1, 2, 4, ... and as many as were asked for. */
static enum status by_threads(const struct scaling_run *run)
{
	const int most = run->options->threads;
	enum status status = STATUS_OK;

	for (int threads = 1; status == STATUS_OK && threads < most; threads *= 2)
		status = point_add(run, SCALING_BY_THREADS, run->options->catalogue, threads,
				   run->base_rows);
	if (status == STATUS_OK)
		status = point_add(run, SCALING_BY_THREADS, run->options->catalogue, most,
				   run->base_rows);
	return status;
}

static enum status by_share(const struct scaling_run *run)
{
	struct port_counts *counts = malloc(sizeof(*counts));
	enum status status = counts ? port_counts_read(run->files.log, counts, run->message)
				    : message_out_of_memory(run->message);

	for (size_t i = 0; status == STATUS_OK && i < sizeof(shares) / sizeof(*shares); i++) {
		struct catalogue catalogue;

		status = share_catalogue(counts, shares[i], &catalogue, run->message);
		if (status == STATUS_OK)
			status = point_add(run, SCALING_BY_SHARE, &catalogue, run->options->threads,
					   run->base_rows);
		catalogue_free(&catalogue);
	}
	free(counts);
	return status;
}

/* Ten times as many each, and at last as many as were asked for; 0 behind them. */
static uint64_t rows_next(uint64_t rows, uint64_t most)
{
	if (rows == most)
		return 0;
	return rows <= most / 10 ? rows * 10 : most;
}

/* The logs one after the other, so that only one needs room; and on one of them the rest. */
static enum status by_rows(const struct scaling_run *run)
{
	enum status status = STATUS_OK;

	for (uint64_t rows = SCALING_FIRST_ROWS; status == STATUS_OK && rows;
	     rows = rows_next(rows, run->options->rows)) {
		status = generate_log(run->files.log, rows, GENERATE_DEFAULT_SEED, run->message);
		if (status == STATUS_OK)
			status = point_add(run, SCALING_BY_ROWS, run->options->catalogue,
					   run->options->threads, rows);
		if (status == STATUS_OK && rows == run->base_rows) {
			status = by_filters(run);
			if (status == STATUS_OK)
				status = by_threads(run);
			if (status == STATUS_OK)
				status = by_share(run);
		}
		unlink(run->files.log);
	}
	return status;
}

static enum status curves_make(const struct scaling_run *run)
{
	static const char *const titles[SCALING_AXES] = {"rows", "filters", "threads", "share"};
	static const char *const labels[SCALING_AXES] = {
		"rows of the log", "filters of a generated catalogue", "threads",
		"share of the rows that each filter matches"};
	const struct scaling_options *options = run->options;
	struct scaling_curve *curves = run->scaling->curves;
	const size_t filters = options->catalogue->count;
	char rows[32];

	for (int axis = 0; axis < SCALING_AXES; axis++) {
		curves[axis].title = titles[axis];
		curves[axis].label = labels[axis];
		curves[axis].points = calloc(SCALING_POINTS_MAX, sizeof(*curves[axis].points));
		if (!curves[axis].points)
			return message_out_of_memory(run->message);
	}
	measure_number((double)run->base_rows, rows);
	snprintf(curves[SCALING_BY_ROWS].setting, sizeof(curves[0].setting),
		 "%zu filters, %d threads", filters, options->threads);
	snprintf(curves[SCALING_BY_FILTERS].setting, sizeof(curves[0].setting),
		 "%s rows, %d threads", rows, options->threads);
	snprintf(curves[SCALING_BY_THREADS].setting, sizeof(curves[0].setting),
		 "%s rows, %zu filters", rows, filters);
	snprintf(curves[SCALING_BY_SHARE].setting, sizeof(curves[0].setting),
		 "%s rows, %d filters, %d threads", rows, SHARE_FILTERS, options->threads);
	return STATUS_OK;
}

static uint64_t base_rows(uint64_t rows)
{
	return rows < SCALING_DEFAULT_ROWS ? SCALING_FIRST_ROWS : SCALING_DEFAULT_ROWS;
}

enum status scaling_measure(const struct scaling_options *options, struct scaling *scaling,
			    struct message *message)
{
	struct scaling_run run = {.options = options,
				  .scaling = scaling,
				  .base_rows = base_rows(options->rows),
				  .message = message};
	enum status status;

	*scaling = (struct scaling){.repeats = options->repeats};
	snprintf(run.files.log, sizeof(run.files.log), "%s/log.sqlite", options->folder);
	snprintf(run.files.index, sizeof(run.files.index), "%s/log.index", options->folder);
	snprintf(run.files.catalogue, sizeof(run.files.catalogue), "%s/filters.conf",
		 options->folder);
	status = curves_make(&run);
	if (status == STATUS_OK)
		status = bandwidth_new(options->threads, &run.bandwidth, message);
	if (status == STATUS_OK)
		status = by_rows(&run);
	bandwidth_free(run.bandwidth);
	return status;
}

bool scaling_has_slope(const struct scaling_curve *curve, enum scaling_mode mode)
{
	size_t points = 0;

	for (size_t i = 0; i < curve->count; i++)
		points += curve->points[i].measured[mode];
	return points > 1;
}

double scaling_slope(const struct scaling_curve *curve, enum scaling_mode mode)
{
	double count = 0;
	double sum_x = 0;
	double sum_y = 0;
	double sum_xx = 0;
	double sum_xy = 0;
	double last = 0;
	double spread;

	for (size_t i = 0; i < curve->count; i++)
		if (curve->points[i].measured[mode])
			last = curve->points[i].x;
	for (size_t i = 0; i < curve->count; i++) {
		const struct scaling_point *point = &curve->points[i];
		double x;
		double y;

		if (!point->measured[mode] || point->x <= 0 || point->x < last / 100)
			continue;
		x = log(point->x);
		y = log(measure_seconds(&point->modes[mode]));
		count += 1;
		sum_x += x;
		sum_y += y;
		sum_xx += x * x;
		sum_xy += x * y;
	}
	spread = count * sum_xx - sum_x * sum_x;
	return count >= 2 && spread > 1e-12 ? (count * sum_xy - sum_x * sum_y) / spread : 0;
}

double scaling_marginal(const struct scaling_curve *curve, enum scaling_mode mode)
{
	const struct scaling_point *before = NULL;
	const struct scaling_point *last = NULL;

	for (size_t i = 0; i < curve->count; i++)
		if (curve->points[i].measured[mode]) {
			before = last;
			last = &curve->points[i];
		}
	if (!before || last->x == before->x)
		return 0;
	return (measure_seconds(&last->modes[mode]) - measure_seconds(&before->modes[mode])) /
	       (last->x - before->x);
}

void scaling_free(struct scaling *scaling)
{
	for (int axis = 0; axis < SCALING_AXES; axis++)
		free(scaling->curves[axis].points);
	*scaling = (struct scaling){0};
}
