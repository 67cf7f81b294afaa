/*
 * The parallel part of a job: every thread takes segments from a supply,
 * evaluates all programs over them and encodes the bits; finished chunks go to
 * a sink, one after the other. Memory grows with threads, and with programs,
 * but not with rows or with what a program matches.
 */
#ifndef CONNBITS_PIPELINE_SEGMENT_WORKERS_H
#define CONNBITS_PIPELINE_SEGMENT_WORKERS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/reader_gate.h"
#include "engine/chunk_table.h"
#include "engine/segment_encoder.h"
#include "packet/connection.h"
#include "segment_supply.h"

enum workers_stage {
	WORKERS_READ,
	WORKERS_EVALUATE,
	WORKERS_ENCODE,
	WORKERS_STORE,
	WORKERS_STAGES
};

/* The word for a stage in summaries: "read", "evaluate", "bitmap", "store". */
const char *workers_stage_name(enum workers_stage stage);

/* How the workers are run, whatever they make. */
struct workers_control {
	int threads; /* 1 or more */
	/* NULL, or told of the rows read and the share of row ids, 0 to 1. One thread at a time. */
	void (*progress)(void *context, uint64_t rows, double share);
	void *progress_context;
	const volatile sig_atomic_t *stop; /* NULL, or not 0 once the job should end */
	struct reader_gate *gate;	   /* around every read */
};

struct workers_options {
	struct workers_control control;
	const struct segment_supply *supply;
	struct encoder_options encoder; /* without its spill */
	/* Beside this file lie containers that are too many for memory. */
	const char *spill_beside;
	/*
	 * Takes a chunk, in ascending order; it is freed afterwards. Called by one
	 * thread at a time.
	 */
	enum status (*sink)(void *context, const struct chunk_work *work, struct message *message);
	void *sink_context;
};

struct workers_result {
	uint64_t outcomes[OUTCOME_COUNT]; /* of the rows read */
	struct log_reading reading;	  /* how they were read */
	double seconds[WORKERS_STAGES];	  /* summed over the threads */
};

/*
 * Runs them and adds to *result. STATUS_FAILED also when stopped; chunks
 * that went to the sink until then are whole.
 */
enum status workers_run(const struct workers_options *options, struct workers_result *result,
			struct message *message);

#endif
