/* What connbits-index prints of its runs. */
#ifndef CONNBITS_MAIN_REPORT_H
#define CONNBITS_MAIN_REPORT_H

#include <stdbool.h>

#include "job/job_tables.h"

/* As the options say. */
struct settings {
	struct table_options run;
	bool json;
	bool quiet;
};

/* The table_tell of connbits-index; context is its settings. */
enum status report_table(void *context, const struct table_result *result);

#endif
