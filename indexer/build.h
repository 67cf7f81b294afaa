/*
 * The parallel part of a job: every thread takes segments from the source,
 * reads them, evaluates all programs and encodes the bits; finished chunks go
 * to a sink in short batches. Memory grows with threads and filters, not with
 * rows.
 */
#ifndef CONNBITS_BUILD_H
#define CONNBITS_BUILD_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "evaluate.h"
#include "message.h"
#include "source.h"
#include "store.h"

/* Besides the programs, every build has these two bitmaps: they are its first. */
enum { BUILD_ALL, BUILD_SKIPPED, BUILD_BUILT_IN };

enum build_stage { BUILD_READ, BUILD_EVALUATE, BUILD_ENCODE, BUILD_STORE, BUILD_STAGES };

/* The word for a stage in summaries: "read", "evaluate", "bitmap", "store". */
const char *build_stage_name(enum build_stage stage);

struct build_options {
	const struct source *source;
	const struct evaluation *evaluation;
	size_t program_count; /* of the evaluation */
	int threads;	      /* 1 or more */
	/* Takes bitmaps (filter 0 and 1 are @all and @skipped). Called by one thread at a time. */
	enum status (*sink)(void *context, const struct store_bitmap *bitmaps, size_t count,
			    struct message *message);
	void *sink_context;
	/* NULL, or told of the rows read and the share of row ids, 0 to 1. One thread at a time. */
	void (*progress)(void *context, uint64_t rows, double share);
	void *progress_context;
	const volatile sig_atomic_t *stop; /* NULL, or not 0 once the job should end */
};

struct build_result {
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t bitmap_bytes;
	double seconds[BUILD_STAGES]; /* summed over the threads */
};

/*
 * Runs the build. filter_rows has BUILD_BUILT_IN + program_count items and
 * gets the cardinality of each bitmap. STATUS_FAILED also when stopped.
 */
enum status build_run(const struct build_options *options, uint64_t *filter_rows,
		      struct build_result *result, struct message *message);

#endif
