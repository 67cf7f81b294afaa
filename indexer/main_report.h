/* What connbits-index prints of its runs. */
#ifndef CONNBITS_MAIN_REPORT_H
#define CONNBITS_MAIN_REPORT_H

#include <stdbool.h>

#include "job/job_tables.h"
#include "main_metrics.h"

/* As the options say. */
struct settings {
	struct table_options run;
	bool json;
	bool quiet;
	const char *metrics_path; /* NULL, or where they go once all is done */
	struct main_metrics metrics;
};

/* The table_tell of connbits-index; context is its settings. */
enum status report_table(void *context, const struct table_result *result);

#endif
