/* connbits-import: options, signals and what is printed. import_job_run does the work. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/json.h"
#include "import/import_job.h"
#include "import/retention.h"

/* Progress is shown so often. */
static const double shown_seconds = 0.1;

enum { MAPS_MAX = 32, IDLE_SECONDS = 60, IDLE_SECONDS_MAX = 31536000 };

static const char help_text[] =
	"Usage: connbits-import LOG.sqlite FILE... [options]\n"
	"Makes a log that connbits-index knows of captures (pcap, pcapng), Zeek's logs,\n"
	"Suricata's eve.json, nfdump's CSV, and CSV or TSV with a header, plain or packed\n"
	"with gzip or zstd. LOG.sqlite is made or added to. A FILE that was imported goes\n"
	"on where it ended; - is standard input, a folder stands for the files in it.\n"
	"\n"
	"  --format FORMAT      pcap, zeek, json or csv (default: known by the content)\n"
	"  --per packet|connection  of a capture: a row a packet (default), or a row for\n"
	"                       all packets of a connection\n"
	"  --idle SPAN          after which a connection has ended (default: 60s)\n"
	"  --table NAME         the table for the rows (default: by the kind of log)\n"
	"  --map KEY=COLUMN     what a column of CSV means: source_host, source_port,\n"
	"                       destination_host, destination_port, transport, timestamp,\n"
	"                       icmp_type, icmp_code; or how: icmp=ports|netflow|zeek\n"
	"  --keep SPAN          delete rows that are older: 90d, 12h, 4w\n"
	"  --json               the summary as one JSON object\n"
	"  --quiet              no summary, no progress\n"
	"  -h, --help  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage. A line that cannot be read is\n"
	"counted and told, and no failure.\n"
	"Example: connbits-import log.sqlite capture.pcap && connbits-index log.sqlite\n";

struct settings {
	struct import_job job;
	const char *maps[MAPS_MAX];
	bool json;
	bool quiet;
	bool progress;
	double shown; /* when progress was */
	bool listed;  /* --json: a file stands ahead */
};

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
	(void)signal_number;
	stop_requested = 1;
}

static enum status usage(const char *format, const char *what)
{
	command_usage("connbits-import", format, what);
	return STATUS_USAGE;
}

static void show_progress(void *context, const char *path, uint64_t rows)
{
	struct settings *settings = context;

	if (clock_seconds() - settings->shown < shown_seconds)
		return;
	settings->shown = clock_seconds();
	fprintf(stderr, "\rconnbits-import: ");
	command_write_safely(stderr, path);
	fprintf(stderr, ": %" PRIu64 " rows", rows);
	fflush(stderr);
}

/* The faults of a file, as many as there are of each. */
static void print_faults(FILE *stream, const uint64_t faults[static FAULT_COUNT])
{
	for (int fault = 0; fault < FAULT_COUNT; fault++)
		if (faults[fault])
			fprintf(stream, "  %" PRIu64 " %s%s\n", faults[fault],
				fault_keeps_row((enum fault)fault) ? "" : "left out: ",
				fault_text((enum fault)fault));
}

static void print_named(const char *path, const struct import_file_report *report)
{
	for (size_t i = 0; i < report->named_count; i++) {
		fprintf(stderr, "connbits-import: ");
		command_write_safely(stderr, path);
		fprintf(stderr, ":%" PRIu64 ": %s\n", report->named[i].line,
			fault_text(report->named[i].fault));
	}
}

static void print_file(const char *path, const struct import_file_report *report)
{
	command_write_safely(stdout, path);
	if (report->empty) {
		printf(": empty\n");
		return;
	}
	if (report->known || (report->resumed && report->rows == 0)) {
		printf(": nothing new\n");
		return;
	}
	printf(": %" PRIu64 " rows (%s)", report->rows, report->format);
	for (size_t i = 0; i < report->table_count && i < REPORT_TABLES; i++) {
		printf("%s", i ? ", " : " into ");
		command_write_safely(stdout, report->tables[i]);
		if (report->table_count > 1)
			printf(" %" PRIu64, report->table_rows[i]);
	}
	if (report->table_count > REPORT_TABLES)
		printf(" and %zu more tables", report->table_count - REPORT_TABLES);
	printf("%s\n", report->resumed ? ", from where it ended" : "");
	print_faults(stdout, report->faults);
	if (report->incomplete)
		printf("  its last line or packet has no end yet, and is not taken\n");
}

static void json_text(const char *key, const char *text)
{
	printf("\"%s\": ", key);
	json_write_string(stdout, text);
}

static void json_faults(const uint64_t faults[static FAULT_COUNT])
{
	for (int malformed = 1; malformed >= 0; malformed--) {
		const char *separator = "";

		printf(", \"%s\": {", malformed ? "malformed" : "left_out");
		for (int fault = 0; fault < FAULT_COUNT; fault++) {
			if ((fault < FAULT_MALFORMED) != (malformed == 1) || !faults[fault])
				continue;
			printf("%s\"%s\": %" PRIu64, separator, fault_word((enum fault)fault),
			       faults[fault]);
			separator = ", ";
		}
		printf("}");
	}
}

static void json_file(struct settings *settings, const char *path,
		      const struct import_file_report *report, bool left_out,
		      const struct message *failure)
{
	printf("%s\n    {", settings->listed ? "," : "");
	settings->listed = true;
	json_text("file", path);
	printf(", \"rows\": %" PRIu64 ", \"known\": %s", report->rows,
	       report->known ? "true" : "false");
	if (report->incomplete)
		printf(", \"incomplete\": true");
	if (report->format) {
		printf(", ");
		json_text("format", report->format);
	}
	printf(", \"tables\": {");
	for (size_t i = 0; i < report->table_count && i < REPORT_TABLES; i++) {
		printf("%s", i ? ", " : "");
		json_write_string(stdout, report->tables[i]);
		printf(": %" PRIu64, report->table_rows[i]);
	}
	printf("}");
	json_faults(report->faults);
	if (failure) {
		printf(", ");
		json_text(left_out ? "unknown" : "error", failure->text);
	}
	printf("}");
}

static void report_file(void *context, const char *path, const struct import_file_report *report,
			bool left_out, const struct message *failure)
{
	struct settings *settings = context;

	if (settings->progress)
		fprintf(stderr, "\r\033[K");
	if (settings->json)
		json_file(settings, path, report, left_out, failure);
	if (failure && !(left_out && settings->quiet)) {
		fprintf(stderr, "connbits-import: %s%s\n", left_out ? "left out: " : "",
			failure->text);
	}
	if (settings->quiet || (failure && !report->format))
		return;
	print_named(path, report);
	if (!settings->json && !(failure && report->rows == 0))
		print_file(path, report);
}

static void print_summary(const struct settings *settings, const struct import_summary *summary)
{
	if (settings->json) {
		printf("%s],\n  \"files_read\": %" PRIu64 ", \"nothing_new\": %" PRIu64
		       ", \"failed\": %" PRIu64 ", \"rows\": %" PRIu64 ", \"removed\": %" PRIu64
		       ", \"undated\": %" PRIu64,
		       settings->listed ? "\n  " : "", summary->files, summary->known,
		       summary->failed, summary->rows, summary->retained.removed,
		       summary->retained.undated);
		json_faults(summary->faults);
		printf(", \"version\": \"" CONNBITS_VERSION "\"}\n");
		return;
	}
	if (settings->quiet)
		return;
	if (summary->files > 1)
		printf("%" PRIu64 " files, %" PRIu64 " rows\n", summary->files, summary->rows);
	if (settings->job.keep)
		printf("%" PRIu64 " old rows removed\n", summary->retained.removed);
	if (settings->job.keep && summary->retained.undated)
		printf("%" PRIu64 " rows stay whose time cannot be read or is before 1980\n",
		       summary->retained.undated);
	if (summary->files == 0 && settings->job.path_count)
		printf("no files\n");
}

static enum status parse_option(int option, const char *argument, struct settings *settings)
{
	struct import_file_options *files = &settings->job.files;

	switch (option) {
	case 'f':
		files->forced = true;
		return import_format_find(argument, &files->format)
			       ? STATUS_OK
			       : usage("--format %s: expected pcap, zeek, json or csv", argument);
	case 'p':
		files->capture.per_connection = strcmp(argument, "connection") == 0;
		return files->capture.per_connection || strcmp(argument, "packet") == 0
			       ? STATUS_OK
			       : usage("--per %s: expected packet or connection", argument);
	case 'i':
		return retention_span(argument, &files->capture.idle) &&
				       files->capture.idle <= IDLE_SECONDS_MAX
			       ? STATUS_OK
			       : usage("--idle %s: expected a span like 60s or 5m, a year at the "
				       "most",
				       argument);
	case 't':
		files->capture.table = argument;
		return *argument && strlen(argument) <= INTAKE_NAME_MAX
			       ? STATUS_OK
			       : usage("--table %s: expected a name of 1 to 200 bytes", argument);
	case 'm':
		if (files->map_count == MAPS_MAX)
			return usage("--map %s: too many", argument);
		settings->maps[files->map_count++] = argument;
		return STATUS_OK;
	case 'k':
		return retention_span(argument, &settings->job.keep)
			       ? STATUS_OK
			       : usage("--keep %s: expected a span like 90d", argument);
	case 'j':
		settings->json = true;
		return STATUS_OK;
	case 'q':
		settings->quiet = true;
		return STATUS_OK;
	default:
		return command_usage_hint("connbits-import");
	}
}

static enum status parse_arguments(int argc, char **argv, struct settings *settings, bool *done)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"per", required_argument, NULL, 'p'},
		{"idle", required_argument, NULL, 'i'},
		{"table", required_argument, NULL, 't'},
		{"map", required_argument, NULL, 'm'},
		{"keep", required_argument, NULL, 'k'},
		{"json", no_argument, NULL, 'j'},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	enum status status = STATUS_OK;
	int option;

	*done = true;
	while (status == STATUS_OK &&
	       (option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		if (option == 'h')
			return command_print(help_text);
		if (option == 'V')
			return command_print("connbits-import " CONNBITS_VERSION "\n");
		status = parse_option(option, optarg, settings);
	}
	if (status != STATUS_OK)
		return status;
	*done = false;
	if (optind == argc)
		return usage("%s is missing", "LOG.sqlite");
	settings->job.log_path = argv[optind++];
	settings->job.paths = (const char *const *)argv + optind;
	settings->job.path_count = (size_t)(argc - optind);
	if (settings->job.path_count == 0 && !settings->job.keep)
		return usage("%s is missing; - is standard input", "FILE");
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	struct settings settings = {.job.files.capture.idle = IDLE_SECONDS};
	struct import_summary summary;
	struct message message;
	bool done;
	enum status status = parse_arguments(argc, argv, &settings, &done);
	enum status flushed;

	if (status != STATUS_OK || done)
		return (int)status;
	/* Nobody asks for SQLite's statistics, which cost a lock for each allocation. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	command_handle_signals(request_stop);
	settings.job.files.map = settings.maps;
	settings.job.files.stop = &stop_requested;
	settings.job.report = report_file;
	settings.job.report_context = &settings;
	settings.progress = !settings.quiet && isatty(STDERR_FILENO);
	if (settings.progress)
		settings.job.files.progress = show_progress;
	settings.job.files.progress_context = &settings;
	if (settings.json)
		printf("{\"files\": [");
	status = import_job_run(&settings.job, &summary, &message);
	if (status != STATUS_OK && summary.failed == 0)
		fprintf(stderr, "connbits-import: %s\n", message.text);
	print_summary(&settings, &summary);
	flushed = command_flush(&message);
	if (flushed != STATUS_OK)
		fprintf(stderr, "connbits-import: %s\n", message.text);
	return (int)(status == STATUS_OK ? flushed : status);
}
