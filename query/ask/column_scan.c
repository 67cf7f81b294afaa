#include "column_scan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"
#include "database/database_open.h"
#include "engine/segment_encoder.h"
#include "index/column_reader.h"
#include "search_threads.h"

enum {
	/* Segments that a thread takes at once: few, so that all end together. */
	SEGMENTS_AT_ONCE = 4,
	/* Segments that are worth one more connection, which takes some of them as long. */
	SEGMENTS_A_THREAD = 24,
};

/* What some segments gave, in the order of their numbers. */
struct scanned_part {
	int64_t first;
	struct row_set *rows; /* of each program */
};

/* Shared by all threads of a scan. */
struct sharing {
	struct column_scan *scan;
	pthread_mutex_t lock;
	int64_t next; /* the first segment that nobody has taken; guarded, as all that follows is */
	bool exhausted;
	struct scanned_part *parts;
	size_t part_count;
	size_t part_capacity;
	enum status status;
	struct message message;
	atomic_bool cancelled;
};

/* What one thread works with. */
struct scanner {
	struct sharing *sharing;
	struct encoder_options options;
	struct stop cancelled;
	struct column_reader *reader;
	struct segment_encoder *encoder;
	struct row_set *rows; /* of the part that is at hand */
	uint64_t *matches;
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

/* stop is asked on the scanner's thread; NULL: whether the scan was cancelled. */
static enum status scanner_open(struct sharing *sharing, sqlite3 *database, const char *name,
				const struct stop *stop, struct scanner *scanner,
				struct message *message)
{
	const struct column_scan *scan = sharing->scan;
	enum status status;

	*scanner = (struct scanner){
		.sharing = sharing,
		.cancelled = {.asked = is_cancelled, .context = sharing},
		.matches = calloc(scan->count + 1, sizeof(*scanner->matches)),
		.message = message,
	};
	scanner->options = (struct encoder_options){.evaluation = scan->evaluation,
						    .program_count = scan->count,
						    .counts = !scan->rows,
						    .stop = stop ? stop : &scanner->cancelled};
	if (!scanner->matches)
		return message_out_of_memory(message);
	status = segment_encoder_new(&scanner->options, &scanner->encoder, message);
	if (status == STATUS_OK)
		status = column_reader_open(database, name, &scan->index->source, &scanner->reader,
					    message);
	return status;
}

static void scanner_close(struct scanner *scanner)
{
	column_reader_close(scanner->reader);
	segment_encoder_free(scanner->encoder);
	free(scanner->matches);
}

static enum status segment_scan(struct scanner *scanner, int64_t number)
{
	struct segment_columns *columns;
	struct segment_result result;
	struct message cause = {.code = 0};
	enum status status = column_reader_begin(scanner->reader, number, &columns, &cause);

	if (status == STATUS_OK)
		status = segment_encoder_run_columns(scanner->encoder, number, columns, &result,
						     &cause);
	if (status != STATUS_OK)
		return column_reader_damaged(number, &cause, scanner->message);
	scanner->headers += result.outcomes[OUTCOME_HEADER];
	for (size_t i = 0; status == STATUS_OK && i < scanner->options.program_count; i++) {
		scanner->matches[i] += result.containers[i].cardinality;
		if (scanner->rows && result.containers[i].cardinality)
			status = row_set_append(&scanner->rows[i], &result.containers[i],
						scanner->message);
	}
	segment_result_free(&result);
	return status;
}

/* Takes the next segments, of which the first is given; *found is false at the end. */
static enum status part_take(struct scanner *scanner, int64_t *first, int64_t *end, bool *found)
{
	struct sharing *sharing = scanner->sharing;
	enum status status = STATUS_OK;

	*found = false;
	pthread_mutex_lock(&sharing->lock);
	if (sharing->status == STATUS_OK && !sharing->exhausted) {
		status = column_reader_next(scanner->reader, sharing->next, first, found,
					    scanner->message);
		*end = *found ? *first + SEGMENTS_AT_ONCE : 0;
		sharing->exhausted = !*found;
		sharing->next = *end;
	}
	pthread_mutex_unlock(&sharing->lock);
	return status;
}

/* Hands over what a part gave. */
static enum status part_give(struct scanner *scanner, int64_t first)
{
	struct sharing *sharing = scanner->sharing;
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

static enum status segments_scan(struct scanner *scanner, int64_t number, int64_t end)
{
	bool found = true;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && found && number < end) {
		if (stop_asked(scanner->options.stop))
			return search_interrupted(scanner->message);
		status = segment_scan(scanner, number);
		if (status != STATUS_OK || number + 1 >= end)
			break;
		status = column_reader_next(scanner->reader, number + 1, &number, &found,
					    scanner->message);
	}
	return status;
}

static enum status part_scan(struct scanner *scanner, int64_t first, int64_t end)
{
	const size_t count = scanner->options.program_count;
	enum status status;

	scanner->rows = NULL;
	if (scanner->sharing->scan->rows) {
		scanner->rows = calloc(count + 1, sizeof(*scanner->rows));
		if (!scanner->rows)
			return message_out_of_memory(scanner->message);
	}
	status = segments_scan(scanner, first, end);
	if (status == STATUS_OK)
		status = part_give(scanner, first);
	if (status != STATUS_OK) {
		rows_free(scanner->rows, count);
		scanner->rows = NULL;
	}
	return status;
}

static enum status parts_scan(struct scanner *scanner, const struct search_pause *pause)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		int64_t first;
		int64_t end = 0;
		bool found;

		status = search_pause_run(pause, scanner->reader, scanner->message);
		if (status == STATUS_OK)
			status = part_take(scanner, &first, &end, &found);
		if (status != STATUS_OK || !found)
			break;
		status = part_scan(scanner, first, end);
	}
	return status;
}

/* What a thread found counts from now on. */
static void scanner_account(struct scanner *scanner, enum status status)
{
	struct sharing *sharing = scanner->sharing;
	struct column_scan *scan = sharing->scan;

	pthread_mutex_lock(&sharing->lock);
	scan->headers += scanner->headers;
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

/* A connection of the thread's own to the same commit of the index. */
static enum status commit_open(const struct column_scan *scan, sqlite3 **database, bool *same,
			       struct message *message)
{
	const char *path = sqlite3_db_filename(scan->database, scan->index->database_name);
	enum status status = database_open(path, DATABASE_READ_HELP, database, message);

	*same = false;
	if (status == STATUS_OK)
		status = database_execute(*database, "BEGIN", message);
	if (status == STATUS_OK)
		status = index_source_is_current(*database, "main", &scan->index->source, same,
						 message);
	return status;
}

/* One that cannot begin leaves everything to the others. */
static void *helper_run(void *context)
{
	struct sharing *sharing = context;
	struct scanner scanner = {.sharing = sharing};
	struct message message = {.code = 0};
	sqlite3 *database = NULL;
	bool same;

	if (commit_open(sharing->scan, &database, &same, &message) == STATUS_OK && same &&
	    scanner_open(sharing, database, "main", NULL, &scanner, &message) == STATUS_OK)
		scanner_account(&scanner, parts_scan(&scanner, NULL));
	scanner_close(&scanner);
	sqlite3_close(database);
	return NULL;
}

/* How many threads are worth it beside this one. */
static size_t helpers_wanted(const struct column_scan *scan)
{
	const struct index_source *source = &scan->index->source;
	const uint64_t segments =
		((uint64_t)source->last_row - (uint64_t)source->first_row) / SEGMENT_ROWS;
	const size_t threads = search_threads() - 1;

	if (scan->pause || source->first_row > source->last_row ||
	    !database_can_open_beside(scan->database, scan->index->database_name))
		return 0;
	return segments / SEGMENTS_A_THREAD < threads ? (size_t)(segments / SEGMENTS_A_THREAD)
						      : threads;
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
	struct column_scan *scan = sharing->scan;
	const size_t wanted = helpers_wanted(scan);
	pthread_t helpers[SEARCH_THREADS_MAX];
	size_t started = 0;
	struct scanner scanner = {.sharing = sharing};
	enum status status;

	/* Threads that cannot be had are done without. */
	while (started < wanted &&
	       pthread_create(&helpers[started], NULL, helper_run, sharing) == 0)
		started++;
	status = scanner_open(sharing, scan->database, scan->index->database_name, scan->stop,
			      &scanner, message);
	if (status == STATUS_OK)
		status = parts_scan(&scanner, scan->pause);
	scanner.message = message;
	scanner_account(&scanner, status);
	for (size_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	scanner_close(&scanner);
	if (sharing->status != STATUS_OK)
		*message = sharing->message;
	return sharing->status;
}

enum status column_scan_run(struct column_scan *scan, struct message *message)
{
	struct sharing sharing = {.scan = scan,
				  .lock = PTHREAD_MUTEX_INITIALIZER,
				  .next = INT64_MIN,
				  .status = STATUS_OK};
	enum status status = threads_run(&sharing, message);

	if (status == STATUS_OK)
		status = parts_join(&sharing, message);
	for (size_t i = 0; i < sharing.part_count; i++)
		rows_free(sharing.parts[i].rows, scan->count);
	free(sharing.parts);
	pthread_mutex_destroy(&sharing.lock);
	return status;
}
