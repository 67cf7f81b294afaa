#include "main_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/output_file.h"

/* Every metric but those of skipped rows. */
static const struct {
	const char *name;
	const char *help;
} metrics_known[TABLE_METRICS] = {
	[METRIC_ROWS] = {"rows", "Rows of the log that are indexed."},
	[METRIC_HEADERS] = {"rows_with_header", "Those of them that filters are asked about."},
	[METRIC_LISTEN] = {"rows_listen", "Those of them that only listen."},
	[METRIC_NEW] = {"rows_new", "Rows that the last run found new."},
	[METRIC_BEHIND] = {"rows_behind", "Rows that came while the last run was at work."},
	[METRIC_FILTERS] = {"filters", "Filters of the index."},
	[METRIC_SETS] = {"sets", "Address sets of the index."},
	[METRIC_SETS_GONE] = {"sets_gone", "Address sets whose file has gone or is empty."},
	[METRIC_SECONDS] = {"run_seconds", "Seconds that the last run took."},
	[METRIC_SUCCESS] = {"last_success_timestamp_seconds",
			    "When the last run that succeeded ended."},
};

enum status main_metrics_add(struct main_metrics *metrics, const struct job_summary *summary,
			     struct message *message)
{
	struct table_metrics *larger =
		realloc(metrics->tables, (metrics->count + 1) * sizeof(*larger));
	struct table_metrics *added;

	if (!larger)
		return message_out_of_memory(message);
	metrics->tables = larger;
	added = &larger[metrics->count++];
	*added = (struct table_metrics){
		.values = {
			[METRIC_ROWS] = (double)outcomes_total(summary->outcomes),
			[METRIC_HEADERS] = (double)summary->outcomes[OUTCOME_HEADER],
			[METRIC_LISTEN] = (double)summary->outcomes[OUTCOME_LISTEN],
			[METRIC_NEW] = (double)summary->rows_new,
			[METRIC_BEHIND] = (double)summary->rows_behind,
			[METRIC_FILTERS] = (double)summary->filters,
			[METRIC_SETS] = (double)summary->sets,
			[METRIC_SETS_GONE] = (double)summary->sets_gone,
			[METRIC_SECONDS] = summary->seconds,
			[METRIC_SUCCESS] = (double)time(NULL),
		}};
	memcpy(added->table, summary->table, sizeof(added->table));
	memcpy(added->outcomes, summary->outcomes, sizeof(added->outcomes));
	return STATUS_OK;
}

/* A label's value in quotes; what is no UTF-8 comes out as U+FFFD. */
static void label_write(FILE *stream, const char *name, const char *text)
{
	const unsigned char *next = (const unsigned char *)text;
	size_t left = strlen(text);

	fprintf(stream, "%s=\"", name);
	while (left) {
		const size_t length = json_utf8_sequence(next, left);

		if (*next == '\n')
			fputs("\\n", stream);
		else if (*next == '"' || *next == '\\')
			fprintf(stream, "\\%c", *next);
		else if (length)
			fwrite(next, 1, length, stream);
		else
			fputs("\xef\xbf\xbd", stream);
		next += length ? length : 1;
		left -= length ? length : 1;
	}
	putc('"', stream);
}

static void labels_write(FILE *stream, const char *log_path, const struct table_metrics *table)
{
	putc('{', stream);
	label_write(stream, "log", log_path);
	putc(',', stream);
	label_write(stream, "table", table->table);
}

static void skipped_write(FILE *stream, const struct main_metrics *metrics, const char *log_path)
{
	fputs("# HELP connbits_rows_skipped Rows that no filter sees, by the reason.\n"
	      "# TYPE connbits_rows_skipped gauge\n",
	      stream);
	for (size_t i = 0; i < metrics->count; i++)
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
			if (!outcome_is_skipped((enum outcome)outcome))
				continue;
			fputs("connbits_rows_skipped", stream);
			labels_write(stream, log_path, &metrics->tables[i]);
			fprintf(stream, ",reason=\"%s\"} %" PRIu64 "\n",
				outcome_name((enum outcome)outcome),
				metrics->tables[i].outcomes[outcome]);
		}
}

enum status main_metrics_write(const struct main_metrics *metrics, const char *path,
			       const char *log_path, struct message *message)
{
	struct output_file file;
	enum status status;

	/* Where only --verify was asked for there are none. */
	if (metrics->count == 0)
		return STATUS_OK;
	status = output_file_open(path, &file, message);
	if (status != STATUS_OK)
		return status;
	for (int metric = 0; metric < TABLE_METRICS; metric++) {
		const char *name = metrics_known[metric].name;

		fprintf(file.stream, "# HELP connbits_%s %s\n# TYPE connbits_%s gauge\n", name,
			metrics_known[metric].help, name);
		for (size_t i = 0; i < metrics->count; i++) {
			fprintf(file.stream, "connbits_%s", name);
			labels_write(file.stream, log_path, &metrics->tables[i]);
			fprintf(file.stream, "} %.15g\n", metrics->tables[i].values[metric]);
		}
	}
	skipped_write(file.stream, metrics, log_path);
	return output_file_close(&file, message);
}

void main_metrics_free(struct main_metrics *metrics)
{
	free(metrics->tables);
	*metrics = (struct main_metrics){0};
}
