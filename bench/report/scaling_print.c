#include <inttypes.h>

#include "base/json.h"
#include "chart.h"
#include "measure/scaling.h"

/* The points of one mode, the first with the mode's name before it. */
static void mode_print(FILE *stream, const struct scaling_curve *curve, enum scaling_mode mode)
{
	const char *name = scaling_mode_name(mode);

	for (size_t i = 0; i < curve->count; i++) {
		const struct measurement *measurement = &curve->points[i].modes[mode];
		char x[32];
		double least;
		double most;

		if (!curve->points[i].measured[mode])
			continue;
		measure_spread(measurement, &least, &most);
		fprintf(stream, "%-12s %12s %11.2f %11.2f %7.1f  (%.1f - %.1f)\n", name,
			measure_number(curve->points[i].x, x), measure_seconds(measurement) * 1e3,
			measure_floor_seconds(measurement) * 1e3, measure_ratio(measurement), least,
			most);
		name = "";
	}
	if (scaling_has_slope(curve, mode))
		fprintf(stream, "%12s %12s x^%.2f, %.3g us for each more\n", "", "slope",
			scaling_slope(curve, mode), scaling_marginal(curve, mode) * 1e6);
}

static void curve_print(FILE *stream, const struct scaling_curve *curve)
{
	fprintf(stream, "\ntime by %s (%s)\n%12s %12s %11s %11s %7s  %s\n", curve->label,
		curve->setting, "", curve->title, "ms", "limit, ms", "ratio", "(min - max)");
	for (int mode = 0; mode < SCALING_MODES; mode++)
		mode_print(stream, curve, (enum scaling_mode)mode);
}

void scaling_print(FILE *stream, const struct scaling *scaling, const struct machine *machine)
{
	machine_print(stream, machine);
	fprintf(stream,
		"median of %" PRIu64
		" interleaved runs; ratio = time over the limit's; slope = the "
		"exponent, and the time of one x more\nlimits:",
		scaling->repeats);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		fprintf(stream, "%s %s: %s", mode ? ";" : "",
			scaling_mode_name((enum scaling_mode)mode),
			scaling_limit_name((enum scaling_mode)mode));
	fputc('\n', stream);
	for (int axis = 0; axis < SCALING_AXES; axis++)
		curve_print(stream, &scaling->curves[axis]);
}

static void point_print_json(FILE *stream, const struct scaling_point *point)
{
	fprintf(stream,
		"{\"x\": %.9g, \"rows\": %" PRIu64 ", \"filters\": %" PRIu64
		", \"threads\": %d, \"modes\": {",
		point->x, point->rows, point->filters, point->threads);
	for (int mode = 0, written = 0; mode < SCALING_MODES; mode++) {
		const struct measurement *measurement = &point->modes[mode];
		double least;
		double most;

		if (!point->measured[mode])
			continue;
		measure_spread(measurement, &least, &most);
		fprintf(stream,
			"%s\"%s\": {\"seconds\": %.9f, \"limit_seconds\": %.9f, \"ratio\": %.4f, "
			"\"ratio_min\": %.4f, \"ratio_max\": %.4f}",
			written++ ? ", " : "", scaling_mode_name((enum scaling_mode)mode),
			measure_seconds(measurement), measure_floor_seconds(measurement),
			measure_ratio(measurement), least, most);
	}
	fputs("}}", stream);
}

static void slope_print_json(FILE *stream, const struct scaling_curve *curve,
			     enum scaling_mode mode)
{
	const char *name = scaling_mode_name(mode);

	if (scaling_has_slope(curve, mode))
		fprintf(stream, "%s\"%s\": {\"exponent\": %.4f, \"seconds_each\": %.6g}",
			mode ? ", " : "", name, scaling_slope(curve, mode),
			scaling_marginal(curve, mode));
	else
		fprintf(stream, "%s\"%s\": null", mode ? ", " : "", name);
}

static void curve_print_json(FILE *stream, const struct scaling_curve *curve)
{
	fprintf(stream, "{\"by\": \"%s\", \"setting\": ", curve->title);
	json_write_string(stream, curve->setting);
	fputs(", \"slopes\": {", stream);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		slope_print_json(stream, curve, (enum scaling_mode)mode);
	fputs("}, \"points\": [", stream);
	for (size_t i = 0; i < curve->count; i++) {
		fputs(i ? ",\n  " : "\n  ", stream);
		point_print_json(stream, &curve->points[i]);
	}
	fputs("]}", stream);
}

void scaling_print_json(FILE *stream, const struct scaling *scaling, const struct machine *machine)
{
	fputs("{\"version\": \"" CONNBITS_VERSION "\", \"machine\": ", stream);
	machine_print_json(stream, machine);
	fprintf(stream, ", \"repeats\": %" PRIu64 ", \"limits\": {", scaling->repeats);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		fprintf(stream, "%s\"%s\": \"%s\"", mode ? ", " : "",
			scaling_mode_name((enum scaling_mode)mode),
			scaling_limit_name((enum scaling_mode)mode));
	fputs("}, \"curves\": [", stream);
	for (int axis = 0; axis < SCALING_AXES; axis++) {
		fputs(axis ? ",\n " : "\n ", stream);
		curve_print_json(stream, &scaling->curves[axis]);
	}
	fputs("]}\n", stream);
}
