#include "scaling_point.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/database.h"
#include "database/database_open.h"
#include "index/index_reader.h"
#include "index_job.h"
#include "stage_evaluate.h"
#include "stage_headers.h"
#include "subject.h"

/* The bpf engine takes a second or two for so many over one segment. */
enum { COMPARED_FILTERS = 1000 };

/* What the measurements of one point share. */
struct pointing {
	const struct scaling_files *files;
	struct scaling_point *point;
	struct subject subject;
	struct bandwidth *bandwidth;
	uint64_t header_bytes; /* in memory */
	uint64_t *filter_rows; /* that match each filter, of all rows in memory */
	struct message *message;
};

static const struct {
	const char *name;
	const char *limit;
} modes[SCALING_MODES] = {
	[SCALING_MEMORY] = {"in memory", "bytes over memory bandwidth"},
	[SCALING_HEADERS] = {"from headers", "the stored headers read"},
	[SCALING_ROWS] = {"end to end", "a bare sqlite3_step loop"},
};

const char *scaling_mode_name(enum scaling_mode mode)
{
	return modes[mode].name;
}

const char *scaling_limit_name(enum scaling_mode mode)
{
	return modes[mode].limit;
}

/* Without its [source], which is about another log than the generated one. */
static enum status catalogue_write(const char *path, const struct catalogue *catalogue,
				   struct message *message)
{
	FILE *file = fopen(path, "we");
	bool failed = !file;

	for (size_t i = 0; !failed && i < catalogue->count; i++) {
		fprintf(file, "[filter %s]\nexpression = ", catalogue->filters[i].name);
		for (const char *at = catalogue->filters[i].expression; *at; at++) {
			fputc(*at, file);
			if (*at == '\n')
				fputc('\t', file);
		}
		failed = fputc('\n', file) == EOF;
	}
	if (file && fclose(file) != 0)
		failed = true;
	return failed ? message_set(message, STATUS_FAILED, "%s: cannot be written", path)
		      : STATUS_OK;
}

static enum status index_once(const struct pointing *pointing, bool recompute, double *seconds)
{
	const struct job_options options = {
		.log_path = pointing->files->log,
		.catalogue_path = pointing->files->catalogue,
		.index_path = pointing->files->index,
		.engine = ENGINE_VECTOR,
		.threads = pointing->point->threads,
		.recompute = recompute,
	};
	struct job_summary summary;
	enum status status = index_job_run(&options, &summary, pointing->message);

	*seconds = summary.seconds;
	return status;
}

/* The rows of every filter in the index have to be those that were counted in memory. */
static enum status index_compare(const struct pointing *pointing)
{
	sqlite3 *index;
	struct index_source source = {0};
	struct index_filters filters = {0};
	size_t number = 0;
	bool found = false;
	enum status status =
		database_open(pointing->files->index, DATABASE_READ, &index, pointing->message);

	if (status == STATUS_OK)
		status = index_source_read(index, "main", NULL, &source, &found, pointing->message);
	if (status == STATUS_OK && found)
		status = index_filters_read(index, "main", source.id, &filters, pointing->message);
	for (size_t i = 0; status == STATUS_OK && i < filters.count; i++) {
		const struct index_filter *filter = &filters.items[i];

		if (*filter->name == '@')
			continue;
		if (number++ >= pointing->subject.filters.count)
			break;
		if (filter->rows != pointing->filter_rows[number - 1])
			status = message_set(
				pointing->message, STATUS_FAILED,
				"the index counts %" PRIu64 " rows of the filter '%.100s', and the "
				"evaluation in memory %" PRIu64 "; please report the log",
				filter->rows, filter->name, pointing->filter_rows[number - 1]);
	}
	if (status == STATUS_OK && number != pointing->subject.filters.count)
		status = message_set(pointing->message, STATUS_FAILED,
				     "the index has another number of filters than the catalogue");
	index_filters_free(&filters);
	index_source_free(&source);
	sqlite3_close(index);
	return status;
}

static enum status memory_once(struct pointing *pointing, uint64_t *filter_rows,
			       struct filters_done *done)
{
	return stage_filters(&pointing->subject.stages,
			     pointing->subject.evaluations[ENGINE_VECTOR],
			     pointing->subject.filters.count, filter_rows, done, pointing->message);
}

static enum status memory_measure(struct pointing *pointing, size_t repeat)
{
	struct measurement *measurement = &pointing->point->modes[SCALING_MEMORY];
	struct filters_done done;
	enum status status = memory_once(pointing, NULL, &done);

	measurement->seconds[repeat] = done.seconds;
	measurement->floor_seconds[repeat] =
		(double)(pointing->header_bytes + done.bytes) /
		bandwidth_measure(pointing->bandwidth, pointing->point->threads);
	return status;
}

static enum status headers_measure(struct pointing *pointing, size_t repeat)
{
	struct measurement *measurement = &pointing->point->modes[SCALING_HEADERS];
	uint64_t bytes;
	enum status status = index_once(pointing, true, &measurement->seconds[repeat]);

	if (status == STATUS_OK)
		status = stage_headers(pointing->files->index, pointing->point->threads,
				       &measurement->floor_seconds[repeat], &bytes,
				       pointing->message);
	return status;
}

static enum status rows_measure(struct pointing *pointing, size_t repeat)
{
	struct measurement *measurement = &pointing->point->modes[SCALING_ROWS];
	enum status status;

	unlink(pointing->files->index);
	status = index_once(pointing, false, &measurement->seconds[repeat]);
	if (status == STATUS_OK)
		status = stages_read_floor(&pointing->subject.stages,
					   &measurement->floor_seconds[repeat], pointing->message);
	return status;
}

/* Compares the engines, and counts what the index has to count. */
static enum status memory_count(struct pointing *pointing)
{
	struct stages *stages = &pointing->subject.stages;
	struct filters_done done = {0};
	enum status status = stage_compare(stages, pointing->subject.evaluations[ENGINE_BPF],
					   pointing->subject.evaluations[ENGINE_VECTOR], 1,
					   COMPARED_FILTERS, pointing->message);

	pointing->filter_rows =
		calloc(pointing->subject.filters.count + 1, sizeof(*pointing->filter_rows));
	if (status == STATUS_OK && !pointing->filter_rows)
		status = message_out_of_memory(pointing->message);
	if (status == STATUS_OK)
		status = memory_once(pointing, pointing->filter_rows, &done);
	pointing->point->matches = done.rows;
	return status;
}

static enum status turn_measure(struct pointing *pointing, size_t repeat)
{
	enum status status = rows_measure(pointing, repeat);

	if (status == STATUS_OK)
		status = headers_measure(pointing, repeat);
	if (status == STATUS_OK && pointing->point->measured[SCALING_MEMORY])
		status = memory_measure(pointing, repeat);
	return status;
}

static void point_describe(struct pointing *pointing, uint64_t repeats)
{
	const struct stages *stages = &pointing->subject.stages;
	struct scaling_point *point = pointing->point;

	point->rows_held = stages->rows_held;
	point->filters = pointing->subject.filters.count;
	point->measured[SCALING_MEMORY] = stages->segment_count == stages->number_count;
	point->measured[SCALING_HEADERS] = true;
	point->measured[SCALING_ROWS] = true;
	for (int mode = 0; mode < SCALING_MODES; mode++)
		point->modes[mode].repeats = (size_t)repeats;
	for (size_t i = 0; i < stages->segment_count; i++)
		for (size_t version = 0; version < SEGMENT_VERSIONS; version++) {
			const struct packed_headers *headers =
				&stages->segments[i]->headers[version];

			pointing->header_bytes += headers->rows * headers->stride;
		}
}

enum status scaling_point_measure(const struct scaling_files *files,
				  const struct catalogue *catalogue, struct bandwidth *bandwidth,
				  int threads, uint64_t repeats, struct scaling_point *point,
				  struct message *message)
{
	struct pointing pointing = {
		.files = files, .point = point, .bandwidth = bandwidth, .message = message};
	const struct catalogue filters = {.filters = catalogue->filters, .count = catalogue->count};
	enum status status;

	point->threads = threads;
	status = subject_open(files->log, &filters, "the catalogue", ENGINE_VECTOR,
			      &pointing.subject, message);
	pointing.subject.stages.threads = threads;
	if (status == STATUS_OK)
		status = catalogue_write(files->catalogue, catalogue, message);
	if (status == STATUS_OK) {
		point_describe(&pointing, repeats);
		status = memory_count(&pointing);
	}
	/* A first turn for what is slow only once, whose place the next one takes. */
	if (status == STATUS_OK)
		status = turn_measure(&pointing, 0);
	if (status == STATUS_OK && point->measured[SCALING_MEMORY])
		status = index_compare(&pointing);
	for (size_t i = 0; status == STATUS_OK && i < repeats; i++)
		status = turn_measure(&pointing, i);
	free(pointing.filter_rows);
	subject_free(&pointing.subject);
	unlink(files->index);
	unlink(files->catalogue);
	return status;
}
