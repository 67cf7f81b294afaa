/*
 * What connbits-index --metrics leaves for a monitor: a file in Prometheus's text format
 * (prometheus.io/docs/instrumenting/exposition_formats), as its node exporter collects them. Only
 * a run that succeeded writes it, whole: one that fails leaves the last one's time in it.
 */
#ifndef CONNBITS_MAIN_METRICS_H
#define CONNBITS_MAIN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "job/job_tables.h"

enum table_metric {
	METRIC_ROWS,
	METRIC_HEADERS,
	METRIC_LISTEN,
	METRIC_NEW,
	METRIC_BEHIND,
	METRIC_FILTERS,
	METRIC_SETS,
	METRIC_SETS_GONE,
	METRIC_SECONDS,
	METRIC_SUCCESS, /* seconds since 1970 */
	TABLE_METRICS,
};

/* What is kept of a table's run. */
struct table_metrics {
	char table[256];
	uint64_t outcomes[OUTCOME_COUNT];
	double values[TABLE_METRICS];
};

/* Zero-initialise; free with main_metrics_free. */
struct main_metrics {
	struct table_metrics *tables;
	size_t count;
};

enum status main_metrics_add(struct main_metrics *metrics, const struct job_summary *summary,
			     struct message *message);

enum status main_metrics_write(const struct main_metrics *metrics, const char *path,
			       const char *log_path, struct message *message);

void main_metrics_free(struct main_metrics *metrics);

#endif
