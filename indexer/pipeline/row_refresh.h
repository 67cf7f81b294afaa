/*
 * The rows of an index brought up to date with its log: new rows behind the
 * last indexed one, rows deleted at the start, and segments in which triggers
 * noted a change. Work and bytes written grow with what changed, and with the
 * chunks it lies in, not with the log.
 *
 * Every commit leaves an index of all rows up to its watermark: a job that is
 * killed has lost nothing that was committed, and the next one goes on there.
 */
#ifndef CONNBITS_PIPELINE_ROW_REFRESH_H
#define CONNBITS_PIPELINE_ROW_REFRESH_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "derived_filter.h"
#include "engine/column_question.h"
#include "engine/evaluate.h"
#include "index/index_reader.h"
#include "index/index_writer.h"
#include "log/log_reader.h"
#include "segment_workers.h"

struct row_refresh {
	sqlite3 *database; /* of the index, to write */
	const struct log *log;
	struct index_source *indexed; /* what is indexed; goes with every commit */
	struct index_write_filter
		*filters; /* ENCODER_BUILT_IN + program_count, with ids and rows */
	const struct evaluation *evaluation;	 /* of the filters, and behind them helpers */
	size_t program_count;			 /* filters */
	size_t helper_count;			 /* programs that only derived filters ask for */
	const struct column_question *questions; /* that they ask; bitmaps behind the helpers' */
	size_t question_count;
	const struct derived_filters *derived; /* those of the filters that are computed */
	const int64_t *noted; /* segments in which triggers noted a change, ascending */
	size_t noted_count;
	struct workers_control control;
	bool same_file;	       /* the index is in the log */
	uint64_t bitmap_bytes; /* written; added to */
	uint64_t header_bytes;
	uint64_t removed_rows; /* that were deleted at the start; added to */
	struct workers_result *result;
};

/* True if rows of the log have come, gone or changed since it was indexed. */
bool row_refresh_has_work(const struct index_source *indexed, const struct log *log,
			  size_t noted_count);

/*
 * Runs it. STATUS_FAILED also when stopped: what was complete by then is
 * committed.
 */
enum status row_refresh_run(struct row_refresh *refresh, struct message *message);

#endif
