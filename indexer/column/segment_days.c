#include "segment_days.h"

#include <stdlib.h>
#include <string.h>

#include "base/numbers.h"
#include "packet/day_text.h"
#include "packet/instant.h"

static int64_t day_of(int64_t time)
{
	return instant_floor(time, DAY_MICROSECONDS);
}

static enum status days_reserve(struct segment_days *days, size_t count, struct message *message)
{
	int64_t *larger;

	if (count <= days->capacity)
		return STATUS_OK;
	larger = realloc(days->days, count * sizeof(*larger));
	if (!larger)
		return message_out_of_memory(message);
	days->days = larger;
	days->capacity = count;
	return STATUS_OK;
}

static enum status present_read(struct segment_days *days, struct segment_columns *columns,
				struct message *message)
{
	enum status status = segment_columns_rows(columns, message);

	if (status == STATUS_OK)
		memcpy(days->present, columns->present.words, sizeof(days->present));
	return status;
}

/* Runs of rows become runs of places. */
static enum status runs_place(struct segment_days *days, struct segment_columns *columns,
			      struct message *message)
{
	enum status status = present_read(days, columns, message);

	for (size_t i = 1; status == STATUS_OK && i < days->count; i++)
		days->first[i] = container_place(&columns->present_as, days->first[i]);
	return status;
}

/* Lists the days of the times, each once and ascending. */
static enum status days_list(struct segment_days *days, const int64_t *times, size_t rows,
			     struct message *message)
{
	size_t count = 0;
	enum status status = days_reserve(days, rows, message);

	if (status != STATUS_OK)
		return status;
	/* Neighbours are mostly of one day. */
	for (size_t row = 0; row < rows; row++)
		if (times[row] != INSTANT_NONE &&
		    (count == 0 || days->days[count - 1] != day_of(times[row])))
			days->days[count++] = day_of(times[row]);
	days->count = numbers_settle(days->days, count);
	return STATUS_OK;
}

/* The place of a day in the list, near which the last one was found. */
static size_t day_find(const struct segment_days *days, int64_t day, size_t near)
{
	size_t low = 0;
	size_t high = days->count;

	if (days->days[near] == day)
		return near;
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (days->days[middle] <= day)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Notes the day of each row at its place. */
static enum status places_read(struct segment_days *days, struct segment_columns *columns,
			       struct time_column *time, struct message *message)
{
	const int64_t *times;
	size_t near = 0;
	enum status status = time_column_read(time, &times, message);

	if (status == STATUS_OK)
		status = present_read(days, columns, message);
	if (status == STATUS_OK)
		status = days_list(days, times, time->rows, message);
	if (status != STATUS_OK)
		return status;
	if (!days->of)
		days->of = malloc(SEGMENT_ROWS * sizeof(*days->of));
	if (!days->of)
		return message_out_of_memory(message);
	days->by_runs = false;
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		for (uint64_t left = days->present[word]; left; left &= left - 1) {
			const size_t place = word * 64 + (size_t)__builtin_ctzll(left);
			const int64_t at = *times++;

			days->of[place] = 0;
			if (at == INSTANT_NONE)
				continue;
			near = day_find(days, day_of(at), near);
			/* With 65,536 days each row has its own, and none lacks one. */
			days->of[place] = (uint16_t)(near + 1);
		}
	return STATUS_OK;
}

enum status segment_days_read(struct segment_days *days, struct segment_columns *columns,
			      struct message *message)
{
	struct time_column *time;
	struct time_runs runs = {
		.unit = DAY_MICROSECONDS, .capacity = SEGMENT_DAY_RUNS, .first = days->first};
	enum status status = segment_columns_time(columns, &time, message);

	days->count = 0;
	days->by_runs = true;
	if (status != STATUS_OK || time->without == time->rows)
		return status;
	status = days_reserve(days, SEGMENT_DAY_RUNS, message);
	runs.values = days->days;
	if (status == STATUS_OK && time->without == 0)
		status = time_column_runs(time, &runs, message);
	if (status != STATUS_OK)
		return status;
	if (time->without || runs.count > runs.capacity)
		return places_read(days, columns, time, message);
	days->count = runs.count;
	return runs_place(days, columns, message);
}

static void runs_count(const struct segment_days *days, const struct container *container,
		       const size_t *numbers, int64_t sign, int64_t *tallies)
{
	uint32_t before = 0;

	for (size_t i = 0; i < days->count; i++) {
		const uint32_t end =
			i + 1 < days->count
				? container_rows_before(container, (uint16_t)days->first[i + 1])
				: container->cardinality;

		tallies[numbers[i]] += sign * (int64_t)(end - before);
		before = end;
	}
}

/* Row by row, in which they are of some run or of any. */
static void rows_count(const struct segment_days *days, const struct container *container,
		       const size_t *numbers, int64_t sign, int64_t *tallies)
{
	struct segment_bits bits;
	size_t run = 0;

	container_bits(container, &bits);
	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		for (uint64_t left = bits.words[word] & days->present[word]; left;
		     left &= left - 1) {
			const size_t place = word * 64 + (size_t)__builtin_ctzll(left);

			while (days->by_runs && run + 1 < days->count &&
			       days->first[run + 1] <= place)
				run++;
			if (days->by_runs)
				tallies[numbers[run]] += sign;
			else if (days->of[place] || days->count > UINT16_MAX)
				tallies[numbers[(uint16_t)(days->of[place] - 1)]] += sign;
		}
}

void segment_days_count(const struct segment_days *days, const struct container *container,
			bool mixed, const size_t *numbers, int64_t sign, int64_t *tallies)
{
	if (days->count == 0 || container->cardinality == 0)
		return;
	if (days->by_runs && !mixed)
		runs_count(days, container, numbers, sign, tallies);
	else
		rows_count(days, container, numbers, sign, tallies);
}

void segment_days_free(struct segment_days *days)
{
	free(days->days);
	free(days->of);
	*days = (struct segment_days){0};
}
