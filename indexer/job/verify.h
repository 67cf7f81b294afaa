/*
 * Holds stored bitmaps against libpcap: fresh headers of sampled rows through
 * bpf_filter, compared with what the index says of those rows.
 */
#ifndef CONNBITS_JOB_VERIFY_H
#define CONNBITS_JOB_VERIFY_H

#include <stdint.h>

#include "base/message.h"
#include "log/log.h"

enum { VERIFY_ALL_ROWS = 0 };

struct verify_summary {
	uint64_t rows;	       /* rows compared */
	uint64_t comparisons;  /* rows times bitmaps, @all and @skipped included */
	uint64_t rows_by_page; /* whose fields, read by page, were held against SQLite's */
};

/*
 * Compares rows in runs that lie evenly spread over the log's row ids, about
 * `rows` of them or VERIFY_ALL_ROWS, with every stored filter. STATUS_FAILED names the first
 * difference: filter and row id. Rows that the log has gained since are left
 * out. Unless they are not to be read by page, the fields of the same rows are held against
 * what their pages have.
 */
enum status verify_run(const char *log_path, const char *index_path, const char *table,
		       uint64_t rows, enum log_read read, struct verify_summary *summary,
		       struct message *message);

#endif
