/* connbits-bench: options, and which measurement they ask for. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/output_file.h"
#include "generate/generate.h"
#include "measure/insert_loop.h"
#include "measure/nightly.h"
#include "measure/scaling.h"
#include "measure/sheet.h"
#include "measure/stage_run.h"
#include "measure/subject.h"
#include "report/report.h"

enum { REPEATS_DEFAULT = 5, FILTERS_MAX = 100000, FOLDER_MAX = 900, PATH_BYTES = 1000 };

static const char help_text[] =
	"Usage: connbits-bench [--sheet | --report FILE.html] LOG.sqlite|--rows N\n"
	"                      CATALOGUE|--filters N [options]\n"
	"       connbits-bench --nightly|--scaling [--rows N] CATALOGUE [options]\n"
	"       connbits-bench --figure FILE.svg --peers FILE.json\n"
	"       connbits-bench --inserts TABLE LOG.sqlite\n"
	"Times each stage of connbits-index on a log, beside the least that its work\n"
	"could cost, in one interleaved run.\n"
	"\n"
	"  --rows N       generate a log of N rows in place of LOG.sqlite\n"
	"  --filters N    generate N filters; all are timed beside the first 64\n"
	"  --sheet        what each filter costs: to compile, to evaluate alone and\n"
	"                 beside the others, and to keep, the dearest first\n"
	"  --scaling      time against rows (100,000 to N, default 1,000,000), filters,\n"
	"                 threads, and the share of rows that match\n"
	"  --nightly      10,000 new rows on logs of 100,000 to N rows (default\n"
	"                 10,000,000), a new filter, and one on the spot\n"
	"  --report FILE  sheet, scaling and peers as one HTML page\n"
	"  --peers FILE   what bench/peers/peers.py --json wrote, for the report\n"
	"  --figure FILE  only its bars, as SVG\n"
	"  --inserts TABLE  seconds of a bare loop of prepared inserts of its rows\n"
	"  --threads N    besides one thread (default: OMP_NUM_THREADS, else all cores)\n"
	"  --repeat N     timings of each, whose median counts (default 5)\n"
	"  --engine bpf|vector  what evaluates the filters (default vector, beside bpf)\n"
	"  --json         the figures as one JSON object; --csv: the sheet as CSV\n"
	"  -h, --help  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage or a filter that does not compile.\n"
	"Example: connbits-bench --rows 1000000 data/filters.conf --report costs.html\n";

enum mode {
	MODE_STAGES,
	MODE_SHEET,
	MODE_NIGHTLY,
	MODE_SCALING,
	MODE_REPORT,
	MODE_FIGURE,
	MODE_INSERTS,
};

struct settings {
	enum mode mode;
	size_t modes;	      /* how many were asked for */
	const char *log_path; /* NULL with --rows */
	const char *catalogue_path;
	const char *output_path; /* of --report and --figure */
	const char *peers_path;
	const char *table; /* of --inserts */
	uint64_t rows;
	uint64_t filters; /* 0 with CATALOGUE */
	uint64_t repeats;
	int threads;
	enum engine engine;
	bool json;
	bool csv;
};

struct bench {
	const struct settings *settings;
	struct machine machine;
	struct peer_results peers;
	struct catalogue catalogue;
	struct subject subject;
	char folder[FOLDER_MAX]; /* for what is written on the way; removed at the end */
	char log[PATH_BYTES];
	char scratch[PATH_BYTES];
};

static enum status usage(const char *format, const char *what)
{
	command_usage("connbits-bench", format, what);
	return STATUS_USAGE;
}

static enum status mode_set(struct settings *settings, enum mode mode, const char *output_path)
{
	settings->mode = mode;
	settings->modes++;
	if (output_path)
		settings->output_path = output_path;
	return STATUS_OK;
}

static enum status parse_option(int option, const char *argument, struct settings *settings)
{
	uint64_t number;

	switch (option) {
	case 'r':
		if (!command_number(argument, 1, INT64_MAX, &settings->rows))
			return usage("--rows %s: expected a number from 1", argument);
		return STATUS_OK;
	case 'f':
		if (!command_number(argument, 1, FILTERS_MAX, &settings->filters))
			return usage("--filters %s: expected a number from 1 to 100000", argument);
		return STATUS_OK;
	case 'n':
		if (!command_number(argument, 1, 1024, &number))
			return usage("--threads %s: expected a number from 1 to 1024", argument);
		settings->threads = (int)number;
		return STATUS_OK;
	case 'R':
		if (!command_number(argument, 1, MEASURE_REPEATS_MAX, &settings->repeats))
			return usage("--repeat %s: expected a number from 1 to 99", argument);
		return STATUS_OK;
	case 'e':
		if (!engine_find(argument, &settings->engine))
			return usage("--engine %s: expected bpf or vector", argument);
		return STATUS_OK;
	case 'N':
		return mode_set(settings, MODE_NIGHTLY, NULL);
	case 'S':
		return mode_set(settings, MODE_SCALING, NULL);
	case 's':
		return mode_set(settings, MODE_SHEET, NULL);
	case 'H':
		return mode_set(settings, MODE_REPORT, argument);
	case 'F':
		return mode_set(settings, MODE_FIGURE, argument);
	case 'I':
		settings->table = argument;
		return mode_set(settings, MODE_INSERTS, NULL);
	case 'p':
		settings->peers_path = argument;
		return STATUS_OK;
	case 'c':
		settings->csv = true;
		return STATUS_OK;
	default:
		settings->json = true;
		return STATUS_OK;
	}
}

/* Which options go with which, and how many rows there are where nothing is said. */
static enum status modes_check(struct settings *settings)
{
	const enum mode mode = settings->mode;
	const bool generates = mode == MODE_NIGHTLY || mode == MODE_SCALING;

	if (settings->modes > 1)
		return usage("%s: one of them at a time",
			     "--sheet, --nightly, --scaling, --report, --figure, --inserts");
	if (mode != MODE_STAGES && settings->engine != ENGINE_VECTOR)
		return usage("%s goes with the stages only", "--engine bpf");
	if (settings->csv && (mode != MODE_SHEET || settings->json))
		return usage("%s goes with --sheet, and not with --json", "--csv");
	if (settings->json && settings->output_path)
		return usage("%s goes with neither --report nor --figure", "--json");
	if (settings->peers_path && !settings->output_path)
		return usage("%s goes with --report or --figure", "--peers");
	if (mode == MODE_INSERTS && (settings->rows || settings->filters))
		return usage("%s takes a log", "--inserts");
	if (mode == MODE_FIGURE && !settings->peers_path)
		return usage("%s needs --peers FILE.json", "--figure");
	if (generates && settings->filters)
		return usage("%s takes a catalogue",
			     mode == MODE_NIGHTLY ? "--nightly" : "--scaling");
	if (generates && !settings->rows)
		settings->rows = mode == MODE_NIGHTLY ? NIGHTLY_DEFAULT_ROWS : SCALING_DEFAULT_ROWS;
	if (mode == MODE_NIGHTLY && settings->rows < NIGHTLY_FIRST_ROWS)
		return usage("--nightly takes --rows from %s", "100000");
	if (mode == MODE_SCALING && settings->rows < SCALING_FIRST_ROWS)
		return usage("--scaling takes --rows from %s", "100000");
	return STATUS_OK;
}

static enum status parse_arguments(int argc, char **argv, struct settings *settings, bool *done)
{
	static const struct option options[] = {
		{"rows", required_argument, NULL, 'r'},
		{"threads", required_argument, NULL, 'n'},
		{"repeat", required_argument, NULL, 'R'},
		{"engine", required_argument, NULL, 'e'},
		{"json", no_argument, NULL, 'j'},
		{"nightly", no_argument, NULL, 'N'},
		{"scaling", no_argument, NULL, 'S'},
		{"sheet", no_argument, NULL, 's'},
		{"report", required_argument, NULL, 'H'},
		{"figure", required_argument, NULL, 'F'},
		{"inserts", required_argument, NULL, 'I'},
		{"peers", required_argument, NULL, 'p'},
		{"csv", no_argument, NULL, 'c'},
		{"filters", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	enum status status;
	int expected;
	int option;

	*done = true;
	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		if (option == 'h')
			return command_print(help_text);
		if (option == 'V')
			return command_print("connbits-bench " CONNBITS_VERSION "\n");
		if (option == '?')
			return command_usage_hint("connbits-bench");
		status = parse_option(option, optarg, settings);
		if (status != STATUS_OK)
			return status;
	}
	*done = false;
	status = modes_check(settings);
	if (status != STATUS_OK)
		return status;
	expected = settings->mode == MODE_FIGURE    ? 0
		   : settings->mode == MODE_INSERTS ? 1
						    : !settings->rows + !settings->filters;
	if (argc - optind != expected && settings->mode == MODE_FIGURE)
		return usage("%s takes no log and no catalogue", "--figure");
	if (argc - optind != expected && settings->mode == MODE_INSERTS)
		return usage("%s takes one LOG.sqlite", "--inserts");
	if (argc - optind != expected)
		return usage("expected %s and a catalogue or --filters N",
			     settings->rows ? "--rows N" : "LOG.sqlite");
	if (!settings->rows)
		settings->log_path = argv[optind++];
	if (!settings->filters && settings->mode != MODE_INSERTS)
		settings->catalogue_path = argv[optind];
	return STATUS_OK;
}

/* Where the folder is, for the handler of signals: empty where there is none. */
static char folder_to_remove[FOLDER_MAX];

/* Removes the folder with all that any measurement may have written there. Safe in a handler. */
static void folder_remove(void)
{
	static const char *const names[] = {"log.sqlite", "log.index",	  "other.index",
					    "spot.conf",  "filters.conf", "scratch"};
	static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
	const int folder =
		*folder_to_remove ? open(folder_to_remove, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (folder < 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (size_t j = 0; j < sizeof(endings) / sizeof(*endings); j++) {
			const size_t length = strlen(names[i]);
			char name[32] = "";

			memcpy(name, names[i], length);
			memcpy(name + length, endings[j], strlen(endings[j]));
			unlinkat(folder, name, 0);
		}
	close(folder);
	rmdir(folder_to_remove);
}

/* Ends as the signal would, with nothing left behind: a log may have gigabytes. */
static void remove_and_end(int signal_number)
{
	folder_remove();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void handle_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct sigaction action = {.sa_handler = remove_and_end};

		sigemptyset(&action.sa_mask);
		sigaction(signals[i], &action, NULL);
	}
}

static enum status folder_make(struct bench *bench, struct message *message)
{
	const char *parent = getenv("TMPDIR");
	const char *where = parent && *parent ? parent : "/tmp";
	int length =
		snprintf(bench->folder, sizeof(bench->folder), "%s/connbits-bench-XXXXXX", where);

	if (length < 0 || (size_t)length >= sizeof(bench->folder))
		return message_set(message, STATUS_FAILED, "%.100s...: TMPDIR is too long", where);
	if (!mkdtemp(bench->folder))
		return message_set(message, STATUS_FAILED, "%.500s: %s", where, strerror(errno));
	memcpy(folder_to_remove, bench->folder, sizeof(folder_to_remove));
	handle_signals();
	snprintf(bench->log, sizeof(bench->log), "%s/log.sqlite", bench->folder);
	snprintf(bench->scratch, sizeof(bench->scratch), "%s/scratch", bench->folder);
	return STATUS_OK;
}

static void bench_free(struct bench *bench)
{
	subject_free(&bench->subject);
	catalogue_free(&bench->catalogue);
	peer_results_free(&bench->peers);
	folder_remove();
}

static enum status catalogue_load(struct bench *bench, struct message *message)
{
	return subject_catalogue(bench->settings->catalogue_path, bench->settings->filters,
				 &bench->catalogue, message);
}

static enum status subject_load(struct bench *bench, struct message *message)
{
	const struct settings *settings = bench->settings;
	const char *path = settings->log_path ? settings->log_path : bench->log;
	const char *name =
		settings->catalogue_path ? settings->catalogue_path : "generated filters";
	enum status status = catalogue_load(bench, message);

	/* A generated log is dionaea's, whatever the catalogue was made for. */
	if (status == STATUS_OK && !settings->log_path)
		catalogue_drop_source(&bench->catalogue);
	if (status == STATUS_OK && !settings->log_path)
		status = generate_log(path, settings->rows, GENERATE_DEFAULT_SEED, message);
	if (status == STATUS_OK)
		status = subject_open(path, &bench->catalogue, name, settings->engine,
				      &bench->subject, message);
	return status;
}

static enum status sheet_make(struct bench *bench, struct sheet *sheet, struct message *message)
{
	enum status status = subject_load(bench, message);

	*sheet = (struct sheet){0};
	if (status == STATUS_OK)
		status = sheet_measure(&bench->subject.stages,
				       bench->subject.evaluations[ENGINE_VECTOR],
				       bench->subject.evaluations[ENGINE_BPF], sheet, message);
	return status;
}

static enum status scaling_make(const struct bench *bench, uint64_t rows, struct scaling *scaling,
				struct message *message)
{
	const struct scaling_options options = {
		.folder = bench->folder,
		.catalogue = &bench->catalogue,
		.rows = rows,
		.repeats = bench->settings->repeats,
		.threads = bench->settings->threads,
	};

	return scaling_measure(&options, scaling, message);
}

static enum status run_stages(struct bench *bench, struct message *message)
{
	const struct settings *settings = bench->settings;
	const struct stage_run_options options = {
		.log_name = settings->log_path,
		.scratch = bench->scratch,
		.catalogue_path = settings->filters ? NULL : settings->catalogue_path,
		.engine = settings->engine,
		.repeats = settings->repeats,
		.threads = settings->threads,
		.generated_filters = settings->filters > 0,
		.json = settings->json,
	};
	enum status status = subject_load(bench, message);

	if (status == STATUS_OK)
		status = stage_run(&bench->subject, &options, &bench->machine, stdout, message);
	return status;
}

static enum status run_sheet(struct bench *bench, struct message *message)
{
	const struct settings *settings = bench->settings;
	struct sheet sheet;
	enum status status = sheet_make(bench, &sheet, message);

	if (status == STATUS_OK)
		sheet_print(stdout, &sheet,
			    settings->json  ? SHEET_JSON
			    : settings->csv ? SHEET_CSV
					    : SHEET_TABLE,
			    &bench->machine);
	sheet_free(&sheet);
	return status;
}

static enum status run_nightly(struct bench *bench, struct message *message)
{
	const struct settings *settings = bench->settings;
	const struct nightly_options options = {
		.folder = bench->folder,
		.catalogue_path = settings->catalogue_path,
		.machine = &bench->machine,
		.rows = settings->rows,
		.repeats = settings->repeats,
		.threads = settings->threads,
		.json = settings->json,
	};

	return nightly_run(&options, stdout, message);
}

static enum status run_scaling(struct bench *bench, struct message *message)
{
	struct scaling scaling = {0};
	enum status status = catalogue_load(bench, message);

	if (status == STATUS_OK)
		status = scaling_make(bench, bench->settings->rows, &scaling, message);
	if (status == STATUS_OK && bench->settings->json)
		scaling_print_json(stdout, &scaling, &bench->machine);
	else if (status == STATUS_OK)
		scaling_print(stdout, &scaling, &bench->machine);
	scaling_free(&scaling);
	return status;
}

/* Opened before anything is measured: a place that cannot be written to is said at once. */
static enum status run_report(struct bench *bench, struct message *message)
{
	const struct settings *settings = bench->settings;
	struct sheet sheet = {0};
	struct scaling scaling = {0};
	struct output_file file;
	const struct report report = {
		.log_name = settings->log_path,
		.catalogue_name = settings->catalogue_path,
		.machine = &bench->machine,
		.peers = &bench->peers,
		.scaling = &scaling,
		.sheet = &sheet,
	};
	uint64_t rows;
	enum status status = output_file_open(settings->output_path, &file, message);

	if (status != STATUS_OK)
		return status;
	status = sheet_make(bench, &sheet, message);
	rows = settings->rows ? settings->rows : bench->subject.stages.rows_held;
	/* The rows in memory make room for those of the curves. */
	subject_free(&bench->subject);
	bench->subject = (struct subject){0};
	unlink(bench->log);
	if (status == STATUS_OK)
		status = scaling_make(bench, rows < SCALING_FIRST_ROWS ? SCALING_FIRST_ROWS : rows,
				      &scaling, message);
	if (status == STATUS_OK) {
		report_write(file.stream, &report);
		status = output_file_close(&file, message);
	} else {
		output_file_abandon(&file);
	}
	sheet_free(&sheet);
	scaling_free(&scaling);
	return status;
}

static enum status run_figure(struct bench *bench, struct message *message)
{
	struct output_file file;
	enum status status = output_file_open(bench->settings->output_path, &file, message);

	if (status != STATUS_OK)
		return status;
	if (!report_peers_figure(file.stream, &bench->peers)) {
		output_file_abandon(&file);
		return message_set(message, STATUS_FAILED, "%s: every peer is absent",
				   bench->settings->peers_path);
	}
	return output_file_close(&file, message);
}

static enum status run_inserts(struct bench *bench, struct message *message)
{
	double seconds;
	uint64_t rows;
	enum status status = insert_loop_measure(bench->settings->log_path, bench->settings->table,
						 bench->scratch, &seconds, &rows, message);

	if (status == STATUS_OK && bench->settings->json)
		printf("{\"rows\": %" PRIu64 ", \"seconds\": %.4f}\n", rows, seconds);
	else if (status == STATUS_OK)
		printf("%.3f s for %" PRIu64 " rows\n", seconds, rows);
	return status;
}

static enum status run(const struct settings *settings, struct message *message)
{
	static enum status (*const runs[])(struct bench *, struct message *) = {
		[MODE_STAGES] = run_stages,   [MODE_SHEET] = run_sheet,
		[MODE_NIGHTLY] = run_nightly, [MODE_SCALING] = run_scaling,
		[MODE_REPORT] = run_report,   [MODE_FIGURE] = run_figure,
		[MODE_INSERTS] = run_inserts,
	};
	struct bench bench = {.settings = settings};
	enum status status =
		settings->mode == MODE_FIGURE ? STATUS_OK : folder_make(&bench, message);

	machine_read(&bench.machine);
	if (status == STATUS_OK && settings->peers_path)
		status = peer_results_read(settings->peers_path, &bench.peers, message);
	if (status == STATUS_OK)
		status = runs[settings->mode](&bench, message);
	bench_free(&bench);
	return status == STATUS_OK ? command_flush(message) : status;
}

int main(int argc, char **argv)
{
	struct settings settings = {.repeats = REPEATS_DEFAULT,
				    .threads = omp_get_max_threads(),
				    .engine = ENGINE_VECTOR};
	struct message message;
	bool done;
	enum status status = parse_arguments(argc, argv, &settings, &done);

	if (status != STATUS_OK || done)
		return (int)status;
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	command_keep_memory();
	status = run(&settings, &message);
	if (status != STATUS_OK)
		fprintf(stderr, "connbits-bench: %s\n", message.text);
	return (int)status;
}
