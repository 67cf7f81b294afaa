#include "stages.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "bitmap/roaring_format.h"
#include "database/database.h"
#include "index/index_file.h"
#include "index/write_batch.h"

enum { BUILD_FLOOR_REPEATS = 32 };

static enum status numbers_list(struct stages *stages, struct message *message)
{
	struct log_reader *reader;
	size_t capacity = 0;
	int64_t next = segment_of(stages->log->first);
	enum status status = log_reader_open(stages->log, &reader, message);

	while (status == STATUS_OK) {
		int64_t number;
		bool found;

		status = log_reader_next_segment(reader, next, &number, &found, message);
		if (status != STATUS_OK || !found)
			break;
		if (stages->number_count == capacity) {
			int64_t *numbers;

			capacity = capacity ? capacity * 2 : 256;
			numbers = realloc(stages->numbers, capacity * sizeof(*numbers));
			if (!numbers) {
				status = message_out_of_memory(message);
				break;
			}
			stages->numbers = numbers;
		}
		stages->numbers[stages->number_count++] = number;
		next = number + 1;
	}
	log_reader_close(reader);
	return status;
}

static enum status segments_hold(struct stages *stages, struct message *message)
{
	struct log_reader *reader;
	enum status status = log_reader_open(stages->log, &reader, message);

	stages->segments = calloc(STAGES_SEGMENTS_MAX, sizeof(*stages->segments));
	stages->packed = calloc(STAGES_SEGMENTS_MAX, sizeof(*stages->packed));
	if ((!stages->segments || !stages->packed) && status == STATUS_OK)
		status = message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < stages->number_count; i++) {
		struct segment *segment;

		if (i == STAGES_SEGMENTS_MAX)
			break;
		segment = segment_new();
		if (!segment) {
			status = message_out_of_memory(message);
			break;
		}
		stages->segments[stages->segment_count++] = segment;
		status = log_reader_segment(reader, stages->numbers[i], segment, message);
		if (status == STATUS_OK)
			status = evaluation_pack(segment, &stages->packed[i], message);
		stages->rows_held += segment->outcomes[OUTCOME_HEADER];
	}
	log_reader_close(reader);
	return status;
}

enum status stages_open(struct stages *stages, const struct log *log,
			const struct filter_set *filters, struct message *message)
{
	enum status status;

	struct stat file;

	*stages = (struct stages){.log = log, .filters = filters, .threads = 1};
	if (stat(log->path, &file) == 0)
		stages->file_bytes = (uint64_t)file.st_size;
	if (log->empty)
		return message_set(message, STATUS_FAILED, "%s: no rows to measure", log->path);
	status = numbers_list(stages, message);
	if (status == STATUS_OK)
		status = segments_hold(stages, message);
	if (status == STATUS_OK && stages->rows_held == 0)
		status = message_set(message, STATUS_FAILED, "%s: no row has a header", log->path);
	return status;
}

void stages_free(struct stages *stages)
{
	for (size_t i = 0; i < stages->segment_count; i++) {
		segment_free(stages->segments[i]);
		free(stages->packed[i].bytes);
	}
	free(stages->segments);
	free(stages->packed);
	free(stages->numbers);
}

void stages_keep_first(enum status *status, struct message *message, enum status new_status,
		       const struct message *new_message)
{
#pragma omp critical(connbits_stages)
	if (*status == STATUS_OK && new_status != STATUS_OK) {
		*status = new_status;
		*message = *new_message;
	}
}

enum status stages_read(struct stages *stages, enum log_read read, double *seconds,
			struct message *message)
{
	enum status result = STATUS_OK;
	double start = clock_seconds();
	uint64_t rows = 0;
	uint64_t by_page = 0;
	struct log log = *stages->log;

	log.read = read;
#pragma omp parallel num_threads(stages->threads) reduction(+ : rows, by_page)
	{
		struct log_reader *reader;
		struct message own;
		struct segment *segment = segment_new();
		enum status status = log_reader_open(&log, &reader, &own);

		if (status == STATUS_OK && !segment)
			status = message_out_of_memory(&own);
#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < stages->number_count; i++) {
			if (status != STATUS_OK)
				continue;
			status = log_reader_segment(reader, stages->numbers[i], segment, &own);
			for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
				rows += segment->outcomes[outcome];
		}
		stages_keep_first(&result, message, status, &own);
		if (reader)
			by_page += log_reader_reading(reader).by_page;
		log_reader_close(reader);
		segment_free(segment);
	}
	*seconds = clock_seconds() - start;
	stages->rows_read = rows;
	stages->by_page = by_page == rows;
	return result;
}

/* Steps over a segment's rows and fetches each column as what it is, and nothing more. */
static enum status bare_segment(sqlite3_stmt *statement, int64_t number, uint64_t *sum,
				struct message *message)
{
	enum status status;
	int row;

	sqlite3_bind_int64(statement, 1, segment_first_row(number));
	sqlite3_bind_int64(statement, 2, segment_last_row(number));
	for (;;) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		for (int column = 0; column <= ROLE_COUNT; column++) {
			switch (sqlite3_column_type(statement, column)) {
			case SQLITE_NULL:
				break;
			case SQLITE_INTEGER:
				*sum += (uint64_t)sqlite3_column_int64(statement, column);
				break;
			default:
				*sum += *sqlite3_column_text(statement, column);
				*sum += (uint64_t)sqlite3_column_bytes(statement, column);
			}
		}
	}
	sqlite3_reset(statement);
	return status;
}

enum status stages_read_floor(struct stages *stages, double *seconds, struct message *message)
{
	enum status result = STATUS_OK;
	double start = clock_seconds();
	volatile uint64_t kept;
	uint64_t sum = 0;

#pragma omp parallel num_threads(stages->threads) reduction(+ : sum)
	{
		struct message own;
		struct log_reader *reader;
		enum status status = log_reader_open(stages->log, &reader, &own);

#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < stages->number_count; i++)
			if (status == STATUS_OK)
				status = bare_segment(log_reader_statement(reader),
						      stages->numbers[i], &sum, &own);
		stages_keep_first(&result, message, status, &own);
		log_reader_close(reader);
	}
	*seconds = clock_seconds() - start;
	kept = sum;
	(void)kept;
	return result;
}

/* Rows as they come from the log. So few that they lie in a cache, as one does that was just read.
 */
enum { HELD_ROWS = 2048 };

struct held_rows {
	struct field *fields; /* ROLE_COUNT a row */
	size_t count;
	char *text;
};

static void held_rows_free(struct held_rows *held)
{
	free(held->fields);
	free(held->text);
}

static enum status held_rows_read(const struct stages *stages, struct held_rows *held,
				  struct message *message)
{
	enum { TEXT_MAX = HELD_ROWS * 512 };
	const int64_t first = segment_first_row(stages->numbers[0]);
	size_t used = 0;
	struct log_reader *reader;
	sqlite3_stmt *statement = NULL;
	int row = 1;
	enum status status = log_reader_open(stages->log, &reader, message);

	*held = (struct held_rows){
		.fields = calloc((size_t)HELD_ROWS * ROLE_COUNT, sizeof(struct field)),
		.text = malloc(TEXT_MAX),
	};
	if (status == STATUS_OK && (!held->fields || !held->text))
		status = message_out_of_memory(message);
	if (status == STATUS_OK) {
		statement = log_reader_statement(reader);
		sqlite3_bind_int64(statement, 1, first);
		sqlite3_bind_int64(statement, 2, first + (SEGMENT_ROWS - 1));
	}
	while (status == STATUS_OK && row && held->count < HELD_ROWS && used < TEXT_MAX / 2) {
		struct field *fields = held->fields + held->count * ROLE_COUNT;

		status = database_step(statement, &row, message);
		for (int role = 0; status == STATUS_OK && row && role < ROLE_COUNT; role++) {
			int type = sqlite3_column_type(statement, role + 1);
			size_t length;

			fields[role].kind = FIELD_NULL;
			if (type == SQLITE_INTEGER) {
				fields[role].kind = FIELD_INTEGER;
				fields[role].integer = sqlite3_column_int64(statement, role + 1);
			} else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
				const void *text =
					type == SQLITE_TEXT
						? (const void *)sqlite3_column_text(statement,
										    role + 1)
						: sqlite3_column_blob(statement, role + 1);

				length = (size_t)sqlite3_column_bytes(statement, role + 1);
				if (!text || length > TEXT_MAX - used)
					continue;
				memcpy(held->text + used, text, length);
				fields[role].kind = type == SQLITE_TEXT ? FIELD_TEXT : FIELD_BLOB;
				fields[role].text = held->text + used;
				fields[role].length = length;
				used += length;
			}
		}
		held->count += row != 0;
	}
	log_reader_close(reader);
	return status;
}

/* Builds a whole segment of the rows, over and over. */
static void held_rows_build(const struct stages *stages, const struct held_rows *held,
			    struct connection_memo *memo, struct segment *segment)
{
	size_t next = 0;

	segment_reset(segment, 0);
	for (size_t row = 0; row < SEGMENT_ROWS; row++) {
		struct connection connection;
		const enum outcome outcome =
			connection_read_next(memo, held->fields + next * ROLE_COUNT,
					     &stages->log->layout.reading, &connection);

		segment_append(segment, (uint16_t)row, outcome, &connection);
		next = next + 1 < held->count ? next + 1 : 0;
	}
}

enum status stages_build(struct stages *stages, double *seconds, double *floor_seconds,
			 uint64_t *rows, struct message *message)
{
	struct connection_memo *memo = connection_memo_new();
	struct held_rows held;
	struct segment *segment = segment_new();
	struct segment *copy = segment_new();
	enum status status = held_rows_read(stages, &held, message);
	double start;

	*seconds = *floor_seconds = 0;
	*rows = 0;
	if (status == STATUS_OK && (!memo || !segment || !copy))
		status = message_out_of_memory(message);
	if (status != STATUS_OK || held.count == 0)
		goto cleanup;
	/* The first time pays for fresh memory. */
	held_rows_build(stages, &held, memo, segment);
	start = clock_seconds();
	held_rows_build(stages, &held, memo, segment);
	*seconds = clock_seconds() - start;
	/* Too short to be timed once; the first copy also pays for fresh memory. */
	for (int repeat = 0; repeat <= BUILD_FLOOR_REPEATS; repeat++) {
		if (repeat == 1)
			start = clock_seconds();
		for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
			memcpy(copy->headers[i].bytes, segment->headers[i].bytes,
			       segment->headers[i].rows * segment->headers[i].stride);
	}
	*floor_seconds = (clock_seconds() - start) / (double)BUILD_FLOOR_REPEATS;
	*rows = SEGMENT_ROWS;
cleanup:
	connection_memo_free(memo);
	held_rows_free(&held);
	segment_free(segment);
	segment_free(copy);
	return status;
}

/* The blobs of every filter, a chunk for each segment held: what a job stores. */
struct blobs {
	struct write_bitmap *bitmaps;
	size_t count;
	size_t bytes;
};

static void blobs_free(struct blobs *blobs)
{
	for (size_t i = 0; i < blobs->count; i++)
		free((void *)blobs->bitmaps[i].bytes);
	free(blobs->bitmaps);
}

static enum status blob_add(struct blobs *blobs, size_t filter, const struct container *container,
			    uint8_t *scratch, struct message *message)
{
	struct write_bitmap *bitmap = &blobs->bitmaps[blobs->count];
	uint8_t *bytes;

	if (container->cardinality == 0)
		return STATUS_OK;
	bitmap->filter = (int64_t)filter;   /* its place; blobs_store gives its id */
	bitmap->chunk = container->segment; /* distinct; nobody reads this index */
	bitmap->size = roaring_format_encode(container, 1, scratch, &bitmap->rows);
	bytes = malloc(bitmap->size);
	if (!bytes)
		return message_out_of_memory(message);
	memcpy(bytes, scratch, bitmap->size);
	bitmap->bytes = bytes;
	blobs->bytes += bitmap->size;
	blobs->count++;
	return STATUS_OK;
}

static enum status blobs_make(const struct stages *stages, const struct evaluation *evaluation,
			      struct blobs *blobs, struct message *message)
{
	const size_t filters = stages->filters->count;
	struct evaluator *evaluator = NULL;
	struct segment_bits *bits = malloc(sizeof(*bits));
	uint8_t *encoded = malloc(CONTAINER_BYTES_MAX);
	uint8_t *scratch = malloc(CHUNK_BYTES_MAX);
	enum status status = STATUS_OK;

	*blobs = (struct blobs){0};
	blobs->bitmaps = calloc(stages->segment_count * filters + 1, sizeof(*blobs->bitmaps));
	if (!bits || !encoded || !scratch || !blobs->bitmaps)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = evaluator_new(evaluation, &evaluator, message);
	for (size_t i = 0; status == STATUS_OK && i < stages->segment_count; i++) {
		status = evaluator_read(evaluator, stages->segments[i], message);
		for (size_t filter = 0; status == STATUS_OK && filter < filters; filter++) {
			struct container container;

			evaluator_bits(evaluator, filter, bits);
			container_encode(stages->segments[i]->number, bits,
					 evaluation_kernels(evaluation), encoded, &container);
			status = blob_add(blobs, filter, &container, scratch, message);
		}
	}
	evaluator_free(evaluator);
	free(bits);
	free(encoded);
	free(scratch);
	return status;
}

/* Makes an index without rows to store bitmaps in. */
static enum status index_begin(const struct stages *stages, sqlite3 *database,
			       struct index_write_filter *filters, struct message *message)
{
	struct index_source source = {0};
	enum status status;

	for (size_t i = 0; i < stages->filters->count; i++)
		filters[i] = (struct index_write_filter){.name = stages->filters->items[i].name,
							 .expression = "",
							 .description = ""};
	status = index_write_source_begin(database, &stages->log->layout, &source, message);
	if (status == STATUS_OK)
		status = index_write_filters_add(database, source.id, filters,
						 stages->filters->count, message);
	return status;
}

static enum status blobs_store(const struct stages *stages, struct blobs *blobs, const char *path,
			       double *seconds, struct message *message)
{
	struct index_file *file = NULL;
	struct index_write_filter *filters = calloc(stages->filters->count + 1, sizeof(*filters));
	struct write_commit commit = {.bitmaps = blobs->bitmaps, .bitmap_count = blobs->count};
	enum status status =
		filters ? index_file_open(path, &file, message) : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = index_file_tables(file, "UTF-8", message);
	if (status == STATUS_OK)
		status = index_begin(stages, index_file_database(file), filters, message);
	if (status == STATUS_OK) {
		double start;

		for (size_t i = 0; i < blobs->count; i++)
			blobs->bitmaps[i].filter = filters[blobs->bitmaps[i].filter].id;
		start = clock_seconds();
		status = write_commit_run(index_file_database(file), &commit, message);
		*seconds = clock_seconds() - start;
	}
	free(filters);
	index_file_close(file);
	unlink(path);
	return status;
}

static enum status blobs_write(const struct blobs *blobs, const char *path, double *seconds,
			       struct message *message)
{
	double start = clock_seconds();
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written = file >= 0;

	for (size_t i = 0; written && i < blobs->count; i++)
		written = write(file, blobs->bitmaps[i].bytes, blobs->bitmaps[i].size) ==
			  (ssize_t)blobs->bitmaps[i].size;
	written = written && fsync(file) == 0;
	*seconds = clock_seconds() - start;
	if (!written)
		message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (file >= 0) {
		close(file);
		unlink(path);
	}
	return written ? STATUS_OK : STATUS_FAILED;
}

enum status stages_store(struct stages *stages, const struct evaluation *evaluation,
			 const char *path, double *seconds, double *floor_seconds,
			 struct message *message)
{
	struct blobs blobs;
	enum status status = blobs_make(stages, evaluation, &blobs, message);

	if (status == STATUS_OK)
		status = blobs_store(stages, &blobs, path, seconds, message);
	if (status == STATUS_OK)
		status = blobs_write(&blobs, path, floor_seconds, message);
	stages->bytes_stored = blobs.bytes;
	blobs_free(&blobs);
	return status;
}
