/* The days of an index held against its bitmaps and times, all of which are read. */
#ifndef CONNBITS_JOB_VERIFY_DAYS_H
#define CONNBITS_JOB_VERIFY_DAYS_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index/index_reader.h"

/*
 * index is a connection that nobody else uses, timed whether the log has times. STATUS_FAILED where
 * a day differs.
 */
enum status verify_days_run(sqlite3 *index, const struct index_source *source,
			    const struct index_filters *filters, bool timed,
			    struct message *message);

#endif
