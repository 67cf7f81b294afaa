#include "main_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/command.h"
#include "base/json.h"

/* New address sets in one line, those that changed in a line each. */
static void print_set_changes(const struct job_summary *summary)
{
	size_t sets = 0;
	uint64_t entries = 0;

	for (size_t i = 0; i < summary->set_change_count; i++) {
		const struct job_set_change *change = &summary->set_changes[i];

		if (change->is_new) {
			sets++;
			entries += change->entries;
			continue;
		}
		printf("set %s: %" PRIu64 " entries, %" PRIu64 " came, %" PRIu64 " went",
		       change->name, change->entries, change->came, change->went);
		/* Of an index that is built anew nothing is known of the rows before. */
		if (!summary->built)
			printf(": %" PRIu64 " rows changed in %zu filter%s", change->rows,
			       change->filters, change->filters == 1 ? "" : "s");
		putchar('\n');
	}
	if (sets)
		printf("%zu new address set%s, %" PRIu64 " entr%s\n", sets, sets == 1 ? "" : "s",
		       entries, entries == 1 ? "y" : "ies");
	if (summary->sets_removed)
		printf("%zu address set%s removed\n", summary->sets_removed,
		       summary->sets_removed == 1 ? " was" : "s were");
}

/* Where no row came or went. */
static void print_filter_changes(const struct job_summary *summary)
{
	const struct {
		size_t count;
		const char *what;
	} changes[] = {{summary->filters_new, "new"},
		       {summary->filters_changed, "changed"},
		       {summary->filters_removed, "removed"}};
	const char *separator = "";

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		if (changes[i].count == 0)
			continue;
		printf("%s%zu %s filter%s", separator, changes[i].count, changes[i].what,
		       changes[i].count == 1 ? "" : "s");
		separator = ", ";
	}
	if (*separator)
		printf(": no row had to be read\n");
	else if (summary->bitmap_bytes)
		printf("every filter was evaluated again: no row had to be read\n");
	if (summary->headers_dropped)
		printf("the stored headers were dropped\n");
	if (summary->untracked)
		printf("the log's triggers were removed\n");
	if (summary->described && !*separator)
		printf("descriptions or the order of filters were changed\n");
	if (!*separator && !summary->bitmap_bytes && !summary->headers_dropped &&
	    !summary->untracked && !summary->described && !summary->set_change_count &&
	    !summary->sets_removed)
		printf("nothing to do: the index is up to date\n");
}

/* What the run did, where it was not the first one. */
static void print_changes(const struct job_summary *summary)
{
	const char *again = summary->resumed ? "gone on with an unfinished build" : "built again";

	if (*summary->rebuild_why)
		printf("%s: %s\n", again, summary->rebuild_why);
	else if (summary->resumed)
		printf("%s\n", again);
	if (summary->built)
		return;
	if (summary->rows_read == 0 && summary->rows_removed == 0 && summary->rows_new == 0)
		print_filter_changes(summary);
	else
		printf("%" PRIu64 " new rows, %" PRIu64 " removed, %" PRIu64
		       " read; filters: %zu new, %zu changed, %zu removed\n",
		       summary->rows_new, summary->rows_removed, summary->rows_read,
		       summary->filters_new, summary->filters_changed, summary->filters_removed);
}

static void print_summary(const struct job_summary *summary)
{
	const uint64_t *outcomes = summary->outcomes;
	uint64_t rows = outcomes_total(summary->outcomes);
	uint64_t skipped = rows - outcomes[OUTCOME_HEADER] - outcomes[OUTCOME_LISTEN];
	const char *separator = " (";

	printf("table %s (%s): %" PRIu64 " rows = %" PRIu64 " with header + %" PRIu64
	       " listen + %" PRIu64 " skipped",
	       summary->table, summary->schema, rows, outcomes[OUTCOME_HEADER],
	       outcomes[OUTCOME_LISTEN], skipped);
	for (int outcome = OUTCOME_TYPE; outcome < OUTCOME_COUNT; outcome++) {
		if (outcomes[outcome] == 0)
			continue;
		printf("%s%s %" PRIu64, separator, outcome_name((enum outcome)outcome),
		       outcomes[outcome]);
		separator = ", ";
	}
	printf("%s\n", skipped ? ")" : "");
	print_set_changes(summary);
	print_changes(summary);
	printf("%zu filters, %" PRIu64 " bytes of bitmaps and %" PRIu64
	       " of headers written, %.2f seconds\n",
	       summary->filters, summary->bitmap_bytes, summary->header_bytes, summary->seconds);
}

static void print_json_warnings(const struct diagnostics *warnings)
{
	fputs(", \"warnings\": [", stdout);
	for (size_t i = 0; i < warnings->count; i++) {
		printf("%s{\"line\": %zu, \"message\": ", i ? ", " : "", warnings->items[i].line);
		json_write_string(stdout, warnings->items[i].message.text);
		putchar('}');
	}
	putchar(']');
}

static void print_json_sets(const struct job_summary *summary)
{
	printf(", \"sets\": %zu, \"sets_gone\": %zu, \"sets_removed\": %zu, \"sets_changed\": [",
	       summary->sets, summary->sets_gone, summary->sets_removed);
	for (size_t i = 0; i < summary->set_change_count; i++) {
		const struct job_set_change *change = &summary->set_changes[i];

		fputs(i ? ", {\"name\": " : "{\"name\": ", stdout);
		json_write_string(stdout, change->name);
		printf(", \"new\": %s, \"entries\": %" PRIu64 ", \"came\": %" PRIu64
		       ", \"went\": %" PRIu64,
		       change->is_new ? "true" : "false", change->entries, change->came,
		       change->went);
		if (summary->built)
			fputs(", \"filters\": null, \"rows_changed\": null}", stdout);
		else
			printf(", \"filters\": %zu, \"rows_changed\": %" PRIu64 "}",
			       change->filters, change->rows);
	}
	putchar(']');
}

static void print_json(const struct settings *settings, const struct job_summary *summary,
		       const struct verify_summary *verified)
{
	const struct workers_result *result = &summary->result;
	const struct job_options *options = &settings->run.index;
	struct rusage usage_now = {0};

	getrusage(RUSAGE_SELF, &usage_now);
	fputs("{\"version\": \"" CONNBITS_VERSION "\", \"log\": ", stdout);
	json_write_string(stdout, options->log_path);
	fputs(", \"index\": ", stdout);
	json_write_string(stdout, options->index_path ? options->index_path : options->log_path);
	fputs(", \"table\": ", stdout);
	json_write_string(stdout, summary->table);
	fputs(", \"schema\": ", stdout);
	json_write_string(stdout, summary->schema);
	printf(", \"rows_move\": %s, \"engine\": \"%s\", \"threads\": %d",
	       summary->rows_move ? "true" : "false", engine_name(options->engine),
	       options->threads);
	fputs(", \"rebuild\": ", stdout);
	if (*summary->rebuild_why)
		json_write_string(stdout, summary->rebuild_why);
	else
		fputs("null", stdout);
	printf(", \"built\": %s, \"resumed\": %s", summary->built ? "true" : "false",
	       summary->resumed ? "true" : "false");
	printf(", \"filters\": %zu, \"filters_new\": %zu, \"filters_changed\": %zu, "
	       "\"filters_removed\": %zu",
	       summary->filters, summary->filters_new, summary->filters_changed,
	       summary->filters_removed);
	print_json_sets(summary);
	printf(", \"rows\": %" PRIu64 ", \"rows_new\": %" PRIu64 ", \"rows_removed\": %" PRIu64
	       ", \"rows_read\": %" PRIu64,
	       outcomes_total(summary->outcomes), summary->rows_new, summary->rows_removed,
	       summary->rows_read);
	printf(", \"rows_by_page\": %" PRIu64 ", \"rows_by_sql\": %" PRIu64 ", \"not_by_page\": ",
	       summary->reading.by_page, summary->reading.by_sql);
	if (summary->reading.why)
		json_write_string(stdout, summary->reading.why);
	else
		fputs("null", stdout);
	printf(", \"with_header\": %" PRIu64 ", \"listen\": %" PRIu64 ", \"skipped\": {",
	       summary->outcomes[OUTCOME_HEADER], summary->outcomes[OUTCOME_LISTEN]);
	for (int outcome = OUTCOME_TYPE; outcome < OUTCOME_COUNT; outcome++)
		printf("%s\"%s\": %" PRIu64, outcome == OUTCOME_TYPE ? "" : ", ",
		       outcome_name((enum outcome)outcome), summary->outcomes[outcome]);
	printf("}, \"bitmap_bytes\": %" PRIu64 ", \"header_bytes\": %" PRIu64
	       ", \"peak_memory_bytes\": %ld, \"seconds\": {\"total\": %.6f, \"compile\": %.6f",
	       summary->bitmap_bytes, summary->header_bytes, usage_now.ru_maxrss * 1024L,
	       summary->seconds, summary->compile_seconds);
	for (int stage = 0; stage < WORKERS_STAGES; stage++)
		printf(", \"%s\": %.6f", workers_stage_name((enum workers_stage)stage),
		       result->seconds[stage]);
	putchar('}');
	print_json_warnings(&summary->warnings);
	if (settings->run.verify)
		printf(", \"verified\": {\"rows\": %" PRIu64 ", \"comparisons\": %" PRIu64
		       ", \"rows_by_page\": %" PRIu64 "}",
		       verified->rows, verified->comparisons, verified->rows_by_page);
	puts("}");
}

/* A line on stderr. A catalogue may have what commands a terminal. */
static void print_safely(const char *text)
{
	command_write_safely(stderr, text);
	putc('\n', stderr);
}

/* The place of a line about a file, whose name may have what commands a terminal, too. */
static void print_place(enum command_level level, const char *file, size_t line)
{
	fputs(command_level(level), stderr);
	command_write_safely(stderr, file);
	if (line)
		fprintf(stderr, ":%zu", line);
	fputs(": ", stderr);
}

static void print_failure(const char *catalogue, const struct diagnostics *diagnostics,
			  const struct message *message)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const char *file = diagnostics->items[i].file;

		print_place(COMMAND_ERROR, file ? file : catalogue, diagnostics->items[i].line);
		print_safely(diagnostics->items[i].message.text);
	}
	if (diagnostics->lost) {
		print_place(COMMAND_ERROR, catalogue, 0);
		fprintf(stderr, "and %zu more\n", diagnostics->lost);
	}
	print_place(COMMAND_ERROR, "connbits-index", 0);
	print_safely(message->text);
}

static void print_warnings(const struct settings *settings, const char *catalogue,
			   const struct diagnostics *warnings)
{
	for (size_t i = 0; i < warnings->count && !settings->quiet; i++) {
		const size_t line = warnings->items[i].line;

		print_place(COMMAND_WARNING, line ? catalogue : "connbits-index", line);
		fputs("warning: ", stderr);
		print_safely(warnings->items[i].message.text);
	}
	if (warnings->lost && !settings->quiet) {
		print_place(COMMAND_WARNING, catalogue, 0);
		fprintf(stderr, "and %zu more warnings\n", warnings->lost);
	}
}

static void print_results(const struct settings *settings, const struct job_summary *summary,
			  const struct verify_summary *verified)
{
	bool verify_only = settings->run.verify && !settings->run.index.catalogue_path;

	if (settings->run.index.check) {
		if (settings->json) {
			printf("{\"version\": \"" CONNBITS_VERSION "\", \"filters\": %zu",
			       summary->filters);
			print_json_warnings(&summary->warnings);
			puts("}");
		} else if (!settings->quiet)
			printf("%zu filters compile; table %s (%s)\n", summary->filters,
			       summary->table, summary->schema);
		return;
	}
	if (settings->json && !verify_only) {
		print_json(settings, summary, verified);
		return;
	}
	if (settings->json)
		printf("{\"version\": \"" CONNBITS_VERSION "\", \"verified\": {\"rows\": %" PRIu64
		       ", \"comparisons\": %" PRIu64 ", \"rows_by_page\": %" PRIu64 "}}\n",
		       verified->rows, verified->comparisons, verified->rows_by_page);
	if (settings->quiet || settings->json)
		return;
	if (!verify_only)
		print_summary(summary);
	if (settings->run.verify)
		printf("verified %" PRIu64 " rows, %" PRIu64 " comparisons with bpf_filter: no "
		       "difference\n",
		       verified->rows, verified->comparisons);
}

/* What VACUUM does to a table is worth knowing before it happens. */
static void print_rows_move(const struct job_summary *summary)
{
	fprintf(stderr, "%sconnbits-index: warning: the table '", command_level(COMMAND_WARNING));
	command_write_safely(stderr, summary->table);
	fputs("' has no INTEGER PRIMARY KEY, so VACUUM may renumber its rows; until "
	      "connbits-index has run again the index is then refused\n",
	      stderr);
}

/* The documented form would compare row ids with what that column holds, and say nothing. */
static void print_rowid_taken(const struct job_summary *summary)
{
	fprintf(stderr, "%sconnbits-index: warning: the table '", command_level(COMMAND_WARNING));
	command_write_safely(stderr, summary->table);
	fputs("' has a column named rowid that is not the row id; in SQL write ", stderr);
	command_write_safely(stderr, summary->rowid);
	fputs(" IN bitmap('...')\n", stderr);
}

/* Once is enough. */
static void print_row_ids(const struct settings *settings, const struct job_summary *summary)
{
	if (!summary->built || settings->quiet || settings->run.index.check)
		return;
	if (summary->rows_move)
		print_rows_move(summary);
	if (*summary->rowid)
		print_rowid_taken(summary);
}

static void print_shipped(const char *catalogue)
{
	fputs("connbits-index: no CATALOGUE is given, so these are the filters of ", stderr);
	print_safely(catalogue);
}

static void clear_progress(const struct job_options *options)
{
	if (options->progress)
		fputs("\r\033[K", stderr);
}

enum status report_table(void *context, const struct table_result *result)
{
	struct settings *settings = context;
	struct message message = result->message;
	enum status status = result->status;

	clear_progress(&settings->run.index);
	if (settings->metrics_path && result->indexed && status == STATUS_OK)
		status = main_metrics_add(&settings->metrics, &result->summary, &message);
	if (result->shipped && result->indexed && !settings->quiet)
		print_shipped(result->catalogue);
	print_warnings(settings, result->catalogue, &result->summary.warnings);
	if (result->indexed)
		print_row_ids(settings, &result->summary);
	if (status == STATUS_OK && !settings->run.index.forget) {
		print_results(settings, &result->summary, &result->verified);
		status = command_flush(&message);
	}
	if (status == STATUS_OK && settings->run.index.strict && !settings->run.index.check &&
	    result->summary.sets_gone)
		status = message_set(
			&message, STATUS_FAILED,
			"--strict: the files of %zu address set%s could not be opened or "
			"are empty now; all else was done",
			result->summary.sets_gone, result->summary.sets_gone == 1 ? "" : "s");
	if (status == STATUS_OK)
		return STATUS_OK;
	print_failure(result->catalogue, &result->diagnostics, &message);
	if (!result->table)
		return status;
	fprintf(stderr, "%sconnbits-index: that was about the table '",
		command_level(COMMAND_ERROR));
	command_write_safely(stderr, result->table);
	fputs("'; if the log has it no more, --forget --table drops its index\n", stderr);
	return status;
}
