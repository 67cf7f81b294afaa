/* connbits-index: options and signals. job_tables_run does the work, main_report.c prints. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/openmp.h"
#include "catalogue/shipped_catalogue.h"
#include "database/database_open.h"
#include "database/sqlite.h"
#include "job/job_tables.h"
#include "log/schema_print.h"
#include "main_report.h"

enum { THREADS_MAX = 1024, VERIFY_DEFAULT_ROWS = 10000 };

static const char help_text[] =
	"Usage: connbits-index LOG.sqlite [CATALOGUE] [options]\n"
	"Answers every filter of CATALOGUE for every connection in LOG.sqlite and stores\n"
	"one Roaring bitmap of row ids per filter. Without CATALOGUE the filters that are\n"
	"stored already are brought up to date; a new index has the installed ones.\n"
	"\n"
	"  --into INDEX.sqlite   keep the index there; LOG.sqlite is then only read\n"
	"  --table NAME          the table of connections (default: found by its columns)\n"
	"  --schema NAME         the tool that wrote it (default: known by its columns)\n"
	"  --list-schemas        the tools that are known, and what their tables have\n"
	"  --engine vector|bpf   many rows at a time (default), or each with bpf_filter\n"
	"  --read sql|pages      rows through SQLite alone; or by page again\n"
	"  --threads N           default: OMP_NUM_THREADS, else all cores\n"
	"  --check               compile CATALOGUE and stop; changes nothing\n"
	"  --verify[=ROWS|all]   hold the index against bpf_filter (default: 10000 rows);\n"
	"                        without CATALOGUE the index is only read\n"
	"  --skip-unanswerable   leave out filters that the table has no columns for\n"
	"  --strict              exit 1 where a set's file has gone; its entries stay\n"
	"  --prune               drop stored filters and sets that are not in CATALOGUE\n"
	"  --forget              drop the index of --table NAME and stop\n"
	"  --rebuild             read every row again\n"
	"  --recompute           evaluate every filter again, over the stored headers\n"
	"  --no-headers          store no headers: a new filter then reads every row\n"
	"  --track, --no-track   triggers of the log that note deleted and updated rows\n"
	"  --json                the summary as one JSON object\n"
	"  --metrics FILE        figures of a run that succeeded, for Prometheus\n"
	"  --quiet               no summary, no progress\n"
	"  -h, --help  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage or a filter that does not compile.\n"
	"Example: connbits-index logsql.sqlite filters.conf --into logsql.index\n";

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
	(void)signal_number;
	stop_requested = 1;
}

static void show_progress(void *context, uint64_t rows, double share)
{
	(void)context;
	fprintf(stderr, "\rconnbits-index: %" PRIu64 " rows, %3.0f %%", rows, share * 100);
	fflush(stderr);
}

static enum status usage(const char *format, const char *what)
{
	command_usage("connbits-index", format, what);
	return STATUS_USAGE;
}

static enum status parse_verify(const char *argument, struct settings *settings)
{
	settings->run.verify = true;
	settings->run.verify_rows = VERIFY_DEFAULT_ROWS;
	if (!argument)
		return STATUS_OK;
	if (strcmp(argument, "all") == 0) {
		settings->run.verify_rows = VERIFY_ALL_ROWS;
		return STATUS_OK;
	}
	if (!command_number(argument, 1, UINT64_MAX, &settings->run.verify_rows))
		return usage("--verify=%s: expected a number of rows from 1, or all", argument);
	return STATUS_OK;
}

static enum status parse_option(int option, const char *argument, struct settings *settings)
{
	uint64_t number;

	switch (option) {
	case 's':
		settings->run.index.schema = argument;
		return STATUS_OK;
	case 't':
		settings->run.index.table = argument;
		return STATUS_OK;
	case 'i':
		settings->run.index.index_path = argument;
		return STATUS_OK;
	case 'e':
		if (!engine_find(argument, &settings->run.index.engine))
			return usage("--engine %s: expected vector or bpf", argument);
		return STATUS_OK;
	case 'r':
		if (!log_read_find(argument, &settings->run.index.read))
			return usage("--read %s: expected best, sql or pages", argument);
		return STATUS_OK;
	case 'n':
		if (!command_number(argument, 1, THREADS_MAX, &number))
			return usage("--threads %s: expected a number from 1 to 1024", argument);
		settings->run.index.threads = (int)number;
		return STATUS_OK;
	case 'm':
		settings->metrics_path = argument;
		settings->run.index.count_behind = true;
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

/* Options that are only there or not. */
enum flag {
	FLAG_CHECK = 256, /* behind all letters */
	FLAG_FORGET,
	FLAG_JSON,
	FLAG_NO_HEADERS,
	FLAG_NO_TRACK,
	FLAG_PRUNE,
	FLAG_QUIET,
	FLAG_REBUILD,
	FLAG_RECOMPUTE,
	FLAG_SKIP_UNANSWERABLE,
	FLAG_STRICT,
	FLAG_TRACK,
};

static bool *flag_place(int option, struct settings *settings)
{
	switch (option) {
	case FLAG_CHECK:
		return &settings->run.index.check;
	case FLAG_FORGET:
		return &settings->run.index.forget;
	case FLAG_JSON:
		return &settings->json;
	case FLAG_NO_HEADERS:
		return &settings->run.index.no_headers;
	case FLAG_NO_TRACK:
		return &settings->run.index.no_track;
	case FLAG_PRUNE:
		return &settings->run.index.prune;
	case FLAG_QUIET:
		return &settings->quiet;
	case FLAG_REBUILD:
		return &settings->run.index.rebuild;
	case FLAG_RECOMPUTE:
		return &settings->run.index.recompute;
	case FLAG_SKIP_UNANSWERABLE:
		return &settings->run.index.skip_unanswerable;
	case FLAG_STRICT:
		return &settings->run.index.strict;
	case FLAG_TRACK:
		return &settings->run.index.track;
	default:
		return NULL;
	}
}

static enum status parse_options(int argc, char **argv, struct settings *settings, bool *done)
{
	static const struct option options[] = {
		{"schema", required_argument, NULL, 's'},
		{"list-schemas", no_argument, NULL, 'L'},
		{"table", required_argument, NULL, 't'},
		{"into", required_argument, NULL, 'i'},
		{"engine", required_argument, NULL, 'e'},
		{"read", required_argument, NULL, 'r'},
		{"threads", required_argument, NULL, 'n'},
		{"metrics", required_argument, NULL, 'm'},
		{"verify", optional_argument, NULL, 'v'},
		{"check", no_argument, NULL, FLAG_CHECK},
		{"prune", no_argument, NULL, FLAG_PRUNE},
		{"forget", no_argument, NULL, FLAG_FORGET},
		{"json", no_argument, NULL, FLAG_JSON},
		{"quiet", no_argument, NULL, FLAG_QUIET},
		{"rebuild", no_argument, NULL, FLAG_REBUILD},
		{"recompute", no_argument, NULL, FLAG_RECOMPUTE},
		{"skip-unanswerable", no_argument, NULL, FLAG_SKIP_UNANSWERABLE},
		{"strict", no_argument, NULL, FLAG_STRICT},
		{"track", no_argument, NULL, FLAG_TRACK},
		{"no-track", no_argument, NULL, FLAG_NO_TRACK},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"no-headers", no_argument, NULL, FLAG_NO_HEADERS},
		{0},
	};
	int option;

	*done = true;
	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		bool *flag = flag_place(option, settings);
		enum status status = STATUS_OK;

		if (option == 'h' || option == 'L' || option == 'V')
			return print_text(option);
		if (option == '?')
			return command_usage_hint("connbits-index");
		if (flag)
			*flag = true;
		else
			status = parse_option(option, optarg, settings);
		if (status != STATUS_OK)
			return status;
	}
	*done = false;
	return STATUS_OK;
}

static enum status parse_arguments(int argc, char **argv, struct settings *settings, bool *done)
{
	enum status status = parse_options(argc, argv, settings, done);

	if (status != STATUS_OK || *done)
		return status;
	if (optind == argc)
		return usage("%s is missing", "LOG.sqlite");
	settings->run.index.log_path = argv[optind++];
	if (optind < argc)
		settings->run.index.catalogue_path = argv[optind++];
	if (optind < argc)
		return usage("one argument too many: %s", argv[optind]);
	if (settings->run.index.check && !settings->run.index.catalogue_path)
		return usage("%s needs a CATALOGUE", "--check");
	if (settings->run.index.forget &&
	    (!settings->run.index.table || settings->run.index.catalogue_path))
		return usage("%s goes with --table NAME and without a CATALOGUE", "--forget");
	if (settings->metrics_path && (settings->run.index.check || settings->run.index.forget))
		return usage("%s is for a run that indexes", "--metrics");
	if (settings->run.index.prune && !settings->run.index.catalogue_path)
		return usage("%s needs a CATALOGUE", "--prune");
	if (settings->run.index.track && settings->run.index.no_track)
		return usage("%s", "--track and --no-track exclude each other");
	return STATUS_OK;
}

/* Whether the figures would take the place of what the run is about, which is told. */
static bool metrics_overwrite(const struct settings *settings)
{
	const struct job_options *index = &settings->run.index;
	const char *const others[] = {index->log_path, index->index_path, index->catalogue_path};

	for (size_t i = 0; settings->metrics_path && i < 3; i++)
		if (others[i] && database_same_file(settings->metrics_path, others[i])) {
			usage("--metrics would overwrite %s", others[i]);
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	struct settings settings = {
		.run.index = {.engine = ENGINE_VECTOR, .threads = omp_get_max_threads()}};
	struct message message;
	bool done;
	enum status status = parse_arguments(argc, argv, &settings, &done);
	char *shipped;

	if (status != STATUS_OK || done)
		return (int)status;
	/* SQLite's memory statistics would put one lock around all threads' allocations. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	command_keep_memory();
	command_handle_signals(request_stop);
	settings.run.index.stop = &stop_requested;
	if (!settings.quiet && isatty(STDERR_FILENO))
		settings.run.index.progress = show_progress;
	if (metrics_overwrite(&settings))
		return STATUS_USAGE;
	shipped = shipped_catalogue_find();
	settings.run.shipped = shipped;
	status = job_tables_run(&settings.run, report_table, &settings, &message);
	if (status == STATUS_OK && settings.metrics_path)
		status = main_metrics_write(&settings.metrics, settings.metrics_path,
					    settings.run.index.log_path, &message);
	if (*message.text) {
		fprintf(stderr, "%sconnbits-index: ", command_level(COMMAND_ERROR));
		command_write_safely(stderr, message.text);
		putc('\n', stderr);
	}
	main_metrics_free(&settings.metrics);
	free(shipped);
	return (int)status;
}
