/*
 * One page of all figures: peers as bars, scaling as curves, the cost sheet
 * as a table. It needs no network and no script.
 */
#ifndef CONNBITS_REPORT_REPORT_H
#define CONNBITS_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "measure/machine.h"
#include "measure/scaling.h"
#include "measure/sheet.h"
#include "peer_results.h"

struct report {
	const char *log_name;	    /* of the sheet; NULL: generated */
	const char *catalogue_name; /* NULL: generated */
	const struct machine *machine;
	const struct peer_results *peers; /* no items where they were not measured */
	const struct scaling *scaling;
	const struct sheet *sheet;
};

/* Writes the page (HTML). Whether everything was written is the stream's to tell. */
void report_write(FILE *stream, const struct report *report);

/* Writes the bars of the peers as an SVG file of their own. False where all of them are absent. */
bool report_peers_figure(FILE *stream, const struct peer_results *peers);

#endif
