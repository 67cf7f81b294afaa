/*
 * All stages of connbits-index over one subject, each timed beside its floor
 * in interleaved runs: what connbits-bench prints without another word.
 */
#ifndef CONNBITS_MEASURE_STAGE_RUN_H
#define CONNBITS_MEASURE_STAGE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/message.h"
#include "machine.h"
#include "subject.h"

struct stage_run_options {
	const char *log_name;	    /* as shown */
	const char *scratch;	    /* a file that is made and removed */
	const char *catalogue_path; /* for a whole job; NULL: none is run */
	enum engine engine;
	uint64_t repeats;
	int threads;
	bool generated_filters; /* time all of them beside the first few, not beside bpf */
	bool json;
};

/* Measures, and writes a table or a JSON object to stream once all is done. */
enum status stage_run(struct subject *subject, const struct stage_run_options *options,
		      const struct machine *machine, FILE *stream, struct message *message);

#endif
