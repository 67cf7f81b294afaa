/*
 * One point of a scaling curve: a log, a catalogue and a number of threads,
 * timed in the three ways in which filters are evaluated, each beside the
 * physical limit of what it has to do.
 */
#ifndef CONNBITS_MEASURE_SCALING_POINT_H
#define CONNBITS_MEASURE_SCALING_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "bandwidth.h"
#include "base/message.h"
#include "catalogue/catalogue.h"
#include "measure.h"

enum scaling_mode {
	SCALING_MEMORY,	 /* headers in memory to bitmaps. Limit: bytes over memory bandwidth */
	SCALING_HEADERS, /* connbits-index --recompute. Limit: reading the stored headers */
	SCALING_ROWS,	 /* connbits-index from nothing. Limit: a bare sqlite3_step loop */
	SCALING_MODES,
};

struct scaling_point {
	double x; /* of the axis */
	uint64_t rows;
	uint64_t filters;
	int threads;
	uint64_t matches;	      /* rows that match, of all filters; of all rows in memory */
	uint64_t rows_held;	      /* rows in memory */
	bool measured[SCALING_MODES]; /* memory only where all rows fit into it */
	struct measurement modes[SCALING_MODES];
};

/* Where a point's files are. */
struct scaling_files {
	char log[1000];
	char index[1000];
	char catalogue[1000];
};

/* "in memory", "from headers", "end to end" */
const char *scaling_mode_name(enum scaling_mode mode);

/* What the mode's limit is, in a few words. */
const char *scaling_limit_name(enum scaling_mode mode);

/*
 * Measures the log of files->log with the catalogue; writes and removes the
 * index and the catalogue's file. The bandwidth is for that many threads or more. Before a time is
 * taken the engines have to agree on the first segment and the first thousand filters, and the
 * index, filter by filter, with what was counted in memory.
 */
enum status scaling_point_measure(const struct scaling_files *files,
				  const struct catalogue *catalogue, struct bandwidth *bandwidth,
				  int threads, uint64_t repeats, struct scaling_point *point,
				  struct message *message);

#endif
