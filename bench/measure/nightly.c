#include "nightly.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ask/answer.h"
#include "base/clock.h"
#include "database/database.h"
#include "database/database_open.h"
#include "generate/generate.h"
#include "index_job.h"
#include "measure.h"
#include "stage_headers.h"

enum { SIZES_MAX = 8 };

/* A filter that no catalogue has, of two columns and both versions. */
static const char spot_filter[] = "src net 10.0.0.0/8 and port 53 or dst host 192.0.2.11";

/* What the nights of one log cost. */
struct night {
	uint64_t rows;
	uint64_t rows_read;
	uint64_t bytes_written; /* by the process, as it handed them to the kernel */
	double seconds[MEASURE_REPEATS_MAX];
	double idle_seconds[MEASURE_REPEATS_MAX]; /* of a night without a new row */
};

/* What is measured on the largest log only. */
struct large {
	double again[MEASURE_REPEATS_MAX];   /* one filter, every row read */
	double headers[MEASURE_REPEATS_MAX]; /* one new filter over the stored columns */
	double blobs[MEASURE_REPEATS_MAX];   /* all stored columns, only read */
	double spot[MEASURE_REPEATS_MAX];    /* {one filter} */
	double faults[MEASURE_REPEATS_MAX];  /* of it: pages that had to be given to the process */
	uint64_t header_bytes;
};

struct nightly {
	const struct nightly_options *options;
	struct message *message;
	char log[1000];
	char index[1000];
	char other[1000];  /* another index of the same log */
	char filter[1000]; /* a catalogue of one filter */
	struct night nights[SIZES_MAX];
	size_t night_count;
	struct large large;
};

/* Bytes that this process has written so far; 0 where the kernel does not tell. */
static uint64_t bytes_written(void)
{
	FILE *io = fopen("/proc/self/io", "re");
	char line[128];
	uint64_t bytes = 0;

	while (io && fgets(line, sizeof(line), io))
		if (strncmp(line, "wchar: ", 7) == 0)
			bytes = strtoull(line + 7, NULL, 10);
	if (io)
		fclose(io);
	return bytes;
}

static enum status index_once(const struct nightly *nightly, const char *index,
			      const char *catalogue, bool no_headers, double *seconds,
			      struct job_summary *summary)
{
	const struct job_options options = {
		.log_path = nightly->log,
		.catalogue_path = catalogue,
		.index_path = index,
		.engine = ENGINE_VECTOR,
		.threads = nightly->options->threads,
		.no_headers = no_headers,
	};
	enum status status = index_job_run(&options, summary, nightly->message);

	*seconds = summary->seconds;
	return status;
}

static enum status log_grow(const struct nightly *nightly)
{
	static const char columns[] =
		"connection_type, connection_transport, connection_protocol, connection_timestamp, "
		"local_host, local_port, remote_host, remote_port";
	sqlite3 *log;
	sqlite3_stmt *insert = NULL;
	enum status status = database_open(nightly->log, DATABASE_WRITE, &log, nightly->message);

	if (status == STATUS_OK)
		status = database_prepare(
			log, &insert, nightly->message,
			"INSERT INTO connections (%s) SELECT %s FROM connections LIMIT %d", columns,
			columns, NIGHTLY_NEW_ROWS);
	if (status == STATUS_OK)
		status = database_run(insert, nightly->message);
	sqlite3_finalize(insert);
	sqlite3_close(log);
	return status;
}

/* Some nights of one log. The first, which is not counted, builds the index. */
static enum status nights_measure(struct nightly *nightly, struct night *night)
{
	const struct nightly_options *options = nightly->options;
	struct job_summary summary;
	double seconds;
	enum status status = index_once(nightly, nightly->index, options->catalogue_path, false,
					&seconds, &summary);

	for (size_t i = 0; status == STATUS_OK && i < options->repeats; i++) {
		uint64_t before;

		status = log_grow(nightly);
		before = bytes_written();
		if (status == STATUS_OK)
			status = index_once(nightly, nightly->index, options->catalogue_path, false,
					    &night->seconds[i], &summary);
		night->bytes_written = bytes_written() - before;
		night->rows_read = summary.rows_read;
		if (status == STATUS_OK)
			status = index_once(nightly, nightly->index, options->catalogue_path, false,
					    &night->idle_seconds[i], &summary);
	}
	return status;
}

static enum status filter_write(const struct nightly *nightly, size_t number)
{
	FILE *file = fopen(nightly->filter, "we");

	/* Another one every time, so that it is new. */
	if (file)
		fprintf(file, "[filter spot]\nexpression = %s or src port %zu\n", spot_filter,
			number + 1);
	if (!file || fclose(file) != 0)
		return message_set(nightly->message, STATUS_FAILED, "%s: cannot be written",
				   nightly->filter);
	return STATUS_OK;
}

/* One filter over every row, read again, beside the same over the stored headers. */
static enum status filter_measure(struct nightly *nightly, size_t number)
{
	struct large *large = &nightly->large;
	struct job_summary summary;
	enum status status = filter_write(nightly, number);

	if (status == STATUS_OK)
		status = index_once(nightly, nightly->other, nightly->filter, true,
				    &large->again[number], &summary);
	unlink(nightly->other);
	if (status == STATUS_OK)
		status = index_once(nightly, nightly->index, nightly->filter, false,
				    &large->headers[number], &summary);
	if (status == STATUS_OK && summary.rows_read > 0)
		status = message_set(nightly->message, STATUS_FAILED,
				     "a new filter read %" PRIu64 " rows", summary.rows_read);
	return status;
}

/* Minor page faults of this process so far. */
static long faults_so_far(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_minflt : 0;
}

/* {one filter}, as connbits-query asks it, beside reading all there is. */
static enum status spot_measure(struct nightly *nightly, size_t number)
{
	struct large *large = &nightly->large;
	struct answer_index index = {0};
	struct row_set rows = {0};
	char expression[256];
	double start;
	long faults;
	sqlite3 *database;
	enum status status =
		database_open(nightly->index, DATABASE_READ, &database, nightly->message);
	const struct answer_question question = {
		.database = database, .index = &index, .expression = expression};

	snprintf(expression, sizeof(expression), "{%s}", spot_filter);
	if (status == STATUS_OK)
		status = answer_index_find(database, NULL, NULL, NULL, &index, nightly->message);
	if (status == STATUS_OK)
		status = stage_headers(nightly->index, 1, &large->blobs[number],
				       &large->header_bytes, nightly->message);
	faults = faults_so_far();
	start = clock_seconds();
	if (status == STATUS_OK)
		status = answer_run(&question, &rows, nightly->message);
	large->spot[number] = clock_seconds() - start;
	large->faults[number] = (double)(faults_so_far() - faults);
	row_set_free(&rows);
	answer_index_free(&index);
	sqlite3_close(database);
	return status;
}

static enum status large_measure(struct nightly *nightly)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < nightly->options->repeats; i++) {
		status = filter_measure(nightly, i);
		if (status == STATUS_OK)
			status = spot_measure(nightly, i);
	}
	return status;
}

static void files_remove(const struct nightly *nightly)
{
	unlink(nightly->log);
	unlink(nightly->index);
	unlink(nightly->other);
	unlink(nightly->filter);
}

static enum status sizes_measure(struct nightly *nightly)
{
	enum status status = STATUS_OK;

	for (uint64_t rows = NIGHTLY_FIRST_ROWS;
	     status == STATUS_OK && nightly->night_count < SIZES_MAX; rows *= 10) {
		struct night *night = &nightly->nights[nightly->night_count++];
		const bool last = rows * 10 > nightly->options->rows;

		night->rows = rows;
		status = generate_log(nightly->log, rows, GENERATE_DEFAULT_SEED, nightly->message);
		if (status == STATUS_OK)
			status = nights_measure(nightly, night);
		if (status == STATUS_OK && last)
			status = large_measure(nightly);
		files_remove(nightly);
		if (last)
			break;
	}
	return status;
}

struct ratio {
	double median;
	double least;
	double most;
};

/* Of timings that were taken side by side. */
static struct ratio ratio_of(const double *over, const double *under, size_t count)
{
	double ratios[MEASURE_REPEATS_MAX] = {0};
	struct ratio ratio;

	for (size_t i = 0; i < count; i++)
		ratios[i] = over[i] / under[i];
	ratio.median = measure_median(ratios, count);
	ratio.least = ratio.most = ratios[0];
	for (size_t i = 1; i < count; i++) {
		ratio.least = ratios[i] < ratio.least ? ratios[i] : ratio.least;
		ratio.most = ratios[i] > ratio.most ? ratios[i] : ratio.most;
	}
	return ratio;
}

static void table_print(const struct nightly *nightly, FILE *stream)
{
	const size_t repeats = (size_t)nightly->options->repeats;
	const struct large *large = &nightly->large;
	const struct ratio filter = ratio_of(large->again, large->headers, repeats);

	machine_print(stream, nightly->options->machine);
	fprintf(stream,
		"%d new rows a night, median of %zu nights, %d threads; ratio = time over the "
		"smallest log's\n",
		NIGHTLY_NEW_ROWS, repeats, nightly->options->threads);
	fprintf(stream, "%12s %10s %7s %12s %14s %12s\n", "rows", "ms", "ratio", "rows read",
		"bytes written", "idle ms");
	for (size_t i = 0; i < nightly->night_count; i++) {
		const struct night *night = &nightly->nights[i];

		fprintf(stream, "%12" PRIu64 " %10.2f %7.2f %12" PRIu64 " %14" PRIu64 " %12.2f\n",
			night->rows, measure_median(night->seconds, repeats) * 1e3,
			ratio_of(night->seconds, nightly->nights[0].seconds, repeats).median,
			night->rows_read, night->bytes_written,
			measure_median(night->idle_seconds, repeats) * 1e3);
	}
	fprintf(stream,
		"one filter over the rows, read again, beside a new one over stored columns: "
		"%.1f ms over %.1f ms = %.1f (%.1f - %.1f)\n",
		measure_median(large->again, repeats) * 1e3,
		measure_median(large->headers, repeats) * 1e3, filter.median, filter.least,
		filter.most);
	fprintf(stream,
		"{one filter} on the spot: %.1f ms and %.0f minor page faults; reading all "
		"%" PRIu64 " bytes of columns with one thread: %.1f ms\n",
		measure_median(large->spot, repeats) * 1e3, measure_median(large->faults, repeats),
		large->header_bytes, measure_median(large->blobs, repeats) * 1e3);
}

static void json_print(const struct nightly *nightly, FILE *stream)
{
	const size_t repeats = (size_t)nightly->options->repeats;
	const struct large *large = &nightly->large;
	const struct ratio filter = ratio_of(large->again, large->headers, repeats);

	fputs("{\"version\": \"" CONNBITS_VERSION "\", \"machine\": ", stream);
	machine_print_json(stream, nightly->options->machine);
	fprintf(stream, ", \"new_rows\": %d, \"nights\": [", NIGHTLY_NEW_ROWS);
	for (size_t i = 0; i < nightly->night_count; i++) {
		const struct night *night = &nightly->nights[i];

		fprintf(stream,
			"%s{\"rows\": %" PRIu64 ", \"seconds\": %.6f, \"rows_read\": %" PRIu64
			", \"bytes_written\": %" PRIu64 ", \"idle_seconds\": %.6f}",
			i ? ", " : "", night->rows, measure_median(night->seconds, repeats),
			night->rows_read, night->bytes_written,
			measure_median(night->idle_seconds, repeats));
	}
	fprintf(stream,
		"], \"filter\": {\"rows_seconds\": %.6f, \"headers_seconds\": %.6f, \"ratio\": "
		"%.3f}, \"spot\": {\"seconds\": %.6f, \"minor_faults\": %.0f, "
		"\"read_seconds\": %.6f, \"header_bytes\": %" PRIu64 "}}\n",
		measure_median(large->again, repeats), measure_median(large->headers, repeats),
		filter.median, measure_median(large->spot, repeats),
		measure_median(large->faults, repeats), measure_median(large->blobs, repeats),
		large->header_bytes);
}

enum status nightly_run(const struct nightly_options *options, FILE *stream,
			struct message *message)
{
	struct nightly nightly = {.options = options, .message = message};
	enum status status;

	snprintf(nightly.log, sizeof(nightly.log), "%s/log.sqlite", options->folder);
	snprintf(nightly.index, sizeof(nightly.index), "%s/log.index", options->folder);
	snprintf(nightly.other, sizeof(nightly.other), "%s/other.index", options->folder);
	snprintf(nightly.filter, sizeof(nightly.filter), "%s/spot.conf", options->folder);
	status = sizes_measure(&nightly);
	if (status == STATUS_OK && options->json)
		json_print(&nightly, stream);
	else if (status == STATUS_OK)
		table_print(&nightly, stream);
	return status;
}
