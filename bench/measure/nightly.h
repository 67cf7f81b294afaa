/*
 * What a night costs: the same few new rows on logs of ever more rows, a new
 * filter over stored headers beside reading the rows again, and a filter that
 * is asked on the spot.
 */
#ifndef CONNBITS_MEASURE_NIGHTLY_H
#define CONNBITS_MEASURE_NIGHTLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/message.h"
#include "machine.h"

enum {
	NIGHTLY_DEFAULT_ROWS = 10000000,
	NIGHTLY_FIRST_ROWS = 100000, /* the smallest log; the others have ten times as many each */
	NIGHTLY_NEW_ROWS = 10000,
};

struct nightly_options {
	const char *folder; /* where logs are made; they are removed */
	const char *catalogue_path;
	const struct machine *machine;
	uint64_t rows; /* of the largest log */
	uint64_t repeats;
	int threads;
	bool json;
};

/* Measures, and writes a table or a JSON object to stream once all is done. */
enum status nightly_run(const struct nightly_options *options, FILE *stream,
			struct message *message);

#endif
