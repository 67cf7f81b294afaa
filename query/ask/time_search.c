#include "time_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "bitmap/container.h"
#include "bitmap/kernel.h"
#include "bitmap/segment_bits.h"
#include "index/column_reader.h"

struct searching {
	const struct time_range *ranges;
	size_t count;
	struct row_set *rows; /* by range */
	int64_t log_first;    /* rows before it are gone; INT64_MIN where none are */
	uint64_t without;
	uint64_t headers;
	uint64_t found[SEGMENT_WORDS]; /* in the order of rows */
	struct segment_bits bits;
	uint8_t bytes[CONTAINER_BYTES_MAX];
};

enum status times_must_be(const struct answer_index *index, struct message *message)
{
	const struct layout *layout = &index->source.layout;

	if (!index->source.packed)
		return message_set(message, STATUS_FAILED,
				   "times need stored columns, which this index was made without; "
				   "build it again with connbits-index --rebuild, and without "
				   "--no-headers");
	if (!layout->timestamp && strcmp(layout->schema, LAYOUT_OF_CATALOGUE) == 0)
		return message_set(message, STATUS_FAILED,
				   "no column of '%.200s' is known to hold times; name it in the "
				   "catalogue's [source]: timestamp = COLUMN",
				   layout->table);
	if (!layout->timestamp)
		return message_set(message, STATUS_FAILED,
				   "no column of '%.200s' is known to hold times; name it in the "
				   "catalogue's [source]: schema = %.60s, timestamp = COLUMN",
				   layout->table, layout->schema);
	return STATUS_OK;
}

static enum status time_reader_open(sqlite3 *database, const struct answer_index *index,
				    struct column_reader **reader, struct message *message)
{
	enum status status = times_must_be(index, message);

	return status == STATUS_OK ? column_reader_open(database, index->database_name,
							&index->source, reader, message)
				   : status;
}

/* The bits of the rows of a segment that are in the range. */
static enum status range_bits(struct searching *searching, const struct time_range *range,
			      struct time_column *time, struct segment_columns *columns,
			      struct message *message)
{
	enum status status =
		time_column_between(time, range->first, range->last, searching->found, message);

	if (status == STATUS_OK)
		status = segment_columns_rows(columns, message);
	if (status != STATUS_OK)
		return status;
	memset(searching->bits.occupied, 0xff, sizeof(searching->bits.occupied));
	kernels_best()->bits_deposit(searching->found, columns->present.words, SEGMENT_WORDS,
				     searching->bits.words);
	return STATUS_OK;
}

/* The rows of a segment of which some are in the range. */
static enum status range_take(struct searching *searching, const struct time_range *range,
			      int64_t number, struct time_column *time,
			      struct segment_columns *columns, struct row_set *rows,
			      struct message *message)
{
	struct container container;
	enum status status = range_bits(searching, range, time, columns, message);

	if (status != STATUS_OK)
		return status;
	container_encode(number, &searching->bits, kernels_best(), searching->bytes, &container);
	return container.cardinality ? row_set_append(rows, &container, message) : STATUS_OK;
}

/* All rows of a segment that have a header. */
static enum status segment_take(int64_t number, struct segment_columns *columns,
				struct row_set *rows, struct message *message)
{
	struct container container;
	enum status status = segment_columns_rows(columns, message);

	if (status != STATUS_OK)
		return status;
	container = columns->present_as;
	container.segment = number;
	return row_set_append(rows, &container, message);
}

/* Counts the rows without a time that the log still has. */
static enum status without_count(struct searching *searching, int64_t number,
				 struct segment_columns *columns, struct time_column *time,
				 struct message *message)
{
	const int64_t first = searching->log_first;
	struct time_range any = {INT64_MIN, INT64_MAX};
	enum status status = STATUS_OK;

	if (time->without == 0 || number < segment_of(first))
		return STATUS_OK;
	if (number > segment_of(first) || first == INT64_MIN) {
		searching->without += time->without;
		return STATUS_OK;
	}
	status = range_bits(searching, &any, time, columns, message);
	for (size_t low = segment_place(first); status == STATUS_OK && low < SEGMENT_ROWS; low++)
		searching->without +=
			(columns->present.words[low / 64] & ~searching->bits.words[low / 64]) >>
				(low % 64) &
			1;
	return status;
}

static enum status segment_search(struct searching *searching, int64_t number,
				  struct segment_columns *columns, struct message *message)
{
	struct time_column *time;
	enum status status = segment_columns_time(columns, &time, message);

	if (status != STATUS_OK)
		return status;
	searching->headers += time->rows;
	status = without_count(searching, number, columns, time, message);
	for (size_t i = 0; status == STATUS_OK && i < searching->count; i++) {
		const struct time_range *range = &searching->ranges[i];

		if (time_column_none_in(time, range->first, range->last))
			continue;
		if (time->without == 0 && time_column_all_in(time, range->first, range->last))
			status = segment_take(number, columns, &searching->rows[i], message);
		else
			status = range_take(searching, range, number, time, columns,
					    &searching->rows[i], message);
	}
	return status;
}

static enum status segment_visit(void *context, int64_t number, struct segment_columns *columns,
				 struct message *message)
{
	struct message cause = {.code = 0};

	if (segment_search(context, number, columns, &cause) == STATUS_OK)
		return STATUS_OK;
	return column_reader_damaged(number, &cause, message);
}

enum status time_search_run(sqlite3 *database, const struct answer_index *index,
			    const struct time_range *ranges, size_t count, const struct stop *stop,
			    const struct search_pause *pause, struct row_set *rows,
			    uint64_t *without, struct message *message)
{
	struct searching *searching = calloc(1, sizeof(*searching));
	struct column_reader *reader = NULL;
	enum status status = searching ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = time_reader_open(database, index, &reader, message);
	if (status == STATUS_OK) {
		searching->ranges = ranges;
		searching->count = count;
		searching->rows = rows;
		searching->log_first = index->log_first;
		status = segment_walk(reader, NULL, stop, pause, segment_visit, searching, message);
	}
	if (status == STATUS_OK)
		status = column_reader_complete(&index->source, searching->headers, message);
	if (status == STATUS_OK)
		*without = searching->without;
	column_reader_close(reader);
	free(searching);
	for (size_t i = 0; status != STATUS_OK && i < count; i++)
		row_set_free(&rows[i]);
	return status;
}
