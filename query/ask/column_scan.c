#include "column_scan.h"

#include <stdlib.h>

#include "engine/segment_encoder.h"
#include "index/column_reader.h"
#include "segment_threads.h"

/* What some segments gave, in the order of their numbers. */
struct scanned_part {
	size_t first;	      /* place of the first segment */
	struct row_set *rows; /* of each program and question */
};

/* Shared by all threads of a scan. */
struct scanning {
	struct column_scan *scan;
	struct scanned_part *parts;
	size_t part_count;
	size_t part_capacity;
};

/* What one thread works with. */
struct scanner {
	struct encoder_options options;
	struct segment_encoder *encoder;
	bool wants_rows;
	struct row_set *rows; /* of the part at hand; NULL before its first segment */
	uint64_t *matches;    /* of each program and question */
	uint64_t headers;
};

/* Sets of rows that there are, or counts. */
static size_t answers_of(const struct column_scan *scan)
{
	return scan->count + scan->question_count;
}

static void rows_free(struct row_set *rows, size_t count)
{
	for (size_t i = 0; rows && i < count; i++)
		row_set_free(&rows[i]);
	free(rows);
}

static size_t scanner_answers(const struct scanner *scanner)
{
	return scanner->options.program_count + scanner->options.question_count;
}

static void scanner_free(struct scanner *scanner)
{
	rows_free(scanner->rows, scanner_answers(scanner));
	segment_encoder_free(scanner->encoder);
	free(scanner->matches);
	free(scanner);
}

static enum status scanner_open(void *shared, const struct stop *stop, void **own,
				struct message *message)
{
	const struct column_scan *scan = ((struct scanning *)shared)->scan;
	struct scanner *scanner = calloc(1, sizeof(*scanner));
	enum status status;

	if (!scanner)
		return message_out_of_memory(message);
	scanner->options = (struct encoder_options){.evaluation = scan->evaluation,
						    .program_count = scan->count,
						    .questions = scan->questions,
						    .question_count = scan->question_count,
						    .counts = !scan->rows,
						    .stop = stop};
	scanner->wants_rows = scan->rows != NULL;
	scanner->matches = calloc(answers_of(scan) + 1, sizeof(*scanner->matches));
	status = scanner->matches
			 ? segment_encoder_new(&scanner->options, &scanner->encoder, message)
			 : message_out_of_memory(message);
	if (status == STATUS_OK)
		*own = scanner;
	else
		scanner_free(scanner);
	return status;
}

static enum status segment_scan(void *own, int64_t number, struct segment_columns *columns,
				struct message *message)
{
	struct scanner *scanner = own;
	const size_t answers = scanner_answers(scanner);
	struct segment_result result;
	struct message cause = {.code = 0};
	enum status status;

	if (scanner->wants_rows && !scanner->rows &&
	    !(scanner->rows = calloc(answers + 1, sizeof(*scanner->rows))))
		return message_out_of_memory(message);
	status = segment_encoder_run_columns(scanner->encoder, number, columns, &result, &cause);
	if (status != STATUS_OK)
		return column_reader_damaged(number, &cause, message);
	scanner->headers += result.outcomes[OUTCOME_HEADER];
	for (size_t i = 0; status == STATUS_OK && i < answers; i++) {
		scanner->matches[i] += result.containers[i].cardinality;
		if (scanner->rows && result.containers[i].cardinality)
			status = row_set_append(&scanner->rows[i], &result.containers[i], message);
	}
	segment_result_free(&result);
	return status;
}

static enum status part_give(void *shared, void *own, size_t first, struct message *message)
{
	struct scanning *scanning = shared;
	struct scanner *scanner = own;

	if (!scanner->rows)
		return STATUS_OK;
	if (scanning->part_count == scanning->part_capacity) {
		const size_t capacity = scanning->part_capacity * 2 + 64;
		struct scanned_part *larger = realloc(scanning->parts, capacity * sizeof(*larger));

		if (!larger)
			return message_out_of_memory(message);
		scanning->parts = larger;
		scanning->part_capacity = capacity;
	}
	scanning->parts[scanning->part_count++] = (struct scanned_part){first, scanner->rows};
	scanner->rows = NULL;
	return STATUS_OK;
}

static void scanner_close(void *shared, void *own)
{
	struct column_scan *scan = ((struct scanning *)shared)->scan;
	struct scanner *scanner = own;

	scan->headers += scanner->headers;
	for (size_t i = 0; scan->matches && i < answers_of(scan); i++)
		scan->matches[i] += scanner->matches[i];
	scanner_free(scanner);
}

static void parts_drop(struct scanning *scanning)
{
	for (size_t i = 0; i < scanning->part_count; i++)
		rows_free(scanning->parts[i].rows, answers_of(scanning->scan));
	scanning->part_count = 0;
}

static void scanning_reset(void *shared)
{
	struct scanning *scanning = shared;
	struct column_scan *scan = scanning->scan;

	parts_drop(scanning);
	scan->headers = 0;
	for (size_t i = 0; scan->matches && i < answers_of(scan); i++)
		scan->matches[i] = 0;
}

static int compare_parts(const void *a, const void *b)
{
	const struct scanned_part *x = a;
	const struct scanned_part *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Joins what the parts gave, in the order of their segments. */
static enum status parts_join(struct scanning *scanning, struct message *message)
{
	struct column_scan *scan = scanning->scan;
	enum status status = STATUS_OK;

	if (scanning->part_count)
		qsort(scanning->parts, scanning->part_count, sizeof(*scanning->parts),
		      compare_parts);
	for (size_t i = 0; status == STATUS_OK && i < scanning->part_count; i++)
		for (size_t j = 0; status == STATUS_OK && j < answers_of(scan); j++)
			status = row_set_join(&scan->rows[j], &scanning->parts[i].rows[j], message);
	return status;
}

enum status column_scan_run(struct column_scan *scan, struct message *message)
{
	struct scanning scanning = {.scan = scan};
	const struct segment_work work = {.shared = &scanning,
					  .open = scanner_open,
					  .visit = segment_scan,
					  .give = part_give,
					  .close = scanner_close,
					  .reset = scanning_reset};
	const struct segment_threads run = {.database = scan->database,
					    .index = scan->index,
					    .work = &work,
					    .stop = scan->stop,
					    .pause = scan->pause};
	enum status status = segment_threads_run(&run, message);

	if (status == STATUS_OK)
		status = parts_join(&scanning, message);
	parts_drop(&scanning);
	free(scanning.parts);
	return status;
}
