#include "stage_headers.h"

#include <omp.h>
#include <stdlib.h>

#include "ask/answer_index.h"
#include "base/clock.h"
#include "database/database_open.h"
#include "index/header_reader.h"
#include "stages.h"

/* One thread's way into the index. */
struct header_reader {
	sqlite3 *database;
	struct answer_index index;
	struct header_reader *headers;
};

static enum status reader_open(const char *path, struct header_reader *reader,
			       struct message *message)
{
	enum status status;

	*reader = (struct header_reader){0};
	status = database_open(path, DATABASE_READ, &reader->database, message);
	if (status == STATUS_OK)
		status = answer_index_find(reader->database, NULL, NULL, &reader->index, message);
	if (status == STATUS_OK)
		status = header_reader_open(reader->database, reader->index.database_name,
					    &reader->index.source, &reader->headers, message);
	return status;
}

static void reader_close(struct header_reader *reader)
{
	header_reader_close(reader->headers);
	answer_index_free(&reader->index);
	sqlite3_close(reader->database);
}

/* Reads the segments numbered from first up to end, end excluded. */
static enum status range_read(struct header_reader *reader, int64_t first, int64_t end,
			      uint64_t *bytes, struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && first < end) {
		const uint8_t *packed;
		size_t size = 0;
		int64_t number;
		bool found;

		status = header_reader_next(reader->headers, first, &number, &found, message);
		if (status != STATUS_OK || !found || number >= end)
			break;
		status = header_reader_bytes(reader->headers, number, &packed, &size, message);
		*bytes += size;
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
		struct header_reader reader;
		struct message own;
		enum status status = reader_open(path, &reader, &own);
		int64_t first = 0;
		int64_t number = 0;
		bool found = false;

		if (status == STATUS_OK)
			status = header_reader_next(reader.headers, INT64_MIN, &number, &found,
						    &own);
		/* Every thread walks the same ranges and reads those whose turn is its own. */
		for (int64_t turn = 0; status == STATUS_OK && found; turn++) {
			first = number;
			if (turn % omp_get_num_threads() == omp_get_thread_num())
				status = range_read(&reader, first, first + segments_each, &sum,
						    &own);
			if (status == STATUS_OK)
				status = header_reader_next(reader.headers, first + segments_each,
							    &number, &found, &own);
		}
		stages_keep_first(&result, message, status, &own);
		reader_close(&reader);
	}
	*seconds = clock_seconds() - start;
	*bytes = sum;
	return result;
}
