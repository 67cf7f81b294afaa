#include "segment_supply.h"

#include <stdlib.h>

#include "base/rowid.h"
#include "database/database_open.h"
#include "index/header_reader.h"

struct supply_reader {
	const struct supply *supply;
	struct source_reader *rows;
	sqlite3 *index;
	struct stored_headers *headers;
};

void supply_range(const struct supply *supply, int64_t *first, int64_t *last)
{
	if (!supply->rows) {
		*first = segment_of(supply->indexed->first_row);
		*last = segment_of(supply->indexed->last_row);
		return;
	}
	*first = supply->dirty_count ? supply->dirty[0] : supply->tail;
	*last = supply->rows->empty ? *first - 1 : segment_of(supply->rows->last);
	if (supply->dirty_count && *last < supply->dirty[supply->dirty_count - 1])
		*last = supply->dirty[supply->dirty_count - 1];
}

static enum status index_open(struct supply_reader *reader, struct message *message)
{
	const struct supply *supply = reader->supply;
	enum status status =
		database_open(supply->index_path, DATABASE_READ, &reader->index, message);

	if (status == STATUS_OK)
		status = stored_headers_open(reader->index, "main", supply->indexed,
					     &reader->headers, message);
	return status;
}

enum status supply_reader_open(const struct supply *supply, struct supply_reader **reader,
			       struct message *message)
{
	struct supply_reader *opened = calloc(1, sizeof(*opened));
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->supply = supply;
	if (supply->rows)
		status = source_reader_open(supply->rows, &opened->rows, message);
	else
		status = index_open(opened, message);
	if (status == STATUS_OK)
		*reader = opened;
	else
		supply_reader_close(opened);
	return status;
}

/* The first of the ascending numbers that is `from` or more; count where there is none. */
static size_t lower_bound(const int64_t *numbers, size_t count, int64_t from)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (numbers[middle] < from)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

enum status supply_next(struct supply_reader *reader, int64_t from, int64_t *number, bool *found,
			struct message *message)
{
	const struct supply *supply = reader->supply;
	size_t dirty;

	if (!supply->rows)
		return stored_headers_next(reader->headers, from, number, found, message);
	dirty = lower_bound(supply->dirty, supply->dirty_count, from);
	if (dirty < supply->dirty_count) {
		*number = supply->dirty[dirty];
		*found = true;
		return STATUS_OK;
	}
	return source_next_segment(reader->rows, from > supply->tail ? from : supply->tail, number,
				   found, message);
}

enum status supply_read(struct supply_reader *reader, int64_t number, struct segment *segment,
			struct message *message)
{
	if (reader->supply->rows)
		return source_read_segment(reader->rows, number, segment, message);
	return stored_headers_read(reader->headers, number, segment, message);
}

void supply_reader_close(struct supply_reader *reader)
{
	if (!reader)
		return;
	source_reader_close(reader->rows);
	stored_headers_close(reader->headers);
	sqlite3_close(reader->index);
	free(reader);
}
