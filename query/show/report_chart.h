/* The charts of a report, as SVG within HTML. */
#ifndef CONNBITS_SHOW_REPORT_CHART_H
#define CONNBITS_SHOW_REPORT_CHART_H

#include <stdint.h>
#include <stdio.h>

#include "morning.h"

/* A column for each day, with its rows as its title. */
void report_chart_days(FILE *stream, const struct morning_filter *filter,
		       const struct morning *morning);

/*
 * A cell for each day, the darker the more rows: of the filter's own day with most of them. A day
 * without rows is an outline.
 */
void report_chart_strip(FILE *stream, const struct morning_filter *filter,
			const struct morning *morning);

#endif
