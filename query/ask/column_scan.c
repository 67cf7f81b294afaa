#include "column_scan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "engine/segment_encoder.h"
#include "index/column_file.h"
#include "index/column_reader.h"
#include "search_threads.h"

enum {
	/* Segments that a thread takes at once: few, so that all end together. */
	SEGMENTS_AT_ONCE = 4,
	/* Segments that are worth one more thread, which takes some of them as long to begin. */
	SEGMENTS_A_THREAD = 16,
};

/* What some segments gave, in the order of their numbers. */
struct scanned_part {
	size_t first;	      /* place of the first segment */
	struct row_set *rows; /* of each program */
};

/* Shared by all threads of a scan. */
struct sharing {
	struct column_scan *scan;
	struct column_file *file; /* the scanning thread's own, and what the others' are of */
	pthread_mutex_t lock;
	size_t next; /* the first segment that nobody has taken; guarded, as all that follows is */
	struct scanned_part *parts;
	size_t part_count;
	size_t part_capacity;
	uint64_t headers;
	enum status status;
	struct message message;
	atomic_bool cancelled;
};

/* What one thread works with. */
struct scanner {
	struct encoder_options options;
	struct stop cancelled;
	struct segment_encoder *encoder;
	struct row_set *rows; /* where rows are wanted: of each program */
	uint64_t *matches;    /* of each program */
	uint64_t headers;
	struct message *message;
};

static bool is_cancelled(void *context)
{
	const struct sharing *sharing = context;

	return atomic_load_explicit(&sharing->cancelled, memory_order_relaxed);
}

static void rows_free(struct row_set *rows, size_t count)
{
	for (size_t i = 0; rows && i < count; i++)
		row_set_free(&rows[i]);
	free(rows);
}

/* stop is asked on the scanner's thread. */
static enum status scanner_open(const struct column_scan *scan, const struct stop *stop,
				struct scanner *scanner, struct message *message)
{
	*scanner = (struct scanner){
		.options = {.evaluation = scan->evaluation,
			    .program_count = scan->count,
			    .counts = !scan->rows,
			    .stop = stop},
		.matches = calloc(scan->count + 1, sizeof(*scanner->matches)),
		.message = message,
	};
	if (!scanner->matches)
		return message_out_of_memory(message);
	return segment_encoder_new(&scanner->options, &scanner->encoder, message);
}

static void scanner_close(struct scanner *scanner)
{
	segment_encoder_free(scanner->encoder);
	free(scanner->matches);
}

static enum status segment_scan(void *context, int64_t number, struct segment_columns *columns,
				struct message *message)
{
	struct scanner *scanner = context;
	struct segment_result result;
	struct message cause = {.code = 0};
	enum status status =
		segment_encoder_run_columns(scanner->encoder, number, columns, &result, &cause);

	if (status != STATUS_OK)
		return column_reader_damaged(number, &cause, message);
	scanner->headers += result.outcomes[OUTCOME_HEADER];
	for (size_t i = 0; status == STATUS_OK && i < scanner->options.program_count; i++) {
		scanner->matches[i] += result.containers[i].cardinality;
		if (scanner->rows && result.containers[i].cardinality)
			status = row_set_append(&scanner->rows[i], &result.containers[i], message);
	}
	segment_result_free(&result);
	return status;
}

static void scan_account(struct column_scan *scan, const struct scanner *scanner)
{
	scan->headers = scanner->headers;
	for (size_t i = 0; scan->matches && i < scan->count; i++)
		scan->matches[i] = scanner->matches[i];
}

static enum status scan_through_sqlite(struct column_scan *scan, struct message *message)
{
	struct column_reader *reader = NULL;
	struct scanner scanner;
	enum status status = scanner_open(scan, scan->stop, &scanner, message);

	scanner.rows = scan->rows;
	if (status == STATUS_OK)
		status = column_reader_open(scan->database, scan->index->database_name,
					    &scan->index->source, &reader, message);
	if (status == STATUS_OK)
		status = segment_walk(reader, scan->stop, scan->pause, segment_scan, &scanner,
				      message);
	if (status == STATUS_OK)
		scan_account(scan, &scanner);
	column_reader_close(reader);
	scanner_close(&scanner);
	return status;
}

/* Takes the next segments; false at the end. */
static bool part_take(struct sharing *sharing, size_t *first, size_t *end)
{
	const size_t segments = column_file_segments(sharing->file);
	bool taken;

	pthread_mutex_lock(&sharing->lock);
	taken = sharing->status == STATUS_OK && sharing->next < segments;
	if (taken) {
		const size_t left = segments - sharing->next;

		*first = sharing->next;
		sharing->next += left < SEGMENTS_AT_ONCE ? left : SEGMENTS_AT_ONCE;
		*end = sharing->next;
	}
	pthread_mutex_unlock(&sharing->lock);
	return taken;
}

/* Hands over what a part gave. */
static enum status part_give(struct sharing *sharing, struct scanner *scanner, size_t first)
{
	bool room = true;

	if (!scanner->rows)
		return STATUS_OK;
	pthread_mutex_lock(&sharing->lock);
	if (sharing->part_count == sharing->part_capacity) {
		const size_t capacity = sharing->part_capacity * 2 + 64;
		struct scanned_part *larger = realloc(sharing->parts, capacity * sizeof(*larger));

		room = larger != NULL;
		sharing->parts = room ? larger : sharing->parts;
		sharing->part_capacity = room ? capacity : sharing->part_capacity;
	}
	if (room) {
		sharing->parts[sharing->part_count++] = (struct scanned_part){first, scanner->rows};
		scanner->rows = NULL;
	}
	pthread_mutex_unlock(&sharing->lock);
	return room ? STATUS_OK : message_out_of_memory(scanner->message);
}

static enum status part_scan(struct sharing *sharing, struct column_file *file,
			     struct scanner *scanner, size_t first, size_t end)
{
	const struct column_scan *scan = sharing->scan;
	enum status status = STATUS_OK;

	scanner->rows = NULL;
	if (scan->rows && !(scanner->rows = calloc(scan->count + 1, sizeof(*scanner->rows))))
		return message_out_of_memory(scanner->message);
	for (size_t place = first; status == STATUS_OK && place < end; place++) {
		int64_t number;
		struct segment_columns *columns = column_file_begin(file, place, &number);

		if (stop_asked(scanner->options.stop))
			status = search_interrupted(scanner->message);
		else
			status = segment_scan(scanner, number, columns, scanner->message);
	}
	if (status == STATUS_OK)
		status = part_give(sharing, scanner, first);
	if (status != STATUS_OK) {
		rows_free(scanner->rows, scan->count);
		scanner->rows = NULL;
	}
	return status;
}

/* What a thread found counts from now on. */
static void sharing_account(struct sharing *sharing, const struct scanner *scanner,
			    enum status status)
{
	struct column_scan *scan = sharing->scan;

	pthread_mutex_lock(&sharing->lock);
	sharing->headers += scanner->headers;
	for (size_t i = 0; scan->matches && i < scan->count; i++)
		scan->matches[i] += scanner->matches[i];
	if (status != STATUS_OK && sharing->status == STATUS_OK) {
		sharing->status = status;
		sharing->message = *scanner->message;
	}
	pthread_mutex_unlock(&sharing->lock);
	if (status != STATUS_OK)
		atomic_store(&sharing->cancelled, true);
}

static void parts_scan(struct sharing *sharing, struct column_file *file, const struct stop *stop)
{
	struct message message = {.code = 0};
	struct scanner scanner;
	enum status status = scanner_open(sharing->scan, stop, &scanner, &message);
	size_t first;
	size_t end;

	while (status == STATUS_OK && part_take(sharing, &first, &end))
		status = part_scan(sharing, file, &scanner, first, end);
	if (scanner.matches)
		sharing_account(sharing, &scanner, status);
	scanner_close(&scanner);
}

/* One that cannot begin leaves everything to the others. */
static void *helper_run(void *context)
{
	struct sharing *sharing = context;
	const struct stop stop = {.asked = is_cancelled, .context = sharing};
	struct column_file *file = column_file_again(sharing->file);

	if (file)
		parts_scan(sharing, file, &stop);
	column_file_close(file);
	return NULL;
}

static size_t helpers_wanted(const struct sharing *sharing)
{
	const size_t worth = column_file_segments(sharing->file) / SEGMENTS_A_THREAD;
	const size_t threads = search_threads() - 1;

	return worth < threads ? worth : threads;
}

static int compare_parts(const void *a, const void *b)
{
	const struct scanned_part *x = a;
	const struct scanned_part *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Joins what the parts gave, in the order of their segments. */
static enum status parts_join(struct sharing *sharing, struct message *message)
{
	struct column_scan *scan = sharing->scan;
	enum status status = STATUS_OK;

	if (sharing->part_count)
		qsort(sharing->parts, sharing->part_count, sizeof(*sharing->parts), compare_parts);
	for (size_t i = 0; status == STATUS_OK && i < sharing->part_count; i++)
		for (size_t j = 0; status == STATUS_OK && j < scan->count; j++)
			status = row_set_join(&scan->rows[j], &sharing->parts[i].rows[j], message);
	return status;
}

static enum status threads_run(struct sharing *sharing, struct message *message)
{
	const size_t wanted = helpers_wanted(sharing);
	pthread_t helpers[SEARCH_THREADS_MAX];
	size_t started = 0;

	/* Threads that cannot be had are done without. */
	while (started < wanted && search_thread_start(&helpers[started], helper_run, sharing))
		started++;
	parts_scan(sharing, sharing->file, sharing->scan->stop);
	for (size_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	if (sharing->status != STATUS_OK)
		*message = sharing->message;
	return sharing->status;
}

static enum status scan_the_file(struct column_scan *scan, struct column_file *file,
				 struct message *message)
{
	struct sharing sharing = {
		.scan = scan, .file = file, .lock = PTHREAD_MUTEX_INITIALIZER, .status = STATUS_OK};
	enum status status = threads_run(&sharing, message);

	if (status == STATUS_OK && column_file_moved(file))
		status = message_set(message, STATUS_FAILED,
				     "the index was replaced while it was read; run again");
	if (status == STATUS_OK)
		status = parts_join(&sharing, message);
	scan->headers = sharing.headers;
	for (size_t i = 0; i < sharing.part_count; i++)
		rows_free(sharing.parts[i].rows, scan->count);
	free(sharing.parts);
	pthread_mutex_destroy(&sharing.lock);
	return status;
}

/* Whether a scan ends within a few hundredths of a second, so that it need not pause. */
static bool is_short(const struct index_source *source)
{
	enum { SEGMENTS_MAX = 512 };
	const uint64_t span = (uint64_t)source->last_row - (uint64_t)source->first_row;

	return source->first_row <= source->last_row && span / SEGMENT_ROWS < SEGMENTS_MAX;
}

enum status column_scan_run(struct column_scan *scan, struct message *message)
{
	struct column_file *file = NULL;
	enum status status = STATUS_OK;

	if (!scan->pause || is_short(&scan->index->source))
		status = column_file_open(scan->database, scan->index->database_name,
					  &scan->index->source, &file, message);
	if (status != STATUS_OK)
		return status;
	if (file) {
		status = scan_the_file(scan, file, message);
		column_file_close(file);
		/* Whatever else was wrong with the file, SQLite is to say. */
		if (status == STATUS_OK || message_is_passing(message))
			return status;
		for (size_t i = 0; scan->rows && i < scan->count; i++)
			row_set_free(&scan->rows[i]);
		for (size_t i = 0; scan->matches && i < scan->count; i++)
			scan->matches[i] = 0;
	}
	return scan_through_sqlite(scan, message);
}
