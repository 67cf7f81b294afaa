/* connbits-bench: options, the order of the measurements, and their output. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalogue.h"
#include "command.h"
#include "database.h"
#include "filter_set.h"
#include "generate.h"
#include "generate_catalogue.h"
#include "json.h"
#include "layout.h"
#include "measure.h"
#include "nightly.h"
#include "sheet.h"
#include "source.h"
#include "stage_evaluate.h"
#include "stage_sql.h"
#include "stages.h"

enum { REPEATS_DEFAULT = 5, MEASUREMENTS_MAX = 16, FILTERS_MAX = 100000, FILTERS_FEW = 64 };

static const char help_text[] =
	"Usage: connbits-bench LOG.sqlite CATALOGUE [options]\n"
	"       connbits-bench --rows N CATALOGUE|--filters N [options]\n"
	"       connbits-bench --sheet LOG.sqlite|--rows N CATALOGUE [--csv|--json]\n"
	"       connbits-bench --nightly [--rows N] CATALOGUE [options]\n"
	"Times each stage of connbits-index on LOG.sqlite, or on a generated log of N\n"
	"rows, beside the least that its work could cost, in one interleaved run.\n"
	"\n"
	"  --rows N      generate a log of N rows in place of LOG.sqlite\n"
	"  --filters N   generate N filters in place of CATALOGUE, and time all of them\n"
	"                beside the first 64\n"
	"  --sheet       what each filter costs: to compile, to evaluate alone and beside\n"
	"                the others, and to keep, the dearest first\n"
	"  --nightly     time 10,000 new rows on logs of 100,000 to N rows (default\n"
	"                10,000,000), a new filter, and one on the spot\n"
	"  --threads N   besides one thread (default: OMP_NUM_THREADS, else all cores)\n"
	"  --repeat N    timings of each stage, whose median counts (default 5)\n"
	"  --engine bpf|vector  what evaluates the filters (default vector, which is\n"
	"                then timed beside bpf)\n"
	"  --json        the figures as one JSON object; --csv: the sheet as CSV\n"
	"  -h, --help  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage or a filter that does not compile.\n"
	"Example: connbits-bench --rows 1000000 data/filters.conf\n";

struct settings {
	const char *log_path; /* NULL with --rows */
	const char *catalogue_path;
	uint64_t rows;
	uint64_t filters; /* 0 with CATALOGUE */
	uint64_t repeats;
	int threads;
	enum engine engine;
	bool json;
	bool csv;
	bool sheet;
	bool nightly;
};

struct bench {
	const struct settings *settings;
	char folder[64]; /* for what is written on the way; removed at the end */
	char log[96];
	char scratch[96];
	struct catalogue catalogue;
	struct filter_set filters;
	const struct program **programs;
	struct evaluation *evaluations[2]; /* by engine; NULL where it is not measured */
	struct source source;
	struct stages stages;
	struct measurement measurements[MEASUREMENTS_MAX];
	size_t count;
};

static enum status usage(const char *format, const char *what)
{
	command_usage("connbits-bench", format, what);
	return STATUS_USAGE;
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
		settings->nightly = true;
		return STATUS_OK;
	case 's':
		settings->sheet = true;
		return STATUS_OK;
	case 'c':
		settings->csv = true;
		return STATUS_OK;
	default:
		settings->json = true;
		return STATUS_OK;
	}
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
		{"sheet", no_argument, NULL, 's'},
		{"csv", no_argument, NULL, 'c'},
		{"filters", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int option;

	*done = true;
	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		enum status status;

		if (option == 'h')
			return command_print(help_text);
		if (option == 'V')
			return command_print("connbits-bench " CONNBITS_VERSION "\n");
		if (option == '?')
			return STATUS_USAGE;
		status = parse_option(option, optarg, settings);
		if (status != STATUS_OK)
			return status;
	}
	*done = false;
	if (settings->nightly && settings->filters)
		return usage("%s takes a catalogue", "--nightly");
	if (settings->sheet && (settings->nightly || settings->engine != ENGINE_VECTOR))
		return usage("%s goes with neither --nightly nor --engine bpf", "--sheet");
	if (settings->csv && (!settings->sheet || settings->json))
		return usage("%s goes with --sheet, and not with --json", "--csv");
	if (settings->nightly && !settings->rows)
		settings->rows = NIGHTLY_DEFAULT_ROWS;
	if (settings->nightly && settings->rows < NIGHTLY_FIRST_ROWS)
		return usage("--nightly takes --rows from %s", "100000");
	if (argc - optind != !settings->rows + !settings->filters)
		return usage("expected %s and a catalogue or --filters N",
			     settings->rows ? "--rows N" : "LOG.sqlite");
	if (!settings->rows)
		settings->log_path = argv[optind++];
	if (!settings->filters)
		settings->catalogue_path = argv[optind];
	return STATUS_OK;
}

static enum status folder_make(struct bench *bench, struct message *message)
{
	const char *parent = getenv("TMPDIR");
	int length = snprintf(bench->folder, sizeof(bench->folder), "%s/connbits-bench-XXXXXX",
			      parent && *parent ? parent : "/tmp");

	if (length < 0 || (size_t)length >= sizeof(bench->folder) || !mkdtemp(bench->folder)) {
		message_set(message, STATUS_FAILED, "%s: %s", bench->folder, strerror(errno));
		bench->folder[0] = '\0';
		return STATUS_FAILED;
	}
	snprintf(bench->log, sizeof(bench->log), "%s/log.sqlite", bench->folder);
	snprintf(bench->scratch, sizeof(bench->scratch), "%s/scratch", bench->folder);
	return STATUS_OK;
}

static enum status filters_load(struct bench *bench, struct message *message)
{
	const char *path = bench->settings->catalogue_path;
	struct diagnostics diagnostics = {0};
	enum status status;

	if (path)
		status = catalogue_read(path, &bench->catalogue, &diagnostics, message);
	else
		status = generate_catalogue(bench->settings->filters, &bench->catalogue, message);
	if (status == STATUS_OK)
		status = filter_set_add_catalogue(&bench->filters, &bench->catalogue, NULL,
						  &diagnostics, message);
	diagnostics_sort(&diagnostics);
	if (status == STATUS_OK && !diagnostics_empty(&diagnostics))
		status = message_set(
			message, STATUS_USAGE, "%s:%zu: %.500s", path ? path : "generated filters",
			diagnostics.count ? diagnostics.items[0].line : 0,
			diagnostics.count ? diagnostics.items[0].message.text : "out of memory");
	else if (status == STATUS_OK && bench->filters.count == 0)
		status = message_set(message, STATUS_USAGE, "%s: no filters to measure", path);
	diagnostics_free(&diagnostics);
	return status;
}

static enum status log_load(struct bench *bench, struct message *message)
{
	const char *path = bench->settings->log_path;
	struct layout layout = {0};
	sqlite3 *log = NULL;
	enum status status = STATUS_OK;

	if (!path) {
		path = bench->log;
		status = generate_log(path, bench->settings->rows, GENERATE_DEFAULT_SEED, message);
	}
	if (status == STATUS_OK)
		status = database_open(path, DATABASE_READ, &log, message);
	if (status == STATUS_OK)
		status = layout_find(log, &bench->catalogue.source, NULL, NULL, &layout, message);
	sqlite3_close(log);
	if (status == STATUS_OK)
		status = source_open(path, &layout, NULL, &bench->source, message);
	layout_free(&layout);
	if (status == STATUS_OK)
		status = stages_open(&bench->stages, &bench->source, &bench->filters, message);
	return status;
}

/* Makes the programs ready for the engine, and for the bpf engine to compare with. */
static enum status evaluations_make(struct bench *bench, struct message *message)
{
	enum status status;

	bench->programs = calloc(bench->filters.count + 1, sizeof(*bench->programs));
	if (!bench->programs)
		return message_out_of_memory(message);
	for (size_t i = 0; i < bench->filters.count; i++)
		bench->programs[i] = &bench->filters.items[i].program;
	status = evaluation_new(ENGINE_BPF, bench->programs, bench->filters.count, NULL,
				&bench->evaluations[ENGINE_BPF], message);
	if (status == STATUS_OK && bench->settings->engine == ENGINE_VECTOR)
		status = evaluation_new(ENGINE_VECTOR, bench->programs, bench->filters.count, NULL,
					&bench->evaluations[ENGINE_VECTOR], message);
	return status;
}

static struct measurement *measurement_add(struct bench *bench, const char *stage,
					   const char *floor, bool with_engine)
{
	struct measurement *measurement = &bench->measurements[bench->count++];

	*measurement = (struct measurement){
		.stage = stage,
		.floor = floor,
		.engine = with_engine ? engine_name(bench->settings->engine) : "",
		.threads = bench->stages.threads,
		.filters = with_engine ? bench->filters.count : 0,
		.repeats = bench->settings->repeats,
	};
	return measurement;
}

/* Reading, evaluating and encoding, each beside its floor. */
static enum status measure_floors(struct bench *bench, struct message *message)
{
	struct stages *stages = &bench->stages;
	struct measurement *read =
		measurement_add(bench, "read+build", "a bare sqlite3_step loop", false);
	struct measurement *evaluate =
		measurement_add(bench, "evaluate", "every header byte read once", true);
	struct measurement *encode =
		measurement_add(bench, "bitmap", "every bit counted once", true);
	double warm_up;
	enum status status = stages_read_floor(stages, &warm_up, message);

	for (size_t i = 0; status == STATUS_OK && i < read->repeats; i++) {
		struct evaluate_seconds seconds;

		status = stages_read(stages, &read->seconds[i], message);
		if (status == STATUS_OK)
			status = stages_read_floor(stages, &read->floor_seconds[i], message);
		if (status == STATUS_OK)
			status = stage_evaluate(stages, bench->evaluations[bench->settings->engine],
						&seconds, message);
		if (status != STATUS_OK)
			break;
		evaluate->seconds[i] = seconds.evaluate;
		evaluate->floor_seconds[i] = seconds.evaluate_floor;
		encode->seconds[i] = seconds.encode;
		encode->floor_seconds[i] = seconds.encode_floor;
	}
	read->rows = stages->rows_read;
	evaluate->rows = stages->rows_held;
	encode->rows = stages->rows_held;
	return status;
}

/* Evaluating and encoding: the bpf engine's time over the vector engine's. */
static enum status measure_engines(struct bench *bench, struct message *message)
{
	const struct evaluation *bpf = bench->evaluations[ENGINE_BPF];
	const struct evaluation *vector = bench->evaluations[ENGINE_VECTOR];
	struct measurement *engines;
	enum status status;

	if (!vector)
		return STATUS_OK;
	status = stage_compare(&bench->stages, bpf, vector, message);
	engines = measurement_add(bench, "eval+bitmap", "the same by the vector engine", true);
	engines->engine = engine_name(ENGINE_BPF);
	engines->rows = bench->stages.rows_held;
	for (size_t i = 0; status == STATUS_OK && i < engines->repeats; i++) {
		status = stage_filters(&bench->stages, bpf, bench->filters.count,
				       &engines->seconds[i], message);
		if (status == STATUS_OK)
			status = stage_filters(&bench->stages, vector, bench->filters.count,
					       &engines->floor_seconds[i], message);
	}
	return status;
}

/* Evaluating and encoding: the time of all filters over that of the first few. */
static enum status measure_filters(struct bench *bench, struct message *message)
{
	struct evaluation *few = NULL;
	struct measurement *many;
	enum status status;

	if (bench->filters.count <= FILTERS_FEW)
		return STATUS_OK;
	status = evaluation_new(bench->settings->engine, bench->programs, FILTERS_FEW, NULL, &few,
				message);
	many = measurement_add(bench, "eval+bitmap", "only the first 64 filters", true);
	many->rows = bench->stages.rows_held;
	for (size_t i = 0; status == STATUS_OK && i < many->repeats; i++) {
		status = stage_filters(&bench->stages, bench->evaluations[bench->settings->engine],
				       bench->filters.count, &many->seconds[i], message);
		if (status == STATUS_OK)
			status = stage_filters(&bench->stages, few, FILTERS_FEW,
					       &many->floor_seconds[i], message);
	}
	evaluation_free(few);
	return status;
}

static enum status measure_threads(struct bench *bench, int threads, struct message *message)
{
	enum status status;

	bench->stages.threads = threads;
	status = measure_floors(bench, message);
	if (status == STATUS_OK && bench->settings->filters)
		status = measure_filters(bench, message);
	else if (status == STATUS_OK)
		status = measure_engines(bench, message);
	return status;
}

/* One filter in SQL, where the extension is at hand. */
static enum status measure_sql(struct bench *bench, struct message *message)
{
	struct measurement *sql;
	enum status status = STATUS_OK;

	if (!stage_sql_possible(&bench->stages))
		return STATUS_OK;
	sql = measurement_add(bench, "sql", "a bare sqlite3_step loop, and bpf_filter", false);
	for (size_t i = 0; status == STATUS_OK && i < sql->repeats; i++)
		status = stage_sql(&bench->stages, &sql->seconds[i], &sql->floor_seconds[i],
				   message);
	sql->rows = bench->stages.rows_read;
	return status;
}

/* The stages that one thread does alone. */
static enum status measure_single(struct bench *bench, struct message *message)
{
	struct stages *stages = &bench->stages;
	struct measurement *build;
	struct measurement *store;
	enum status status = STATUS_OK;

	stages->threads = 1;
	build = measurement_add(bench, "build", "the headers' bytes copied", false);
	store = measurement_add(bench, "store", "the same bytes written, and fsync", true);
	for (size_t i = 0; status == STATUS_OK && i < build->repeats; i++) {
		status = stages_build(stages, &build->seconds[i], &build->floor_seconds[i],
				      &build->rows, message);
		if (status == STATUS_OK)
			status = stages_store(stages, bench->evaluations[bench->settings->engine],
					      bench->scratch, &store->seconds[i],
					      &store->floor_seconds[i], message);
	}
	store->rows = stages->rows_held;
	return status;
}

static void print_table(const struct bench *bench)
{
	printf("%s: %" PRIu64 " rows, %zu filters, median of %" PRIu64
	       " interleaved runs; ratio = time over the floor's time\n",
	       bench->settings->log_path ? bench->settings->log_path : "generated log",
	       bench->stages.rows_read, bench->filters.count, bench->settings->repeats);
	measure_print_head(stdout);
	for (size_t i = 0; i < bench->count; i++)
		measure_print(stdout, &bench->measurements[i]);
}

static void print_json(const struct bench *bench)
{
	fputs("{\"version\": \"" CONNBITS_VERSION "\", \"log\": ", stdout);
	json_write_string(stdout,
			  bench->settings->log_path ? bench->settings->log_path : "generated");
	printf(", \"rows\": %" PRIu64 ", \"filters\": %zu, \"stages\": [", bench->stages.rows_read,
	       bench->filters.count);
	for (size_t i = 0; i < bench->count; i++) {
		fputs(i ? ",\n " : "\n ", stdout);
		measure_print_json(stdout, &bench->measurements[i]);
	}
	puts("]}");
}

static void bench_free(struct bench *bench)
{
	stages_free(&bench->stages);
	source_free(&bench->source);
	for (size_t engine = 0; engine < 2; engine++)
		evaluation_free(bench->evaluations[engine]);
	free((void *)bench->programs);
	filter_set_free(&bench->filters);
	catalogue_free(&bench->catalogue);
	if (!bench->folder[0])
		return;
	unlink(bench->log);
	unlink(bench->scratch);
	rmdir(bench->folder);
}

static enum status run_sheet(const struct bench *bench, struct message *message)
{
	struct sheet sheet;
	enum status status = sheet_measure(&bench->stages, bench->evaluations[ENGINE_VECTOR],
					   bench->evaluations[ENGINE_BPF], &sheet, message);

	if (status != STATUS_OK)
		return status;
	sheet_print(stdout, &sheet,
		    bench->settings->json  ? SHEET_JSON
		    : bench->settings->csv ? SHEET_CSV
					   : SHEET_TABLE);
	sheet_free(&sheet);
	return STATUS_OK;
}

static enum status run_nightly(const struct bench *bench, struct message *message)
{
	const struct settings *settings = bench->settings;
	const struct nightly_options options = {
		.folder = bench->folder,
		.catalogue_path = settings->catalogue_path,
		.rows = settings->rows,
		.repeats = settings->repeats,
		.threads = settings->threads,
		.json = settings->json,
	};
	enum status status = nightly_run(&options, stdout, message);

	return status == STATUS_OK ? command_flush(message) : status;
}

static enum status run(const struct settings *settings, struct message *message)
{
	struct bench bench = {.settings = settings};
	enum status status;

	status = folder_make(&bench, message);
	if (settings->nightly) {
		if (status == STATUS_OK)
			status = run_nightly(&bench, message);
		bench_free(&bench);
		return status;
	}
	if (status == STATUS_OK)
		status = filters_load(&bench, message);
	if (status == STATUS_OK)
		status = log_load(&bench, message);
	if (status == STATUS_OK)
		status = evaluations_make(&bench, message);
	if (settings->sheet) {
		if (status == STATUS_OK)
			status = run_sheet(&bench, message);
		bench_free(&bench);
		return status == STATUS_OK ? command_flush(message) : status;
	}
	if (status == STATUS_OK)
		status = measure_single(&bench, message);
	if (status == STATUS_OK)
		status = measure_threads(&bench, 1, message);
	if (status == STATUS_OK)
		status = measure_sql(&bench, message);
	if (status == STATUS_OK && settings->threads > 1)
		status = measure_threads(&bench, settings->threads, message);
	if (status == STATUS_OK && settings->json)
		print_json(&bench);
	else if (status == STATUS_OK)
		print_table(&bench);
	bench_free(&bench);
	if (status == STATUS_OK)
		status = command_flush(message);
	return status;
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
	status = run(&settings, &message);
	if (status != STATUS_OK)
		fprintf(stderr, "connbits-bench: %s\n", message.text);
	return (int)status;
}
