/*
 * Charts as SVG (SVG 1.1), which a page holds inline or a file holds alone:
 * no script, no font or colour from elsewhere, light and dark by the
 * reader's preference.
 */
#ifndef CONNBITS_REPORT_CHART_H
#define CONNBITS_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The style sheet of charts. A page has it once; chart_bars_file adds it. */
extern const char chart_style[];

struct chart_bar {
	const char *label;
	double value; /* seconds, more than 0 */
	double least; /* of the repeats; 0 < least <= value <= most */
	double most;
	double ratio; /* its time over the first's */
	bool ours;    /* drawn in the colour of what the page is about */
};

/* Horizontal bars on a logarithmic scale, with whiskers; each with its time over the first's. */
void chart_bars(FILE *stream, const char *title, const struct chart_bar *bars, size_t count,
		bool alone);

enum { CHART_SERIES_MAX = 3, CHART_POINTS_MAX = 16 };

struct chart_series {
	const char *name;
	size_t count;
	double x[CHART_POINTS_MAX];	/* more than 0, ascending */
	double y[CHART_POINTS_MAX];	/* seconds, more than 0 */
	double limit[CHART_POINTS_MAX]; /* likewise */
};

struct chart_curves {
	const char *title;
	const char *x_label;
	struct chart_series series[CHART_SERIES_MAX];
	size_t count;
};

/* Curves and, dashed, their limits, on logarithmic scales. */
void chart_curves(FILE *stream, const struct chart_curves *curves);

/* Writes text as it may stand in HTML and XML; what is not UTF-8 or not allowed in XML as U+FFFD.
 */
void chart_write_text(FILE *stream, const char *text);

/* "430 us", "5.0 ms", "1.2 s", "98 s" */
const char *chart_seconds(double seconds, char text[static 24]);

#endif
