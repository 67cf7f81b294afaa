#include "chunk_days.h"

#include <stdlib.h>
#include <string.h>

#include "base/numbers.h"
#include "column/segment_days.h"

struct chunk_segment {
	bool given;
	struct segment_days days;
	size_t *numbers; /* of each of its days the place in the chunk's list */
	size_t capacity;
};

struct chunk_days {
	struct chunk_segment segments[DAYS_SIDES][CHUNK_SEGMENTS];
	int64_t *list; /* the days of all of them, ascending */
	size_t count;
	size_t capacity;
	int64_t *tallies; /* by place in the list */
};

struct chunk_days *chunk_days_new(void)
{
	return calloc(1, sizeof(struct chunk_days));
}

void chunk_days_free(struct chunk_days *days)
{
	if (!days)
		return;
	for (int side = 0; side < DAYS_SIDES; side++)
		for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
			segment_days_free(&days->segments[side][i].days);
			free(days->segments[side][i].numbers);
		}
	free(days->list);
	free(days->tallies);
	free(days);
}

void chunk_days_begin(struct chunk_days *days)
{
	for (int side = 0; side < DAYS_SIDES; side++)
		for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
			days->segments[side][i].given = false;
	days->count = 0;
}

/* Makes room for a segment's days in the list. */
static bool list_reserve(struct chunk_days *days, size_t more)
{
	const size_t wanted = days->count + more;
	const size_t capacity = wanted > 2 * days->capacity ? wanted : 2 * days->capacity;
	int64_t *larger;

	if (wanted <= days->capacity)
		return true;
	larger = realloc(days->list, capacity * sizeof(*larger));
	if (!larger)
		return false;
	days->list = larger;
	larger = realloc(days->tallies, capacity * sizeof(*larger));
	if (!larger)
		return false;
	days->tallies = larger;
	days->capacity = capacity;
	return true;
}

enum status chunk_days_add(struct chunk_days *days, enum chunk_days_side side, size_t place,
			   struct segment_columns *columns, struct message *message)
{
	struct chunk_segment *segment = &days->segments[side][place];
	enum status status = segment_days_read(&segment->days, columns, message);

	if (status != STATUS_OK)
		return status;
	if (segment->capacity < segment->days.count) {
		free(segment->numbers);
		segment->capacity = 0;
		segment->numbers = malloc(segment->days.count * sizeof(*segment->numbers));
		if (!segment->numbers)
			return message_out_of_memory(message);
		segment->capacity = segment->days.count;
	}
	if (!list_reserve(days, segment->days.count))
		return message_out_of_memory(message);
	if (segment->days.count)
		memcpy(days->list + days->count, segment->days.days,
		       segment->days.count * sizeof(*days->list));
	days->count += segment->days.count;
	segment->given = true;
	return STATUS_OK;
}

enum status chunk_days_add_segment(struct chunk_days *days, enum chunk_days_side side,
				   struct column_reader *reader, int64_t number,
				   struct message *message)
{
	struct segment_columns *columns;
	struct message cause = {.code = 0};
	enum status status = column_reader_begin(reader, number, &columns, message);

	if (status != STATUS_OK || !column_reader_has(reader))
		return status;
	status = chunk_days_add(days, side,
				(size_t)(number - chunk_first_segment(chunk_of_segment(number))),
				columns, &cause);
	return status == STATUS_OK ? status : column_reader_damaged(number, &cause, message);
}

enum status chunk_days_add_stored(struct chunk_days *days, enum chunk_days_side side,
				  struct column_reader *reader, int64_t chunk,
				  struct message *message)
{
	const int64_t first = chunk_first_segment(chunk);
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < CHUNK_SEGMENTS; i++)
		status = chunk_days_add_segment(days, side, reader, first + (int64_t)i, message);
	column_reader_rest(reader);
	return status;
}

enum status chunk_days_ready(struct chunk_days *days, struct message *message)
{
	days->count = numbers_settle(days->list, days->count);
	if (!list_reserve(days, 1))
		return message_out_of_memory(message);
	memset(days->tallies, 0, days->capacity * sizeof(*days->tallies));
	for (int side = 0; side < DAYS_SIDES; side++)
		for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
			struct chunk_segment *segment = &days->segments[side][i];

			for (size_t j = 0; segment->given && j < segment->days.count; j++)
				segment->numbers[j] =
					(size_t)((int64_t *)bsearch(&segment->days.days[j],
								    days->list, days->count,
								    sizeof(*days->list),
								    numbers_compare) -
						 days->list);
		}
	return STATUS_OK;
}

void chunk_days_count(struct chunk_days *days, enum chunk_days_side side, enum filter_kind kind,
		      const struct container containers[static CHUNK_SEGMENTS])
{
	for (size_t i = 0; i < CHUNK_SEGMENTS; i++) {
		const struct chunk_segment *segment = &days->segments[side][i];

		if (segment->given && containers[i].cardinality)
			/* One that is made of others may have skipped rows. */
			segment_days_count(&segment->days, &containers[i], kind == FILTER_ROWS,
					   segment->numbers, side == DAYS_STORED ? -1 : 1,
					   days->tallies);
	}
}

enum status chunk_days_take(struct chunk_days *days, int64_t filter, struct write_batch *batch,
			    struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < days->count; i++) {
		const struct write_day day = {
			.filter = filter, .day = days->list[i], .rows = days->tallies[i]};

		days->tallies[i] = 0;
		if (day.rows)
			status = write_batch_add_day(batch, &day, message);
	}
	return status;
}
