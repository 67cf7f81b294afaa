#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "bitmap/roaring_format.h"
#include "catalogue/filter_set.h"
#include "database/database_open.h"
#include "index/bitmap_reader.h"
#include "index/index_format.h"
#include "index/index_reader.h"
#include "index/index_writer.h"
#include "index/stored_headers.h"
#include "log/log_reader.h"
#include "packet/header.h"
#include "verify_days.h"
#include "verify_rows.h"

enum {
	GRID_POINTS = 100,
	/* Filters whose chunks lie in memory together: 64 MiB at the most. The rows are read
	 * again for the next ones.
	 */
	GROUP_FILTERS = 512,
	/* Rows that are read in one transaction, for which a writer of the log may wait. */
	HELD_ROWS = 1024,
};

struct verification {
	struct verify_summary *summary;
	struct message *message;
	sqlite3 *index;
	struct index_source stored;
	bool timed;		      /* the log has times */
	struct index_filters filters; /* @all and @skipped among them */
	struct filter_set programs;
	struct verify_rows expressions; /* what those of them that are none say */
	size_t *number_of; /* by filter: its place in programs, SIZE_MAX of @all and @skipped */
	struct bitmap_reader *cursor;
	size_t begin;		   /* the group: filters from here */
	size_t end;		   /* and before there */
	uint64_t rows;		   /* compared with the group */
	struct kept_chunk *loaded; /* by place in the group, of one chunk */
	int64_t chunk;
	bool chunk_loaded;
	uint64_t *matches;		/* by filter, of all rows compared */
	size_t held;			/* rows of the transaction that is open; 0: none is */
	int64_t first;			/* the first row that was compared: earlier ones are gone */
	struct stored_headers *headers; /* NULL of an index without */
};

static bool expected(const struct verification *verification, size_t filter,
		     const struct compared_row *subject)
{
	const size_t number = verification->number_of[filter];
	const struct filter_entry *entry =
		number == SIZE_MAX ? NULL : &verification->programs.items[number];

	if (entry && entry->kind == FILTER_ROWS)
		return verification->expressions.results[number];
	if (entry)
		return subject->outcome == OUTCOME_HEADER &&
		       program_matches(&entry->program, subject->header,
				       header_wire_length(subject->header),
				       (uint32_t)subject->captured);
	if (strcmp(verification->filters.items[filter].name, INDEX_ALL) == 0)
		return subject->outcome == OUTCOME_HEADER;
	return outcome_is_skipped(subject->outcome);
}

static enum status chunk_load(struct verification *verification, int64_t chunk)
{
	enum status status = STATUS_OK;

	if (verification->chunk_loaded && verification->chunk == chunk)
		return STATUS_OK;
	verification->chunk = chunk;
	verification->chunk_loaded = true;
	for (size_t i = verification->begin; status == STATUS_OK && i < verification->end; i++) {
		struct kept_chunk *loaded = &verification->loaded[i - verification->begin];

		struct stored_chunk stored;

		bitmap_reader_seek(verification->cursor, verification->filters.items[i].id, chunk,
				   chunk);
		status = bitmap_reader_next(verification->cursor, &stored, verification->message);
		if (status == STATUS_OK)
			status = kept_chunk_take(loaded, &stored, verification->message);
	}
	return status;
}

static bool chunk_contains(const struct stored_chunk *stored, int64_t rowid)
{
	const struct container *container =
		&stored->containers[segment_key(segment_of(rowid)) % CHUNK_SEGMENTS];

	return container->cardinality && container_has(container, segment_place(rowid));
}

/* Holds the stored header and time of a row against what its row says. */
static enum status header_compare(struct verification *verification,
				  const struct compared_row *subject)
{
	const uint8_t *stored;
	size_t captured;
	bool same;
	enum status status;

	if (!verification->headers)
		return STATUS_OK;
	status = stored_headers_find(verification->headers, subject->rowid, &stored, &captured,
				     verification->message);
	if (status != STATUS_OK)
		return status;
	same = subject->outcome == OUTCOME_HEADER
		       ? stored && captured == subject->captured &&
				 memcmp(stored, subject->header, captured) == 0
		       : !stored;
	if (same && (!stored || stored_headers_time(verification->headers) == subject->time))
		return STATUS_OK;
	return message_set(verification->message, STATUS_FAILED,
			   "verification failed: row id %lld: the index has stored another %s than "
			   "its row says; build the index again with connbits-index --rebuild",
			   (long long)subject->rowid, same ? "time" : "header");
}

static enum status row_compare(struct verification *verification,
			       const struct compared_row *subject)
{
	enum status status = chunk_load(verification, chunk_of_row(subject->rowid));

	if (status != STATUS_OK)
		return status;
	if (verification->rows++ == 0)
		verification->first = subject->rowid;
	verify_rows_run(&verification->expressions, &verification->programs, subject);
	for (size_t i = verification->begin; i < verification->end; i++) {
		const struct kept_chunk *loaded = &verification->loaded[i - verification->begin];
		bool wanted = expected(verification, i, subject);
		bool stored = chunk_contains(&loaded->stored, subject->rowid);

		verification->summary->comparisons++;
		verification->matches[i] += wanted;
		if (wanted != stored)
			return message_set(verification->message, STATUS_FAILED,
					   "verification failed: filter '%.255s', row id %lld: "
					   "the index says %s, bpf_filter says %s; build the index "
					   "again with connbits-index --rebuild",
					   verification->filters.items[i].name,
					   (long long)subject->rowid, stored ? "yes" : "no",
					   wanted ? "yes" : "no");
	}
	return verification->begin == 0 ? header_compare(verification, subject) : STATUS_OK;
}

/* Rows of one chunk from the first compared row on. */
static uint64_t rows_left(const struct verification *verification,
			  const struct stored_chunk *stored)
{
	const int64_t first = segment_of(verification->first);
	uint64_t rows = 0;

	for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
		const struct container *container = &stored->containers[i];

		if (!container->cardinality || container->segment < first)
			continue;
		rows += container->cardinality;
		if (container->segment == first)
			rows -= container_rows_before(container,
						      segment_place(verification->first));
	}
	return rows;
}

/* Once every row was compared, whatever else a bitmap holds is too much. */
static enum status total_compare(struct verification *verification, size_t filter)
{
	const struct index_filter *stored = &verification->filters.items[filter];
	uint64_t all = 0;
	uint64_t left = 0;
	struct stored_chunk chunk;
	enum status status;

	bitmap_reader_seek(verification->cursor, stored->id,
			   chunk_of_row(verification->stored.first_row),
			   chunk_of_row(verification->stored.last_row));
	for (;;) {
		status = bitmap_reader_next(verification->cursor, &chunk, verification->message);
		if (status != STATUS_OK)
			return status;
		if (!chunk.bytes)
			break;
		all += chunk.rows;
		if (verification->rows > 0)
			left += rows_left(verification, &chunk);
	}
	if (left == verification->matches[filter] && all == stored->rows)
		return STATUS_OK;
	return message_set(
		verification->message, STATUS_FAILED,
		"verification failed: filter '%.255s' has %llu rows in the index, %llu "
		"declared; of those that the log still has %llu, %llu by bpf_filter; build "
		"the index again with connbits-index --rebuild",
		stored->name, (unsigned long long)all, (unsigned long long)stored->rows,
		(unsigned long long)left, (unsigned long long)verification->matches[filter]);
}

static enum status totals_compare(struct verification *verification)
{
	enum status status = STATUS_OK;

	for (size_t i = verification->begin; status == STATUS_OK && i < verification->end; i++)
		status = total_compare(verification, i);
	return status;
}

/* The next row id of the grid first, first + step, ... behind rowid. */
static int64_t grid_next(const struct index_source *stored, int64_t rowid, uint64_t step)
{
	uint64_t behind = (uint64_t)rowid - (uint64_t)stored->first_row;

	return (int64_t)((uint64_t)stored->first_row + (behind / step + 1) * step);
}

/* The fields of these rows, read by page, against SQLite's: once, not for each group of filters. */
static enum status pages_compare(struct verification *verification, struct log_reader *reader,
				 int64_t first, int64_t last)
{
	uint64_t rows;
	enum status status;

	if (verification->begin > 0)
		return STATUS_OK;
	status = log_reader_hold(reader, first, last, &rows, verification->message);
	verification->summary->rows_by_page += rows;
	return status;
}

static void rows_release(struct verification *verification, struct log_reader *reader)
{
	if (verification->held > 0)
		log_reader_end(reader);
	verification->held = 0;
}

/* Reads the first row with an id of `from` or more, in a transaction with some before. */
static enum status subject_read(struct verification *verification, struct log_reader *reader,
				int64_t from, bool *found, struct compared_row *subject)
{
	struct connection connection;
	enum status status = STATUS_OK;

	if (verification->held == HELD_ROWS)
		rows_release(verification, reader);
	if (verification->held == 0)
		status = log_reader_begin(reader, verification->message);
	if (status != STATUS_OK)
		return status;
	verification->held++;
	status = log_reader_row(reader, from, found, &subject->rowid, &subject->outcome,
				&connection, verification->message);
	if (status != STATUS_OK || !*found || subject->outcome != OUTCOME_HEADER)
		return status;
	subject->captured = header_build(&connection, subject->header);
	return log_reader_time(reader, subject->rowid, &subject->time, verification->message);
}

/*
 * Compares all rows, or runs of rows that follow each other behind the points
 * of a grid over the row ids.
 */
static enum status rows_compare(struct verification *verification, struct log_reader *reader,
				uint64_t rows)
{
	const struct index_source *stored = &verification->stored;
	const bool all = rows == VERIFY_ALL_ROWS || rows >= outcomes_total(stored->outcomes);
	const uint64_t run = rows / GRID_POINTS + 1;
	const uint64_t span = (uint64_t)stored->last_row - (uint64_t)stored->first_row;
	const uint64_t step = span / GRID_POINTS + 1;
	uint64_t left = run;
	int64_t next = stored->first_row;
	int64_t from = next;	    /* of the rows whose pages are to be compared, */
	int64_t behind = INT64_MIN; /* and the last of them so far */
	enum status status = STATUS_OK;

	while (status == STATUS_OK && stored->first_row <= stored->last_row) {
		struct compared_row subject;
		bool found;

		status = subject_read(verification, reader, next, &found, &subject);
		if (status != STATUS_OK || !found || subject.rowid > stored->last_row)
			break;
		status = row_compare(verification, &subject);
		behind = subject.rowid;
		if (subject.rowid == stored->last_row)
			break;
		next = subject.rowid + 1;
		if (!all && --left == 0) {
			next = grid_next(stored, subject.rowid, step);
			left = run;
			if (next <= subject.rowid || next > stored->last_row)
				break;
		}
		/* No transaction is held longer than for a segment. */
		if (status == STATUS_OK &&
		    (next != behind + 1 || segment_of(next) != segment_of(from))) {
			rows_release(verification, reader);
			status = pages_compare(verification, reader, from, behind);
			from = next;
		}
	}
	rows_release(verification, reader);
	if (status == STATUS_OK && from <= behind)
		status = pages_compare(verification, reader, from, behind);
	if (status == STATUS_OK && all)
		status = totals_compare(verification);
	return status;
}

/* Compares the rows with one group of filters after the other; one group has the headers too. */
static enum status groups_compare(struct verification *verification, struct log_reader *reader,
				  uint64_t rows)
{
	const size_t count = verification->filters.count;
	enum status status = STATUS_OK;

	do {
		verification->begin = verification->end;
		verification->end = count - verification->begin > GROUP_FILTERS
					    ? verification->begin + GROUP_FILTERS
					    : count;
		verification->rows = 0;
		verification->chunk_loaded = false;
		status = rows_compare(verification, reader, rows);
		if (verification->begin == 0)
			verification->summary->rows = verification->rows;
	} while (status == STATUS_OK && verification->end < count);
	if (status == STATUS_OK && rows == VERIFY_ALL_ROWS)
		status = verify_days_run(verification->index, &verification->stored,
					 &verification->filters, verification->timed,
					 verification->message);
	return status;
}

static enum status verification_open(struct verification *verification, const char *log_path,
				     const char *index_path, const char *table)
{
	struct message *message = verification->message;
	bool found = false;
	size_t program = 0;
	enum status status;

	database_recover(index_path);
	database_recover(log_path);
	status = database_open(index_path, DATABASE_READ, &verification->index, message);

	if (status == STATUS_OK)
		status = index_format_exists(verification->index, "main", &found, message);
	if (status == STATUS_OK && found)
		status = index_source_read(verification->index, "main", table,
					   &verification->stored, &found, message);
	if (status == STATUS_OK && !found)
		status = message_set(message, STATUS_FAILED,
				     "%s: no finished index; make one with connbits-index LOG "
				     "CATALOGUE",
				     index_path);
	if (status == STATUS_OK)
		status = index_filters_read(verification->index, "main", verification->stored.id,
					    &verification->filters, message);
	if (status == STATUS_OK)
		status =
			verify_rows_load(&verification->expressions, verification->index,
					 verification->stored.id, &verification->programs, message);
	if (status == STATUS_OK)
		status = filter_set_add_stored(&verification->programs, &verification->filters,
					       message);
	if (status == STATUS_OK)
		status = verify_rows_begin(&verification->expressions, &verification->programs,
					   message);
	if (status == STATUS_OK)
		status = bitmap_reader_open(verification->index, "main", &verification->cursor,
					    message);
	if (status == STATUS_OK && verification->stored.packed)
		status = stored_headers_open(verification->index, "main", &verification->stored,
					     verification->stored.layout.timestamp != NULL,
					     &verification->headers, message);
	if (status != STATUS_OK)
		return status;
	verification->loaded = calloc(GROUP_FILTERS, sizeof(*verification->loaded));
	verification->matches =
		calloc(verification->filters.count + 1, sizeof(*verification->matches));
	verification->number_of =
		calloc(verification->filters.count + 1, sizeof(*verification->number_of));
	if (!verification->loaded || !verification->matches || !verification->number_of)
		return message_out_of_memory(message);
	for (size_t i = 0; i < verification->filters.count; i++)
		verification->number_of[i] =
			verification->filters.items[i].name[0] != '@' ? program++ : SIZE_MAX;
	return STATUS_OK;
}

/* The next job reads all rows again, and without pages. */
static void differed_note(const char *index_path, int64_t source, struct message *message)
{
	const struct message difference = *message;
	struct message cause;
	sqlite3 *index;
	enum status status = database_open(index_path, DATABASE_WRITE, &index, &cause);

	if (status == STATUS_OK)
		status = index_write_reading(index, source, INDEX_READING_DIFFERED, &cause);
	sqlite3_close(index);
	if (status != STATUS_OK)
		message_wrap(message, STATUS_FAILED, LOG_READ_DIFFERS,
			     "%.600s; and the index does not remember it: %.300s", difference.text,
			     cause.text);
}

enum status verify_run(const char *log_path, const char *index_path, const char *table,
		       uint64_t rows, enum log_read read, struct verify_summary *summary,
		       struct message *message)
{
	struct verification verification = {.summary = summary, .message = message};
	struct log log = {0};
	struct log_reader *reader = NULL;
	int64_t source;
	enum status status;

	*summary = (struct verify_summary){0};
	status = verification_open(&verification, log_path, index_path ? index_path : log_path,
				   table);
	verification.timed = verification.stored.layout.timestamp != NULL;
	if (status == STATUS_OK)
		status = log_open(log_path, &verification.stored.layout, &log, message);
	log.read = read == LOG_READ_BEST && verification.stored.reading != INDEX_READING_ANY
			   ? LOG_READ_SQL
			   : read;
	if (status == STATUS_OK)
		status = log_reader_open(&log, &reader, message);
	if (status == STATUS_OK)
		status = groups_compare(&verification, reader, rows);
	log_reader_close(reader);
	log_free(&log);
	for (size_t i = 0; verification.loaded && i < GROUP_FILTERS; i++)
		kept_chunk_free(&verification.loaded[i]);
	bitmap_reader_close(verification.cursor);
	stored_headers_close(verification.headers);
	free(verification.loaded);
	free(verification.matches);
	free(verification.number_of);
	verify_rows_free(&verification.expressions);
	filter_set_free(&verification.programs);
	index_filters_free(&verification.filters);
	source = verification.stored.id;
	index_source_free(&verification.stored);
	sqlite3_close(verification.index);
	if (status == STATUS_FAILED && message->code == LOG_READ_DIFFERS)
		differed_note(index_path ? index_path : log_path, source, message);
	return status;
}
