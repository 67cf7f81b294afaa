#include "facet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rowid.h"
#include "bitmap/container_algebra.h"
#include "bitmap/roaring_format.h"
#include "index/column_reader.h"
#include "packet/instant.h"
#include "time_search.h"

#define MICROSECONDS INT64_C(1000000) /* in a second */

struct counting {
	struct facet *facet;
	int64_t unit;	/* microseconds */
	size_t settled; /* values that ascend and are there once; those behind are as they came */
	uint16_t low[SEGMENT_ROWS]; /* of the rows that are counted */
};

bool facet_find(const char *word, enum facet_by *by)
{
	for (int i = FACET_DAY; i <= FACET_HOUR; i++) {
		if (strcmp(facet_name((enum facet_by)i), word) == 0) {
			*by = (enum facet_by)i;
			return true;
		}
	}
	return false;
}

const char *facet_name(enum facet_by by)
{
	return by == FACET_DAY ? "day" : "hour";
}

static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int compare_values(const void *a, const void *b)
{
	const struct facet_value *x = a;
	const struct facet_value *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* Orders all values, and joins those that are the same. */
static void facet_settle(struct counting *counting)
{
	struct facet *facet = counting->facet;
	size_t kept = 0;

	if (facet->count > counting->settled)
		qsort(facet->values, facet->count, sizeof(*facet->values), compare_values);
	for (size_t i = 0; i < facet->count; i++) {
		if (kept && facet->values[kept - 1].value == facet->values[i].value)
			facet->values[kept - 1].rows += facet->values[i].rows;
		else
			facet->values[kept++] = facet->values[i];
	}
	facet->count = kept;
	counting->settled = kept;
}

static enum status room_make(struct counting *counting, struct message *message)
{
	enum { ROOM_LEAST = 1024 };
	struct facet *facet = counting->facet;
	size_t capacity;
	struct facet_value *larger;

	if (facet->count < facet->capacity)
		return STATUS_OK;
	facet_settle(counting);
	if (facet->count <= facet->capacity / 2 && facet->capacity)
		return STATUS_OK;
	capacity = facet->capacity * 2 + ROOM_LEAST;
	larger = realloc(facet->values, capacity * sizeof(*larger));
	if (!larger)
		return message_out_of_memory(message);
	facet->values = larger;
	facet->capacity = capacity;
	return STATUS_OK;
}

static enum status value_add(struct counting *counting, int64_t value, uint64_t rows,
			     struct message *message)
{
	struct facet *facet = counting->facet;
	enum status status;

	/* Rows that follow each other mostly have the same. */
	if (facet->count && facet->values[facet->count - 1].value == value) {
		facet->values[facet->count - 1].rows += rows;
		return STATUS_OK;
	}
	status = room_make(counting, message);
	if (status == STATUS_OK)
		facet->values[facet->count++] = (struct facet_value){value, rows};
	return status;
}

/* Counts rows one by one: those that have no header have no time either. */
static enum status rows_add(struct counting *counting, const struct container *container,
			    struct segment_columns *columns, struct time_column *time,
			    struct message *message)
{
	const int64_t *times;
	size_t place = 0; /* of the time of the row with a header that comes next */
	size_t next = 0;
	enum status status = time_column_read(time, &times, message);

	if (status == STATUS_OK)
		status = container_decode(container, counting->low, message);
	for (size_t word = 0; status == STATUS_OK && word < SEGMENT_WORDS; word++) {
		const uint64_t present = columns->present.words[word];

		for (; next < container->cardinality && counting->low[next] / 64 == word; next++) {
			const uint64_t bit = UINT64_C(1) << (counting->low[next] % 64);
			const size_t at = place + (size_t)__builtin_popcountll(present & (bit - 1));

			if (!(present & bit) || times[at] == INSTANT_NONE)
				counting->facet->without++;
			else
				status =
					value_add(counting, floor_divide(times[at], counting->unit),
						  1, message);
			if (status != STATUS_OK)
				return status;
		}
		place += (size_t)__builtin_popcountll(present);
	}
	return status;
}

/* Whether all rows of a container have a header. */
static bool all_present(const struct segment_columns *columns, const struct container *container)
{
	return container_common(container, &columns->present_as) == container->cardinality;
}

static enum status segment_count(struct counting *counting, const struct container *container,
				 struct segment_columns *columns, struct message *message)
{
	struct time_column *time;
	int64_t first;
	int64_t last;
	enum status status = segment_columns_time(columns, &time, message);

	if (status == STATUS_OK)
		status = segment_columns_rows(columns, message);
	if (status != STATUS_OK)
		return status;
	first = floor_divide(time->earliest, counting->unit);
	last = floor_divide(time->latest, counting->unit);
	if (time->without == 0 && first == last && all_present(columns, container))
		return value_add(counting, first, container->cardinality, message);
	return rows_add(counting, container, columns, time, message);
}

static enum status set_count(struct counting *counting, struct column_reader *reader,
			     const struct row_set *rows, const struct search_pause *pause,
			     struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < rows->count; i++) {
		const struct container *container = &rows->containers[i];
		struct segment_columns *columns;
		struct message cause = {.code = 0};

		status = search_pause_run(pause, reader, message);
		if (status != STATUS_OK)
			break;
		status = column_reader_begin(reader, container->segment, &columns, &cause);
		if (status == STATUS_OK && !column_reader_has(reader)) {
			counting->facet->without += container->cardinality;
			continue;
		}
		if (status == STATUS_OK)
			status = segment_count(counting, container, columns, &cause);
		if (status != STATUS_OK)
			status = column_reader_damaged(container->segment, &cause, message);
	}
	return status;
}

enum status facet_count(sqlite3 *database, const struct answer_index *index,
			const struct row_set *rows, enum facet_by by,
			const struct search_pause *pause, struct facet *facet,
			struct message *message)
{
	struct counting *counting = calloc(1, sizeof(*counting));
	struct column_reader *reader = NULL;
	enum status status = counting ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK)
		status = time_reader_open(database, index, &reader, message);
	if (status == STATUS_OK) {
		counting->facet = facet;
		counting->unit = (by == FACET_DAY ? 86400 : 3600) * MICROSECONDS;
		status = set_count(counting, reader, rows, pause, message);
	}
	if (status == STATUS_OK)
		facet_settle(counting);
	column_reader_close(reader);
	free(counting);
	return status;
}

void facet_value_text(enum facet_by by, int64_t value, char text[static FACET_TEXT_SIZE])
{
	const int64_t seconds = value * (by == FACET_DAY ? 86400 : 3600);
	const time_t time = (time_t)seconds;
	struct tm parts;
	int length;

	/* It fails only for years that no time in microseconds has. */
	if (!gmtime_r(&time, &parts))
		parts = (struct tm){0};
	length = snprintf(text, FACET_TEXT_SIZE, "%04d-%02d-%02d", parts.tm_year + 1900,
			  parts.tm_mon + 1, parts.tm_mday);
	if (by == FACET_HOUR)
		snprintf(text + length, FACET_TEXT_SIZE - (size_t)length, "T%02d:00",
			 parts.tm_hour);
}

void facet_free(struct facet *facet)
{
	free(facet->values);
	*facet = (struct facet){0};
}
