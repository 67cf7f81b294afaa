#include "stage_headers.h"

#include <omp.h>
#include <stdlib.h>

#include "base/clock.h"
#include "database/database_open.h"
#include "index/column_reader.h"
#include "stages.h"

/* One thread's way into the index. */
struct thread_index {
	sqlite3 *database;
	struct index_source source;
	struct column_reader *columns;
};

static enum status reader_open(const char *path, struct thread_index *reader,
			       struct message *message)
{
	bool found = false;
	enum status status;

	*reader = (struct thread_index){0};
	status = database_open(path, DATABASE_READ, &reader->database, message);
	if (status == STATUS_OK)
		status = index_source_read(reader->database, "main", NULL, &reader->source, &found,
					   message);
	if (status == STATUS_OK && !found)
		status = message_set(message, STATUS_FAILED, "%s: no finished index", path);
	if (status == STATUS_OK)
		status = column_reader_open(reader->database, "main", &reader->source,
					    &reader->columns, message);
	return status;
}

static void reader_close(struct thread_index *reader)
{
	column_reader_close(reader->columns);
	index_source_free(&reader->source);
	sqlite3_close(reader->database);
}

/* Reads the segments numbered from first up to end, end excluded. */
static enum status range_read(struct thread_index *reader, int64_t first, int64_t end,
			      uint64_t *bytes, struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && first < end) {
		struct packed_columns packed;
		int64_t number;
		bool found;

		status = column_reader_next(reader->columns, first, &number, &found, message);
		if (status != STATUS_OK || !found || number >= end)
			break;
		status = column_reader_copy(reader->columns, number, &packed, message);
		if (status != STATUS_OK)
			break;
		*bytes += packed_columns_size(&packed);
		free(packed.bytes);
		first = number + 1;
	}
	return status;
}

enum status stage_headers(const char *path, int threads, double *seconds, uint64_t *bytes,
			  struct message *message)
{
	const double start = clock_seconds();
	enum status result = STATUS_OK;
	uint64_t sum = 0;

#pragma omp parallel num_threads(threads) reduction(+ : sum)
	{
		const int64_t segments_each = 1;
		struct thread_index reader;
		struct message own;
		enum status status = reader_open(path, &reader, &own);
		int64_t first = 0;
		int64_t number = 0;
		bool found = false;

		if (status == STATUS_OK)
			status = column_reader_next(reader.columns, INT64_MIN, &number, &found,
						    &own);
		/* Every thread walks the same ranges and reads those whose turn is its own. */
		for (int64_t turn = 0; status == STATUS_OK && found; turn++) {
			first = number;
			if (turn % omp_get_num_threads() == omp_get_thread_num())
				status = range_read(&reader, first, first + segments_each, &sum,
						    &own);
			if (status == STATUS_OK)
				status = column_reader_next(reader.columns, first + segments_each,
							    &number, &found, &own);
		}
		stages_keep_first(&result, message, status, &own);
		reader_close(&reader);
	}
	*seconds = clock_seconds() - start;
	*bytes = sum;
	return result;
}
