/*
 * Programs and questions over the stored columns of all segments, on several threads where
 * segment_threads.h can.
 */
#ifndef CONNBITS_ASK_COLUMN_SCAN_H
#define CONNBITS_ASK_COLUMN_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "base/stop.h"
#include "database/sqlite.h"
#include "engine/evaluate.h"
#include "filter_search.h"
#include "set/row_set.h"

struct column_scan {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const struct evaluation *evaluation;
	size_t count; /* programs, behind which come */
	const struct column_question *questions;
	size_t question_count;
	const struct stop *stop;	  /* NULL, or asked on this thread */
	const struct search_pause *pause; /* NULL, or of a scan that takes long */
	struct row_set
		*rows; /* of each program and question, empty; NULL where only this is wanted: */
	uint64_t *matches; /* how many rows each of them accepts */
	uint64_t headers;  /* set: of all segments */
};

/* Fills what is wanted. STATUS_FAILED also where the scan was stopped. */
enum status column_scan_run(struct column_scan *scan, struct message *message);

#endif
