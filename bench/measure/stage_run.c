#include "stage_run.h"

#include <inttypes.h>
#include <unistd.h>

#include "bandwidth.h"
#include "base/json.h"
#include "index_job.h"
#include "measure.h"
#include "stage_evaluate.h"
#include "stage_sql.h"

enum { MEASUREMENTS_MAX = 32, FILTERS_FEW = 64 };

struct stage_bench {
	const struct stage_run_options *options;
	struct subject *subject;
	struct measurement measurements[MEASUREMENTS_MAX];
	size_t count;
};

static struct measurement *measurement_add(struct stage_bench *bench, const char *stage,
					   const char *floor, bool with_engine)
{
	struct measurement *measurement = &bench->measurements[bench->count++];

	*measurement = (struct measurement){
		.stage = stage,
		.floor = floor,
		.engine = with_engine ? engine_name(bench->options->engine) : "",
		.threads = bench->subject->stages.threads,
		.filters = with_engine ? bench->subject->filters.count : 0,
		.repeats = (size_t)bench->options->repeats,
	};
	return measurement;
}

/* Reading through SQLite beside the bare loop over it, and by page beside reading the file's bytes.
 */
static enum status measure_readers(struct stage_bench *bench, struct message *message)
{
	struct stages *stages = &bench->subject->stages;
	struct measurement *sql =
		measurement_add(bench, "read+build", "a bare sqlite3_step loop", false);
	struct measurement *pages =
		measurement_add(bench, "read+build", "the file's bytes at memory bandwidth", false);
	struct bandwidth *bandwidth;
	enum status status = bandwidth_new(stages->threads, &bandwidth, message);

	sql->engine = "sql";
	pages->engine = stages->by_page ? "pages" : "sql";
	for (size_t i = 0; status == STATUS_OK && i < sql->repeats; i++) {
		status = stages_read(stages, LOG_READ_SQL, &sql->seconds[i], message);
		if (status == STATUS_OK)
			status = stages_read_floor(stages, &sql->floor_seconds[i], message);
		if (status == STATUS_OK)
			status = stages_read(stages, LOG_READ_BEST, &pages->seconds[i], message);
		if (status == STATUS_OK)
			pages->floor_seconds[i] = (double)stages->file_bytes /
						  bandwidth_measure(bandwidth, stages->threads);
	}
	bandwidth_free(bandwidth);
	sql->rows = stages->rows_read;
	pages->rows = stages->rows_read;
	return status;
}

/* A whole first index beside the loop that only fetches its rows. */
static enum status measure_job(struct stage_bench *bench, struct message *message)
{
	struct stages *stages = &bench->subject->stages;
	const struct job_options job = {
		.log_path = stages->log->path,
		.catalogue_path = bench->options->catalogue_path,
		.index_path = bench->options->scratch,
		.engine = bench->options->engine,
		.threads = stages->threads,
	};
	struct measurement *first;
	enum status status = STATUS_OK;

	if (!job.catalogue_path)
		return STATUS_OK;
	first = measurement_add(bench, "first index", "a bare sqlite3_step loop", true);
	for (size_t i = 0; status == STATUS_OK && i < first->repeats; i++) {
		struct job_summary summary;

		unlink(job.index_path);
		status = index_job_run(&job, &summary, message);
		first->seconds[i] = summary.seconds;
		if (status == STATUS_OK)
			status = stages_read_floor(stages, &first->floor_seconds[i], message);
	}
	unlink(job.index_path);
	first->rows = stages->rows_read;
	first->filters = 0;
	return status;
}

/* Reading, evaluating and encoding, each beside its floor. */
static enum status measure_floors(struct stage_bench *bench, struct message *message)
{
	struct stages *stages = &bench->subject->stages;
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

		status = stages_read(stages, LOG_READ_BEST, &read->seconds[i], message);
		if (status == STATUS_OK)
			status = stages_read_floor(stages, &read->floor_seconds[i], message);
		if (status == STATUS_OK)
			status = stage_evaluate(stages,
						bench->subject->evaluations[bench->options->engine],
						&seconds, message);
		if (status != STATUS_OK)
			break;
		evaluate->seconds[i] = seconds.evaluate;
		evaluate->floor_seconds[i] = seconds.evaluate_floor;
		encode->seconds[i] = seconds.encode;
		encode->floor_seconds[i] = seconds.encode_floor;
	}
	read->engine = stages->by_page ? "pages" : "sql";
	read->rows = stages->rows_read;
	evaluate->rows = stages->rows_held;
	encode->rows = stages->rows_held;
	return status;
}

/* Evaluating and encoding all filters with one evaluation, and the first `filters` with another. */
static enum status measure_pair(const struct stage_bench *bench, const struct evaluation *one,
				const struct evaluation *other, size_t filters,
				struct measurement *measurement, size_t repeat,
				struct message *message)
{
	const struct subject *subject = bench->subject;
	struct filters_done done;
	enum status status =
		stage_filters(&subject->stages, one, subject->filters.count, NULL, &done, message);

	measurement->seconds[repeat] = done.seconds;
	if (status == STATUS_OK)
		status = stage_filters(&subject->stages, other, filters, NULL, &done, message);
	measurement->floor_seconds[repeat] = done.seconds;
	return status;
}

/* Evaluating and encoding: the bpf engine's time over the vector engine's. */
static enum status measure_engines(struct stage_bench *bench, struct message *message)
{
	const struct evaluation *bpf = bench->subject->evaluations[ENGINE_BPF];
	const struct evaluation *vector = bench->subject->evaluations[ENGINE_VECTOR];
	struct measurement *engines;
	enum status status;

	if (!vector)
		return STATUS_OK;
	status = stage_compare(&bench->subject->stages, bpf, vector, SIZE_MAX, SIZE_MAX, message);
	engines = measurement_add(bench, "eval+bitmap", "the same by the vector engine", true);
	engines->engine = engine_name(ENGINE_BPF);
	engines->rows = bench->subject->stages.rows_held;
	for (size_t i = 0; status == STATUS_OK && i < engines->repeats; i++)
		status = measure_pair(bench, bpf, vector, bench->subject->filters.count, engines, i,
				      message);
	return status;
}

/* Evaluating and encoding: the time of all filters over that of the first few. */
static enum status measure_filters(struct stage_bench *bench, struct message *message)
{
	struct evaluation *few = NULL;
	struct measurement *many;
	enum status status;

	if (bench->subject->filters.count <= FILTERS_FEW)
		return STATUS_OK;
	status = evaluation_new(bench->options->engine, bench->subject->programs, FILTERS_FEW, NULL,
				&few, message);
	many = measurement_add(bench, "eval+bitmap", "only the first 64 filters", true);
	many->rows = bench->subject->stages.rows_held;
	for (size_t i = 0; status == STATUS_OK && i < many->repeats; i++)
		status = measure_pair(bench, bench->subject->evaluations[bench->options->engine],
				      few, FILTERS_FEW, many, i, message);
	evaluation_free(few);
	return status;
}

static enum status measure_threads(struct stage_bench *bench, int threads, struct message *message)
{
	enum status status;

	bench->subject->stages.threads = threads;
	status = measure_floors(bench, message);
	if (status == STATUS_OK)
		status = measure_readers(bench, message);
	if (status == STATUS_OK)
		status = measure_job(bench, message);
	if (status == STATUS_OK && bench->options->generated_filters)
		status = measure_filters(bench, message);
	else if (status == STATUS_OK)
		status = measure_engines(bench, message);
	return status;
}

/* One filter in SQL, where the extension is at hand. */
static enum status measure_sql(struct stage_bench *bench, struct message *message)
{
	struct measurement *sql;
	enum status status = STATUS_OK;

	if (!stage_sql_possible(&bench->subject->stages))
		return STATUS_OK;
	sql = measurement_add(bench, "sql", "a bare sqlite3_step loop, and bpf_filter", false);
	for (size_t turn = 0; status == STATUS_OK && turn <= sql->repeats; turn++)
		status = stage_sql(&bench->subject->stages, &sql->seconds[turn ? turn - 1 : 0],
				   &sql->floor_seconds[turn ? turn - 1 : 0], message);
	sql->rows = bench->subject->stages.rows_read;
	return status;
}

/* The stages that one thread does alone. */
static enum status measure_single(struct stage_bench *bench, struct message *message)
{
	struct stages *stages = &bench->subject->stages;
	struct measurement *build;
	struct measurement *store;
	enum status status = STATUS_OK;

	stages->threads = 1;
	build = measurement_add(bench, "build", "the headers' bytes copied", false);
	store = measurement_add(bench, "store", "the same bytes written, and fsync", true);
	/* The first turn is for what is slow only once: the second takes its place. */
	for (size_t turn = 0; status == STATUS_OK && turn <= build->repeats; turn++) {
		const size_t i = turn ? turn - 1 : 0;

		status = stages_build(stages, &build->seconds[i], &build->floor_seconds[i],
				      &build->rows, message);
		if (status == STATUS_OK)
			status = stages_store(stages,
					      bench->subject->evaluations[bench->options->engine],
					      bench->options->scratch, &store->seconds[i],
					      &store->floor_seconds[i], message);
	}
	store->rows = stages->rows_held;
	return status;
}

static void print_table(const struct stage_bench *bench, const struct machine *machine,
			FILE *stream)
{
	const struct stage_run_options *options = bench->options;

	machine_print(stream, machine);
	fprintf(stream,
		"%s: %" PRIu64 " rows, %zu filters, median of %" PRIu64
		" interleaved runs; ratio = time over the floor's time\n",
		options->log_name ? options->log_name : "generated log",
		bench->subject->stages.rows_read, bench->subject->filters.count, options->repeats);
	measure_print_head(stream);
	for (size_t i = 0; i < bench->count; i++)
		measure_print(stream, &bench->measurements[i]);
}

static void print_json(const struct stage_bench *bench, const struct machine *machine, FILE *stream)
{
	const struct stage_run_options *options = bench->options;

	fputs("{\"version\": \"" CONNBITS_VERSION "\", \"machine\": ", stream);
	machine_print_json(stream, machine);
	fputs(", \"log\": ", stream);
	json_write_string(stream, options->log_name ? options->log_name : "generated");
	fprintf(stream, ", \"rows\": %" PRIu64 ", \"filters\": %zu, \"stages\": [",
		bench->subject->stages.rows_read, bench->subject->filters.count);
	for (size_t i = 0; i < bench->count; i++) {
		fputs(i ? ",\n " : "\n ", stream);
		measure_print_json(stream, &bench->measurements[i]);
	}
	fputs("]}\n", stream);
}

enum status stage_run(struct subject *subject, const struct stage_run_options *options,
		      const struct machine *machine, FILE *stream, struct message *message)
{
	struct stage_bench bench = {.options = options, .subject = subject};
	enum status status = measure_single(&bench, message);

	if (status == STATUS_OK)
		status = measure_threads(&bench, 1, message);
	if (status == STATUS_OK)
		status = measure_sql(&bench, message);
	if (status == STATUS_OK && options->threads > 1)
		status = measure_threads(&bench, options->threads, message);
	if (status == STATUS_OK && options->json)
		print_json(&bench, machine, stream);
	else if (status == STATUS_OK)
		print_table(&bench, machine, stream);
	return status;
}
