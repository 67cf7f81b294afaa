/* connbits-index: options and messages; the work is index_run's and verify_run's. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/command.h"
#include "base/json.h"
#include "database/sqlite.h"
#include "index/index_tables.h"
#include "job/job.h"
#include "job/verify.h"
#include "log/schema_print.h"

enum { THREADS_MAX = 1024, VERIFY_DEFAULT_ROWS = 10000 };

static const char help_text[] =
	"Usage: connbits-index LOG.sqlite [CATALOGUE] [options]\n"
	"Answers every filter of CATALOGUE for every connection in LOG.sqlite and stores\n"
	"one Roaring bitmap of row ids per filter. Without CATALOGUE the filters that are\n"
	"stored already are brought up to date.\n"
	"\n"
	"  --into INDEX.sqlite   keep the index there; LOG.sqlite is then only read\n"
	"  --table NAME          the table of connections (default: found by its columns)\n"
	"  --schema NAME         the tool that wrote it (default: known by its columns)\n"
	"  --list-schemas        the tools that are known, and what their tables have\n"
	"  --engine vector|bpf   evaluate many rows at a time (default), or each one with\n"
	"                        bpf_filter: the same answers, some hundred times slower\n"
	"  --threads N           default: OMP_NUM_THREADS, else all cores\n"
	"  --check               compile CATALOGUE and stop; changes nothing\n"
	"  --verify[=ROWS|all]   hold the index against bpf_filter (default: 10000 rows);\n"
	"                        without CATALOGUE the index is only read\n"
	"  --prune               drop stored filters that are not in CATALOGUE\n"
	"  --forget              drop the index of --table NAME and stop\n"
	"  --rebuild             read every row again\n"
	"  --recompute           evaluate every filter again, over the stored headers\n"
	"  --no-headers          store no headers: a new filter then reads every row\n"
	"  --track, --no-track   add triggers to the log that note deleted and updated\n"
	"                        rows, or remove them\n"
	"  --json                the summary as one JSON object\n"
	"  --quiet               no summary, no progress\n"
	"  -h, --help  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage or a filter that does not compile.\n"
	"Example: connbits-index logsql.sqlite filters.conf --into logsql.index\n";

struct settings {
	struct index_options index;
	bool verify;
	uint64_t verify_rows;
	bool json;
	bool quiet;
};

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
	(void)signal_number;
	stop_requested = 1;
}

static void handle_signals(void)
{
	struct sigaction action = {.sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A file-size limit is then an error of the write, which is reported. */
	signal(SIGXFSZ, SIG_IGN);
}

static void show_progress(void *context, uint64_t rows, double share)
{
	(void)context;
	fprintf(stderr, "\rconnbits-index: %" PRIu64 " rows, %3.0f %%", rows, share * 100);
	fflush(stderr);
}

static void clear_progress(const struct index_options *options)
{
	if (options->progress)
		fputs("\r\033[K", stderr);
}

static enum status usage(const char *format, const char *what)
{
	command_usage("connbits-index", format, what);
	return STATUS_USAGE;
}

static enum status parse_verify(const char *argument, struct settings *settings)
{
	settings->verify = true;
	settings->verify_rows = VERIFY_DEFAULT_ROWS;
	if (!argument)
		return STATUS_OK;
	if (strcmp(argument, "all") == 0) {
		settings->verify_rows = VERIFY_ALL_ROWS;
		return STATUS_OK;
	}
	if (!command_number(argument, 1, UINT64_MAX, &settings->verify_rows))
		return usage("--verify=%s: expected a number of rows from 1, or all", argument);
	return STATUS_OK;
}

static enum status parse_option(int option, const char *argument, struct settings *settings)
{
	uint64_t number;

	switch (option) {
	case 's':
		settings->index.schema = argument;
		return STATUS_OK;
	case 't':
		settings->index.table = argument;
		return STATUS_OK;
	case 'i':
		settings->index.index_path = argument;
		return STATUS_OK;
	case 'e':
		if (!engine_find(argument, &settings->index.engine))
			return usage("--engine %s: expected vector or bpf", argument);
		return STATUS_OK;
	case 'n':
		if (!command_number(argument, 1, THREADS_MAX, &number))
			return usage("--threads %s: expected a number from 1 to 1024", argument);
		settings->index.threads = (int)number;
		return STATUS_OK;
	case 'v':
		return parse_verify(argument, settings);
	default:
		return usage("%s", "unknown or incomplete option");
	}
}

/* What some options print instead of doing anything. */
static enum status print_text(int option)
{
	if (option == 'h')
		return command_print(help_text);
	if (option == 'V')
		return command_print("connbits-index " CONNBITS_VERSION "\n");
	schema_print(stdout);
	return command_print("");
}

static enum status parse_options(int argc, char **argv, struct settings *settings, bool *done)
{
	int check = 0;
	int forget = 0;
	int prune = 0;
	int json = 0;
	int quiet = 0;
	int rebuild = 0;
	int recompute = 0;
	int no_headers = 0;
	int track = 0;
	int no_track = 0;
	const struct option options[] = {
		{"schema", required_argument, NULL, 's'},
		{"list-schemas", no_argument, NULL, 'L'},
		{"table", required_argument, NULL, 't'},
		{"into", required_argument, NULL, 'i'},
		{"engine", required_argument, NULL, 'e'},
		{"threads", required_argument, NULL, 'n'},
		{"verify", optional_argument, NULL, 'v'},
		{"check", no_argument, &check, 1},
		{"prune", no_argument, &prune, 1},
		{"forget", no_argument, &forget, 1},
		{"json", no_argument, &json, 1},
		{"quiet", no_argument, &quiet, 1},
		{"rebuild", no_argument, &rebuild, 1},
		{"recompute", no_argument, &recompute, 1},
		{"track", no_argument, &track, 1},
		{"no-track", no_argument, &no_track, 1},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"no-headers", no_argument, &no_headers, 1},
		{0},
	};
	int option;

	*done = true;
	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		enum status status = STATUS_OK;

		if (option == 'h' || option == 'L' || option == 'V')
			return print_text(option);
		if (option == '?')
			return STATUS_USAGE;
		if (option != 0)
			status = parse_option(option, optarg, settings);
		if (status != STATUS_OK)
			return status;
	}
	*done = false;
	settings->index.check = check;
	settings->index.prune = prune;
	settings->index.forget = forget;
	settings->index.rebuild = rebuild;
	settings->index.recompute = recompute;
	settings->index.no_headers = no_headers;
	settings->index.track = track;
	settings->index.no_track = no_track;
	settings->json = json;
	settings->quiet = quiet;
	return STATUS_OK;
}

static enum status parse_arguments(int argc, char **argv, struct settings *settings, bool *done)
{
	enum status status = parse_options(argc, argv, settings, done);

	if (status != STATUS_OK || *done)
		return status;
	if (optind == argc)
		return usage("%s is missing", "LOG.sqlite");
	settings->index.log_path = argv[optind++];
	if (optind < argc)
		settings->index.catalogue_path = argv[optind++];
	if (optind < argc)
		return usage("one argument too many: %s", argv[optind]);
	if (settings->index.check && !settings->index.catalogue_path)
		return usage("%s needs a CATALOGUE", "--check");
	if (settings->index.forget && (!settings->index.table || settings->index.catalogue_path))
		return usage("%s goes with --table NAME and without a CATALOGUE", "--forget");
	if (settings->index.prune && !settings->index.catalogue_path)
		return usage("%s needs a CATALOGUE", "--prune");
	if (settings->index.track && settings->index.no_track)
		return usage("%s", "--track and --no-track exclude each other");
	return STATUS_OK;
}

/* What the run did, where it was not the first one. */
static void print_changes(const struct index_summary *summary)
{
	const char *again = summary->resumed ? "gone on with an unfinished build" : "built again";

	if (*summary->rebuild)
		printf("%s: %s\n", again, summary->rebuild);
	else if (summary->resumed)
		printf("%s\n", again);
	if (summary->built)
		return;
	if (summary->rows_read == 0 && summary->rows_removed == 0 && summary->bitmap_bytes == 0 &&
	    summary->filters_removed == 0)
		printf("nothing to do: the index is up to date\n");
	else
		printf("%" PRIu64 " new rows, %" PRIu64 " removed, %" PRIu64
		       " read; filters: %zu new, %zu changed, %zu removed\n",
		       summary->rows_new, summary->rows_removed, summary->rows_read,
		       summary->filters_new, summary->filters_changed, summary->filters_removed);
}

static void print_summary(const struct index_summary *summary)
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

static void print_json(const struct settings *settings, const struct index_summary *summary,
		       const struct verify_summary *verified)
{
	const struct build_result *result = &summary->result;
	const struct index_options *options = &settings->index;
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
	if (*summary->rebuild)
		json_write_string(stdout, summary->rebuild);
	else
		fputs("null", stdout);
	printf(", \"built\": %s, \"resumed\": %s", summary->built ? "true" : "false",
	       summary->resumed ? "true" : "false");
	printf(", \"filters\": %zu, \"filters_new\": %zu, \"filters_changed\": %zu, "
	       "\"filters_removed\": %zu",
	       summary->filters, summary->filters_new, summary->filters_changed,
	       summary->filters_removed);
	printf(", \"rows\": %" PRIu64 ", \"rows_new\": %" PRIu64 ", \"rows_removed\": %" PRIu64
	       ", \"rows_read\": %" PRIu64,
	       outcomes_total(summary->outcomes), summary->rows_new, summary->rows_removed,
	       summary->rows_read);
	printf(", \"with_header\": %" PRIu64 ", \"listen\": %" PRIu64 ", \"skipped\": {",
	       summary->outcomes[OUTCOME_HEADER], summary->outcomes[OUTCOME_LISTEN]);
	for (int outcome = OUTCOME_TYPE; outcome < OUTCOME_COUNT; outcome++)
		printf("%s\"%s\": %" PRIu64, outcome == OUTCOME_TYPE ? "" : ", ",
		       outcome_name((enum outcome)outcome), summary->outcomes[outcome]);
	printf("}, \"bitmap_bytes\": %" PRIu64 ", \"header_bytes\": %" PRIu64
	       ", \"peak_memory_bytes\": %ld, \"seconds\": {\"total\": %.6f, \"compile\": %.6f",
	       summary->bitmap_bytes, summary->header_bytes, usage_now.ru_maxrss * 1024L,
	       summary->seconds, summary->compile_seconds);
	for (int stage = 0; stage < BUILD_STAGES; stage++)
		printf(", \"%s\": %.6f", build_stage_name((enum build_stage)stage),
		       result->seconds[stage]);
	putchar('}');
	print_json_warnings(&summary->warnings);
	if (settings->verify)
		printf(", \"verified\": {\"rows\": %" PRIu64 ", \"comparisons\": %" PRIu64 "}",
		       verified->rows, verified->comparisons);
	puts("}");
}

/* A line on stderr. A catalogue may have what commands a terminal. */
static void print_safely(const char *text)
{
	command_write_safely(stderr, text);
	putc('\n', stderr);
}

static void print_failure(const struct settings *settings, const struct diagnostics *diagnostics,
			  const struct message *message)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		fprintf(stderr, "%s:%zu: ", settings->index.catalogue_path,
			diagnostics->items[i].line);
		print_safely(diagnostics->items[i].message.text);
	}
	if (diagnostics->lost)
		fprintf(stderr, "%s: and %zu more\n", settings->index.catalogue_path,
			diagnostics->lost);
	fputs("connbits-index: ", stderr);
	print_safely(message->text);
}

static void print_warnings(const struct settings *settings, const struct diagnostics *warnings)
{
	for (size_t i = 0; i < warnings->count && !settings->quiet; i++) {
		fprintf(stderr, "%s:%zu: warning: ", settings->index.catalogue_path,
			warnings->items[i].line);
		print_safely(warnings->items[i].message.text);
	}
	if (warnings->lost && !settings->quiet)
		fprintf(stderr, "%s: and %zu more warnings\n", settings->index.catalogue_path,
			warnings->lost);
}

static void print_results(const struct settings *settings, const struct index_summary *summary,
			  const struct verify_summary *verified)
{
	bool verify_only = settings->verify && !settings->index.catalogue_path;

	if (settings->index.check) {
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
		       ", \"comparisons\": %" PRIu64 "}}\n",
		       verified->rows, verified->comparisons);
	if (settings->quiet || settings->json)
		return;
	if (!verify_only)
		print_summary(summary);
	if (settings->verify)
		printf("verified %" PRIu64 " rows, %" PRIu64 " comparisons with bpf_filter: no "
		       "difference\n",
		       verified->rows, verified->comparisons);
}

/* What VACUUM does to a table is worth knowing before it happens, and once is enough. */
static void print_rows_move(const struct settings *settings, const struct index_summary *summary)
{
	if (!summary->built || !summary->rows_move || settings->quiet || settings->index.check)
		return;
	fputs("connbits-index: warning: the table '", stderr);
	command_write_safely(stderr, summary->table);
	fputs("' has no INTEGER PRIMARY KEY, so VACUUM may renumber its rows; until "
	      "connbits-index has run again the index is then refused\n",
	      stderr);
}

/* One table, or the one that there is. */
static enum status run_table(const struct settings *settings, struct message *message,
			     struct diagnostics *diagnostics)
{
	struct index_summary summary = {0};
	struct verify_summary verified = {0};
	bool verify = settings->verify && !settings->index.check;
	enum status status = STATUS_OK;

	if (!verify || settings->index.catalogue_path)
		status = index_run(&settings->index, &summary, diagnostics, message);
	clear_progress(&settings->index);
	diagnostics_sort(&summary.warnings);
	print_warnings(settings, &summary.warnings);
	if (status == STATUS_OK)
		print_rows_move(settings, &summary);
	if (status == STATUS_OK && verify)
		status = verify_run(settings->index.log_path, settings->index.index_path,
				    *summary.table ? summary.table : settings->index.table,
				    settings->verify_rows, &verified, message);
	if (status == STATUS_OK && !settings->index.forget) {
		print_results(settings, &summary, &verified);
		status = command_flush(message);
	}
	diagnostics_free(&summary.warnings);
	return status;
}

/* One table, and what is wrong with it. */
static enum status run_reported(const struct settings *settings)
{
	struct diagnostics diagnostics = {0};
	struct message message = {0};
	enum status status = run_table(settings, &message, &diagnostics);

	if (status != STATUS_OK)
		print_failure(settings, &diagnostics, &message);
	diagnostics_free(&diagnostics);
	return status;
}

/* All tables of the index, also behind one that fails. */
static enum status run_tables(struct settings *settings, const struct index_tables *tables)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < tables->count && !stop_requested; i++) {
		enum status status;

		settings->index.table = tables->names[i];
		status = run_reported(settings);
		if (status == STATUS_OK)
			continue;
		fputs("connbits-index: that was about the table '", stderr);
		command_write_safely(stderr, tables->names[i]);
		fputs("'; if the log has it no more, --forget --table drops its index\n", stderr);
		worst = status > worst ? status : worst;
	}
	settings->index.table = NULL;
	if (stop_requested && worst == STATUS_OK) {
		fputs("connbits-index: interrupted; run again for the rest\n", stderr);
		worst = STATUS_FAILED;
	}
	return worst;
}

static enum status run(struct settings *settings)
{
	const struct index_options *options = &settings->index;
	struct index_tables tables = {0};
	struct message ignored;
	enum status status;

	/* What cannot be read is for the job itself to complain about. */
	if (!options->catalogue_path && !options->table)
		index_tables_read(options->index_path ? options->index_path : options->log_path,
				  false, &tables, &ignored);
	status = tables.count > 1 ? run_tables(settings, &tables) : run_reported(settings);
	index_tables_free(&tables);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {
		.index = {.engine = ENGINE_VECTOR, .threads = omp_get_max_threads()}};
	bool done;
	enum status status = parse_arguments(argc, argv, &settings, &done);

	if (status != STATUS_OK || done)
		return (int)status;
	/* SQLite's memory statistics would put one lock around all threads' allocations. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	handle_signals();
	settings.index.stop = &stop_requested;
	if (!settings.quiet && isatty(STDERR_FILENO))
		settings.index.progress = show_progress;
	return (int)run(&settings);
}
