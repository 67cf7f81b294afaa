/*
 * New filters over what is indexed already: their programs run over the stored
 * headers, or they are computed of stored bitmaps, and no row of the log is read.
 */
#ifndef CONNBITS_PIPELINE_FILTER_BACKFILL_H
#define CONNBITS_PIPELINE_FILTER_BACKFILL_H

#include <stddef.h>

#include "base/message.h"
#include "derived_filter.h"
#include "engine/column_question.h"
#include "engine/evaluate.h"
#include "index/index_reader.h"
#include "index/index_writer.h"
#include "segment_workers.h"

struct filter_backfill {
	sqlite3 *database; /* of the index, to write */
	const char *index_path;
	bool timed; /* the log has times, whose days are counted */
	const struct index_source *indexed;
	struct index_write_filter *filters; /* pending ones, with ids; their rows are set */
	const struct evaluation
		*evaluation; /* of the filters' programs, in their order, and helpers */
	size_t filter_count;
	size_t helper_count;			 /* programs that only derived filters ask for */
	const struct column_question *questions; /* that they ask; bitmaps behind the helpers' */
	size_t question_count;
	const struct derived_filters *derived; /* those of the filters that are computed */
	bool reads_columns;		       /* false where all are computed of stored bitmaps */
	int64_t all;			       /* the ids of @all and @skipped */
	int64_t skipped;
	struct workers_control control;
	uint64_t bitmap_bytes; /* written; added to */
	struct workers_result *result;
};

/* Runs it. The filters stay pending: whoever called publishes them. */
enum status filter_backfill_run(struct filter_backfill *backfill, struct message *message);

#endif
