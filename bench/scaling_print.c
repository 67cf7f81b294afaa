#include <inttypes.h>

#include "chart.h"
#include "json.h"
#include "scaling.h"

static void curve_print(FILE *stream, const struct scaling_curve *curve)
{
	fprintf(stream, "\ntime in ms by %s (%s)\n%12s", curve->label, curve->setting,
		curve->title);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		fprintf(stream, " |%13s %9s %6s", scaling_mode_name((enum scaling_mode)mode),
			"limit", "ratio");
	fputc('\n', stream);
	for (size_t i = 0; i < curve->count; i++) {
		const struct scaling_point *point = &curve->points[i];
		char x[32];

		fprintf(stream, "%12s", chart_number(point->x, x));
		for (int mode = 0; mode < SCALING_MODES; mode++) {
			const struct measurement *measurement = &point->modes[mode];

			if (!point->measured[mode]) {
				fprintf(stream, " |%13s %9s %6s", "-", "-", "-");
				continue;
			}
			fprintf(stream, " |%13.2f %9.2f %6.1f",
				measure_median(measurement->seconds, measurement->repeats) * 1e3,
				measure_median(measurement->floor_seconds, measurement->repeats) *
					1e3,
				measure_ratio(measurement));
		}
		fputc('\n', stream);
	}
	fprintf(stream, "%12s", "slope");
	for (int mode = 0; mode < SCALING_MODES; mode++) {
		fprintf(stream, " |%9sx^%5.2f,%10.3g us", "",
			scaling_slope(curve, (enum scaling_mode)mode),
			scaling_marginal(curve, (enum scaling_mode)mode) * 1e6);
	}
	fputc('\n', stream);
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

		if (!point->measured[mode])
			continue;
		fprintf(stream,
			"%s\"%s\": {\"seconds\": %.9f, \"limit_seconds\": %.9f, \"ratio\": %.4f}",
			written++ ? ", " : "", scaling_mode_name((enum scaling_mode)mode),
			measure_median(measurement->seconds, measurement->repeats),
			measure_median(measurement->floor_seconds, measurement->repeats),
			measure_ratio(measurement));
	}
	fputs("}}", stream);
}

static void curve_print_json(FILE *stream, const struct scaling_curve *curve)
{
	fprintf(stream, "{\"by\": \"%s\", \"setting\": ", curve->title);
	json_write_string(stream, curve->setting);
	fputs(", \"slopes\": {", stream);
	for (int mode = 0; mode < SCALING_MODES; mode++)
		fprintf(stream, "%s\"%s\": {\"exponent\": %.4f, \"seconds_each\": %.6g}",
			mode ? ", " : "", scaling_mode_name((enum scaling_mode)mode),
			scaling_slope(curve, (enum scaling_mode)mode),
			scaling_marginal(curve, (enum scaling_mode)mode));
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
