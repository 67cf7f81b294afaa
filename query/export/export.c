#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "database/immutable.h"
#include "export_bitmaps.h"
#include "export_connections.h"
#include "export_folder.h"
#include "index/index_reader.h"
#include "manifest.h"
#include "native_file.h"
#include "show/asked_log.h"
#include "show/moment.h"
#include "show/rows_behind.h"
#include "table_export.h"
#include "watermark.h"

struct export_job {
	const struct export_options *options;
	struct export_summary *summary;
	struct message *message;
	struct export_folder folder;
	struct manifest before;
	struct manifest after;
	size_t kept_files; /* of after: those that earlier exports left */
	struct asked_log log;
	struct index_tables tables;
	struct native_file *bitmaps;
	struct native_file *connections;
	struct table_mark {
		struct watermark watermark;
		struct answer_index index;
		struct index_filters filters;
		struct exported_filter *totals;
		bool *lacking;
	} * marks; /* one a table */
	size_t mark_count;
};

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The greatest number of its kind so far, even where the clock was set back. */
static int64_t number_after(const struct manifest *before)
{
	const int64_t last =
		before->last_generation > before->series ? before->last_generation : before->series;
	const int64_t now = milliseconds();

	return now > last ? now : last + 1;
}

static enum status sensor_find(struct export_job *job)
{
	const struct manifest *before = &job->before;
	const char *wanted = job->options->sensor;
	char host[MANIFEST_SENSOR_MAX + 1] = "";

	if (before->series && wanted && strcmp(before->sensor, wanted) != 0)
		return message_set(job->message, STATUS_USAGE,
				   "--sensor %s: %.300s has the exports of sensor %s; a sensor has "
				   "a folder of its own",
				   wanted, job->options->folder, before->sensor);
	if (!wanted && before->series)
		wanted = before->sensor;
	if (!wanted && gethostname(host, sizeof(host) - 1) == 0)
		wanted = host;
	if (!wanted || !manifest_sensor_valid(wanted))
		return message_set(job->message, STATUS_USAGE,
				   "a sensor's name has 1 to %d letters, digits, '.', '_' and '-', "
				   "and begins with a letter, a digit or '_'; give one with "
				   "--sensor NAME",
				   MANIFEST_SENSOR_MAX);
	snprintf(job->after.sensor, sizeof(job->after.sensor), "%s", wanted);
	return STATUS_OK;
}

/* Files of earlier exports that are still in the folder. */
static enum status files_keep(struct export_job *job)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < job->before.file_count; i++) {
		const struct manifest_file *file = &job->before.files[i];

		if (export_folder_has(&job->folder, file->name))
			status = manifest_file_add(&job->after, file->name, file->bytes,
						   file->sha256, job->message);
	}
	job->kept_files = job->after.file_count;
	return status;
}

/* The name of a file of this export; NULL without memory. */
static char *file_name(const struct export_job *job, const char *kind)
{
	char *name;

	return asprintf(&name, "%s.%s", job->summary->stem, kind) < 0 ? NULL : name;
}

/* That no file has the number yet: what is there may have been shipped. */
static enum status number_check(struct export_job *job)
{
	static const char *const kinds[] = {"bitmaps.native.zst", "connections.native.zst",
					    "watermark.json"};
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < sizeof(kinds) / sizeof(*kinds); i++) {
		char *name = file_name(job, kinds[i]);

		if (!name)
			status = message_out_of_memory(job->message);
		else if (export_folder_has(&job->folder, name))
			status = message_set(
				job->message, STATUS_FAILED,
				"%.600s/%.200s is there already, and " EXPORT_MANIFEST
				" does not know it: that is an earlier one. Remove " EXPORT_MANIFEST
				", and the next export begins a new series",
				job->options->folder, name);
		free(name);
	}
	return status;
}

static enum status job_begin(struct export_job *job)
{
	const time_t now = time(NULL);
	struct tm parts;
	enum status status = export_folder_manifest(&job->folder, &job->before, job->message);

	if (status == STATUS_OK)
		status = sensor_find(job);
	if (status == STATUS_OK)
		status = files_keep(job);
	if (status != STATUS_OK)
		return status;
	job->after.series = job->before.series ? job->before.series : number_after(&job->before);
	job->after.number = job->before.number + 1;
	job->after.last_generation = job->before.last_generation;
	if (job->after.number > MANIFEST_NUMBER_MAX)
		return message_set(job->message, STATUS_FAILED,
				   "%.700s: no number is left; remove " EXPORT_MANIFEST
				   ", and the next export begins a new series",
				   job->options->folder);
	if (!gmtime_r(&now, &parts) ||
	    !strftime(job->after.exported_at, sizeof(job->after.exported_at), "%Y-%m-%dT%H:%M:%SZ",
		      &parts))
		return message_set(job->message, STATUS_FAILED, "the clock has no year");
	snprintf(job->summary->stem, sizeof(job->summary->stem), "%013" PRId64 "-%08" PRIu64,
		 job->after.series, job->after.number);
	memcpy(job->summary->sensor, job->after.sensor, sizeof(job->summary->sensor));
	return number_check(job);
}

static enum status native_open(struct export_job *job, const char *kind,
			       const struct native_column *columns, size_t count,
			       struct native_file **file)
{
	char *name = file_name(job, kind);
	char *path = name ? export_folder_staged(&job->folder, name) : NULL;
	enum status status = path ? native_file_open(path, columns, count, file, job->message)
				  : message_out_of_memory(job->message);

	free(path);
	free(name);
	return status;
}

/* One without rows is left out. */
static enum status native_end(struct export_job *job, const char *kind, struct native_file **file)
{
	struct native_summary summary;
	char *name = file_name(job, kind);
	char *path = name ? export_folder_staged(&job->folder, name) : NULL;
	enum status status = STATUS_OK;

	if (!path) {
		status = message_out_of_memory(job->message);
	} else if (*file) {
		status = native_file_close(*file, &summary, job->message);
		*file = NULL;
		if (status == STATUS_OK && summary.rows == 0)
			unlink(path);
		else if (status == STATUS_OK)
			status = manifest_file_add(&job->after, name, summary.bytes, summary.digest,
						   job->message);
	}
	free(path);
	free(name);
	return status;
}

/* Finds which generation the index is of, and what is known to have been exported of that. */
static enum status generation_find(struct export_job *job, const struct index_source *source,
				   struct table_export *export)
{
	struct manifest_table *known = manifest_table_find(&job->before, source->layout.table);
	struct manifest_table *after = NULL;
	char build[MANIFEST_BUILD_SIZE];
	enum status status;

	if (!manifest_name_valid(source->layout.table))
		return message_set(job->message, STATUS_FAILED,
				   "the table's name is not UTF-8, or has control characters: it "
				   "cannot be exported");
	status = manifest_table_take(&job->after, source->layout.table, &after, job->message);
	if (status != STATUS_OK)
		return status;
	snprintf(build, sizeof(build), "%.*s", INDEX_BUILD_DIGITS, source->identity);
	if (strspn(build, "0123456789abcdef") != INDEX_BUILD_DIGITS)
		return message_set(
			job->message, STATUS_FAILED,
			"the index is damaged: its identity is none; build it again with "
			"connbits-index --rebuild");
	memcpy(after->build, build, sizeof(build));
	if (known && strcmp(known->build, build) == 0) {
		after->generation = known->generation;
		export->before = &known->items;
	} else {
		job->summary->built_anew += known != NULL;
		after->generation = number_after(&job->before);
		if (after->generation > job->after.last_generation)
			job->after.last_generation = after->generation;
	}
	export->after = after;
	return STATUS_OK;
}

/* What is known of segments stays known where they are not exported. */
static enum status segments_keep(const struct table_export *export, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && export->before && i < export->before->count; i++)
		if (!export->before->items[i].filter)
			status = manifest_items_add(&export->after->items,
						    &export->before->items[i], message);
	return status;
}

static enum status filters_find(struct export_job *job, struct table_mark *mark)
{
	const struct index_source *source = &mark->index.source;
	enum status status = index_filters_read(job->log.database, mark->index.database_name,
						source->id, &mark->filters, job->message);

	mark->totals = calloc(mark->filters.count + 1, sizeof(*mark->totals));
	mark->lacking = calloc(mark->filters.count + 1, sizeof(*mark->lacking));
	if (status == STATUS_OK && (!mark->totals || !mark->lacking))
		status = message_out_of_memory(job->message);
	for (size_t i = 0; status == STATUS_OK && i < mark->filters.count; i++) {
		struct index_filter_place place;
		bool found;

		status = index_filter_find(job->log.database, mark->index.database_name, source->id,
					   mark->filters.items[i].name, &place, &found,
					   job->message);
		mark->lacking[i] = status == STATUS_OK && found && place.lacks_rows;
	}
	return status;
}

static enum status table_write(struct export_job *job, struct table_mark *mark,
			       struct moment *moment)
{
	struct table_export export = {.moment = moment,
				      .sensor = job->after.sensor,
				      .number = job->after.number,
				      .file = job->bitmaps};
	struct exported_bitmaps exported = {0};
	struct exported_connections connections = {0};
	enum status status = generation_find(job, &mark->index.source, &export);

	if (status == STATUS_OK)
		status = export_bitmaps_write(&export, &mark->filters, mark->totals, &exported,
					      job->message);
	mark->watermark.bitmaps = status == STATUS_OK ? export.after->items.count : 0;
	export.file = job->connections;
	if (status == STATUS_OK && job->options->connections)
		status = export_connections_write(&export, &connections, job->message);
	else if (status == STATUS_OK)
		status = segments_keep(&export, job->message);
	if (status != STATUS_OK)
		return status;
	mark->watermark.connections = connections.rows;
	mark->watermark.table = export.after->name;
	mark->watermark.generation = export.after->generation;
	manifest_items_sort(&export.after->items);
	job->summary->tables++;
	job->summary->behind += mark->watermark.behind;
	job->summary->changed += exported.changed;
	job->summary->gone += exported.gone;
	job->summary->connections += connections.written;
	return STATUS_OK;
}

static enum status table_run(struct export_job *job, const char *name)
{
	struct table_mark *mark = &job->marks[job->mark_count++];
	struct moment moment = {0};
	enum status status = asked_log_find(&job->log, name, &mark->index, job->message);

	if (status == STATUS_OK && job->options->connections && !mark->index.source.packed)
		status =
			message_set(job->message, STATUS_FAILED,
				    "--columns-too: the index has no columns (--no-headers); build "
				    "it again with connbits-index --rebuild, or export without");
	if (status == STATUS_OK)
		status = filters_find(job, mark);
	if (status == STATUS_OK)
		status = rows_behind_count(job->log.database, &mark->index, EXPORT_BEHIND_MAX,
					   &mark->watermark.behind, job->message);
	if (status != STATUS_OK)
		return status;
	mark->watermark.source = &mark->index.source;
	mark->watermark.filters = &mark->filters;
	mark->watermark.totals = mark->totals;
	mark->watermark.lacking = mark->lacking;
	mark->watermark.has_connections = job->options->connections;
	status = moment_begin(job->log.database, &mark->index, job->options->log_path, &moment,
			      job->message);
	/* A log of a file of its own is not asked meanwhile. */
	moment_rest(&moment, ANSWER_HOLD_LOG);
	if (status == STATUS_OK)
		status = table_write(job, mark, &moment);
	moment_end(&moment);
	answer_index_rest(&mark->index);
	return status;
}

/* Tables that the index has no more are told of once; those that were not asked for stay known. */
static enum status others_keep(struct export_job *job)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < job->before.table_count; i++) {
		struct manifest_table *known = &job->before.tables[i];
		struct manifest_table *after;

		if (manifest_table_find(&job->after, known->name))
			continue;
		if (!job->options->table) {
			job->marks[job->mark_count++].watermark =
				(struct watermark){.table = known->name,
						   .generation = known->generation,
						   .gone = true};
			continue;
		}
		status = manifest_table_take(&job->after, known->name, &after, job->message);
		if (status != STATUS_OK)
			break;
		memcpy(after->build, known->build, sizeof(after->build));
		after->generation = known->generation;
		after->items = known->items;
		known->items = (struct manifest_items){0};
	}
	return status;
}

static enum status tables_run(struct export_job *job)
{
	const struct export_options *options = job->options;
	enum status status =
		asked_log_open(options->log_path, options->index_path, &job->log, job->message);

	if (status == STATUS_OK)
		status = index_tables_read(job->log.database, job->log.index_name, false,
					   &job->tables, job->message);
	if (status == STATUS_OK)
		job->marks = calloc(job->tables.count + job->before.table_count + 1,
				    sizeof(*job->marks));
	if (status == STATUS_OK && !job->marks)
		status = message_out_of_memory(job->message);
	/* Where there is no table, or not this one, the search says what to do. */
	if (status == STATUS_OK && (options->table || job->tables.count == 0))
		status = table_run(job, options->table);
	for (size_t i = 0; status == STATUS_OK && !options->table && i < job->tables.count; i++)
		status = table_run(job, job->tables.names[i]);
	if (status == STATUS_OK)
		status = others_keep(job);
	if (status == STATUS_OK)
		status = immutable_check(job->log.database, job->message);
	return status;
}

/* Writes the staged text file `name` by means of `write`, and tells of it. */
static enum status text_write(struct export_job *job, const char *name,
			      void (*write)(const struct export_job *job, FILE *stream),
			      struct manifest_file *file)
{
	char *path = export_folder_staged(&job->folder, name);
	FILE *stream = path ? fopen(path, "wxe") : NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	SHA2_CTX digest;
	enum status status = path && memory ? STATUS_OK : message_out_of_memory(job->message);

	if (status == STATUS_OK)
		write(job, memory);
	if (memory && fclose(memory) != 0 && status == STATUS_OK)
		status = message_out_of_memory(job->message);
	if (status == STATUS_OK && (!stream || fwrite(text, 1, size, stream) != size ||
				    fflush(stream) != 0 || fsync(fileno(stream)) != 0))
		status = message_set(job->message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (stream && fclose(stream) != 0 && status == STATUS_OK)
		status = message_set(job->message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (status == STATUS_OK) {
		SHA256Init(&digest);
		SHA256Update(&digest, (const uint8_t *)text, size);
		export_digest_end(&digest, file->sha256);
		file->bytes = size;
	}
	free(text);
	free(path);
	return status;
}

static void watermarks_write(const struct export_job *job, FILE *stream)
{
	for (size_t i = 0; i < job->mark_count; i++) {
		struct watermark watermark = job->marks[i].watermark;

		watermark.sensor = job->after.sensor;
		watermark.series = job->after.series;
		watermark.number = job->after.number;
		watermark.exported_at = job->after.exported_at;
		watermark.files = job->after.files + job->kept_files;
		watermark.file_count = job->after.file_count - job->kept_files;
		watermark_write(&watermark, stream);
	}
}

static void manifest_text_write(const struct export_job *job, FILE *stream)
{
	manifest_write(&job->after, stream);
}

static enum status job_write(struct export_job *job)
{
	const bool connections = job->options->connections;
	struct manifest_file watermark = {0};
	char *name = file_name(job, "watermark.json");
	enum status status = name ? export_folder_stage(&job->folder, job->message)
				  : message_out_of_memory(job->message);

	if (status == STATUS_OK)
		status = native_open(job, "bitmaps.native.zst", export_bitmap_columns,
				     EXPORT_BITMAP_COLUMNS, &job->bitmaps);
	if (status == STATUS_OK && connections)
		status = native_open(job, "connections.native.zst", export_connection_columns,
				     EXPORT_CONNECTION_COLUMNS, &job->connections);
	if (status == STATUS_OK)
		status = tables_run(job);
	if (status == STATUS_OK)
		status = native_end(job, "bitmaps.native.zst", &job->bitmaps);
	if (status == STATUS_OK)
		status = native_end(job, "connections.native.zst", &job->connections);
	if (status == STATUS_OK)
		status = text_write(job, name, watermarks_write, &watermark);
	if (status == STATUS_OK)
		status = manifest_file_add(&job->after, name, watermark.bytes, watermark.sha256,
					   job->message);
	for (size_t i = job->kept_files; status == STATUS_OK && i < job->after.file_count; i++)
		job->summary->bytes += job->after.files[i].bytes;
	free(name);
	return status;
}

static void job_free(struct export_job *job)
{
	native_file_abandon(job->bitmaps);
	native_file_abandon(job->connections);
	for (size_t i = 0; job->marks && i < job->mark_count; i++) {
		answer_index_free(&job->marks[i].index);
		index_filters_free(&job->marks[i].filters);
		free(job->marks[i].totals);
		free(job->marks[i].lacking);
	}
	free(job->marks);
	index_tables_free(&job->tables);
	asked_log_close(&job->log);
	export_folder_close(&job->folder);
	manifest_free(&job->before);
	manifest_free(&job->after);
}

enum status export_run(const struct export_options *options, struct export_summary *summary,
		       struct message *message)
{
	struct manifest_file ignored;
	struct export_job job = {.options = options, .summary = summary, .message = message};
	enum status status = export_folder_open(options->folder, &job.folder, message);

	*summary = (struct export_summary){0};
	if (status == STATUS_OK)
		status = job_begin(&job);
	if (status == STATUS_OK)
		status = job_write(&job);
	if (status == STATUS_OK)
		status = text_write(&job, EXPORT_MANIFEST, manifest_text_write, &ignored);
	if (status == STATUS_OK)
		status = export_folder_publish(&job.folder, message);
	job_free(&job);
	return status;
}
