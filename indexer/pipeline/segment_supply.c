#include "segment_supply.h"

#include <stdlib.h>

#include "base/rowid.h"
#include "database/database_open.h"
#include "index/column_reader.h"

struct segment_supply_reader {
	const struct segment_supply *supply;
	struct log_reader *rows;
	sqlite3 *index;
	struct column_reader *columns;
};

void segment_supply_range(const struct segment_supply *supply, int64_t *first, int64_t *last)
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

static enum status index_open(struct segment_supply_reader *reader, struct message *message)
{
	const struct segment_supply *supply = reader->supply;
	enum status status =
		database_open(supply->index_path, DATABASE_READ, &reader->index, message);

	if (status == STATUS_OK)
		status = column_reader_open(reader->index, "main", supply->indexed,
					    &reader->columns, message);
	return status;
}

enum status segment_supply_reader_open(const struct segment_supply *supply,
				       struct segment_supply_reader **reader,
				       struct message *message)
{
	struct segment_supply_reader *opened = calloc(1, sizeof(*opened));
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->supply = supply;
	if (supply->rows)
		status = log_reader_open(supply->rows, &opened->rows, message);
	else
		status = index_open(opened, message);
	if (status == STATUS_OK)
		*reader = opened;
	else
		segment_supply_reader_close(opened);
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

static enum status index_next(struct segment_supply_reader *reader, int64_t from, int64_t *number,
			      bool *found, struct message *message)
{
	enum status status = column_reader_next(reader->columns, from, number, found, message);

	column_reader_rest(reader->columns);
	return status;
}

enum status segment_supply_next(struct segment_supply_reader *reader, int64_t from, int64_t *number,
				bool *found, struct message *message)
{
	const struct segment_supply *supply = reader->supply;
	size_t dirty;

	if (!supply->rows)
		return index_next(reader, from, number, found, message);
	dirty = lower_bound(supply->dirty, supply->dirty_count, from);
	if (dirty < supply->dirty_count) {
		*number = supply->dirty[dirty];
		*found = true;
		return STATUS_OK;
	}
	return log_reader_next_segment(reader->rows, from > supply->tail ? from : supply->tail,
				       number, found, message);
}

enum status segment_supply_read(struct segment_supply_reader *reader, int64_t number,
				struct segment *segment, struct message *message)
{
	return log_reader_segment(reader->rows, number, segment, message);
}

enum status segment_supply_columns(struct segment_supply_reader *reader, int64_t number,
				   struct segment_columns **columns, struct message *message)
{
	return column_reader_begin(reader->columns, number, columns, message);
}

void segment_supply_rest(struct segment_supply_reader *reader)
{
	if (reader->columns)
		column_reader_rest(reader->columns);
}

struct log_reading segment_supply_reading(const struct segment_supply_reader *reader)
{
	return reader && reader->rows ? log_reader_reading(reader->rows) : (struct log_reading){0};
}

void segment_supply_reader_close(struct segment_supply_reader *reader)
{
	if (!reader)
		return;
	log_reader_close(reader->rows);
	column_reader_close(reader->columns);
	sqlite3_close(reader->index);
	free(reader);
}
