/*
 * The stages of connbits-index, each run alone over the same log, and beside
 * each the floor: the least work that reading, building, evaluating, encoding
 * or storing the same could be. Every function returns the seconds it took.
 */
#ifndef CONNBITS_MEASURE_STAGES_H
#define CONNBITS_MEASURE_STAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "catalogue/filter_set.h"
#include "engine/evaluate.h"
#include "log/log_reader.h"

enum {
	/* Segments kept in memory for the stages behind reading: 2^24 row ids. */
	STAGES_SEGMENTS_MAX = 256,
};

struct stages {
	const struct log *log;
	const struct filter_set *filters;
	int threads;
	int64_t *numbers; /* every segment of the log */
	size_t number_count;
	struct segment **segments;     /* the first of them, read, */
	struct packed_columns *packed; /* and as they are stored; without bytes where none is */
	size_t segment_count;
	uint64_t rows_read;  /* rows of the whole log, */
	bool by_page;	     /* which were read from its pages */
	uint64_t file_bytes; /* of the log */
	uint64_t rows_held;  /* headers in segments */
	size_t bytes_stored; /* of the blobs that stages_store wrote */
};

/* Lists the segments and reads the first ones. The caller frees with stages_free. */
enum status stages_open(struct stages *stages, const struct log *log,
			const struct filter_set *filters, struct message *message);

void stages_free(struct stages *stages);

/* Reading and building: what connbits-index does. Floor: the bare sqlite3_step loop. */
enum status stages_read(struct stages *stages, enum log_read read, double *seconds,
			struct message *message);
enum status stages_read_floor(struct stages *stages, double *seconds, struct message *message);

/* Building alone, from rows in memory. Floor: copying the headers' bytes. */
enum status stages_build(struct stages *stages, double *seconds, double *floor_seconds,
			 uint64_t *rows, struct message *message);

/*
 * Storing the blobs of the segments in memory in an index at path, which is
 * made and removed. Floor: writing the same bytes to a file and fsync.
 */
enum status stages_store(struct stages *stages, const struct evaluation *evaluation,
			 const char *path, double *seconds, double *floor_seconds,
			 struct message *message);

/* Keeps the first failure of several threads in *status and *message. */
void stages_keep_first(enum status *status, struct message *message, enum status new_status,
		       const struct message *new_message);

#endif
