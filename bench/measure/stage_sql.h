/*
 * bpf_filter() in SQL, one filter over every row of the log, through the
 * extension as anybody loads it.
 */
#ifndef CONNBITS_MEASURE_STAGE_SQL_H
#define CONNBITS_MEASURE_STAGE_SQL_H

#include <stdbool.h>

#include "base/message.h"
#include "stages.h"

/* True if the extension lies beside this program, and the log's rows have a type. */
bool stage_sql_possible(const struct stages *stages);

/*
 * Times the first filter as SQL, with one thread. Floor: the bare sqlite3_step
 * loop over the same columns, and bpf_filter on as many headers. Fails where
 * both do not count the same rows.
 */
enum status stage_sql(struct stages *stages, double *seconds, double *floor_seconds,
		      struct message *message);

#endif
