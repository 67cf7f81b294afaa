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

/* What is kept of a table's run. */
struct table_metrics {
	char table[256];
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t rows_new;
	uint64_t rows_behind;
	size_t filters;
	size_t sets;
	size_t sets_gone;
	double seconds;
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
