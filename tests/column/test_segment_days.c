/* The days of a segment's rows, counted for any bitmap, are those of a look at each row. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "column/segment_days.h"
#include "packet/day_text.h"
#include "packet/instant.h"
#include "random.h"

enum { ROWS_HEAD = 5 };

static int64_t at[SEGMENT_ROWS]; /* by place; INSTANT_NONE also without a header */
static int64_t times[SEGMENT_ROWS];
static uint8_t bytes[ROWS_HEAD + CONTAINER_BYTES_MAX + TIME_COLUMN_SIZE_MAX];
static uint8_t encoded[CONTAINER_BYTES_MAX];
static struct segment_bits present;
static struct segment_bits some;
static struct segment_days days;
static size_t numbers[SEGMENT_ROWS];
static int64_t tallies[SEGMENT_ROWS];

enum times_as { IN_ORDER, NEARLY, ANYHOW, EACH_ITS_OWN, TIMES_AS };

static int64_t random_time(uint64_t *seed, enum times_as as, int64_t *now)
{
	*now += (int64_t)random_below(seed, 4) * 1000000;
	switch (as) {
	case IN_ORDER:
		return *now;
	case NEARLY:
		return *now - (int64_t)random_below(seed, 3) * 60000000;
	case ANYHOW:
		return (int64_t)(random_next(seed) >> 12);
	default:
		return *now += DAY_MICROSECONDS;
	}
}

/* Columns of rows and of times alone, which is what days are made of. */
static void columns_make(uint64_t *seed, struct packed_columns *packed)
{
	const enum times_as as = (enum times_as)random_below(seed, TIMES_AS);
	const unsigned gaps = (unsigned[]){0, 0, 5, 90}[random_below(seed, 4)];
	const unsigned without = (unsigned[]){0, 0, 0, 3, 100}[random_below(seed, 5)];
	int64_t now = (int64_t)(random_next(seed) >> 13) - (INT64_C(1) << 50);
	struct container container;
	size_t rows = 0;

	memset(present.words, 0, sizeof(present.words));
	memset(present.occupied, 0xff, sizeof(present.occupied));
	for (size_t place = 0; place < SEGMENT_ROWS; place++) {
		at[place] = INSTANT_NONE;
		if (place != 77 && random_below(seed, 100) < gaps)
			continue;
		present.words[place / 64] |= UINT64_C(1) << (place % 64);
		if (random_below(seed, 100) >= without)
			at[place] = random_time(seed, as, &now);
		times[rows++] = at[place];
	}
	container_encode(0, &present, kernels_best(), bytes + ROWS_HEAD, &container);
	write_little_endian_32(bytes, container.cardinality);
	bytes[4] = container.is_run;
	*packed = (struct packed_columns){.bytes = bytes};
	packed->sizes[STORED_ROWS] = ROWS_HEAD + container.size;
	packed->sizes[STORED_TIME] =
		time_column_encode(times, rows, bytes + packed->sizes[STORED_ROWS]);
}

/* Some of the rows that have a header, or of all where they are mixed: a few, most, or a stretch of
 * them. */
static void some_choose(uint64_t *seed, bool mixed, struct container *container)
{
	const unsigned share = (unsigned[]){0, 1, 40, 100}[random_below(seed, 4)];
	const size_t first = random_below(seed, 2) ? 0 : random_below(seed, SEGMENT_ROWS);

	for (size_t word = 0; word < SEGMENT_WORDS; word++)
		some.words[word] = mixed ? UINT64_MAX : present.words[word];
	memset(some.occupied, 0xff, sizeof(some.occupied));
	for (size_t place = 0; place < SEGMENT_ROWS; place++)
		if (place < first || random_below(seed, 100) >= share)
			some.words[place / 64] &= ~(UINT64_C(1) << (place % 64));
	*container = (struct container){.cardinality = 0};
	container_encode(0, &some, kernels_best(), encoded, container);
}

static int64_t rows_on(int64_t day)
{
	int64_t rows = 0;

	for (size_t place = 0; place < SEGMENT_ROWS; place++)
		rows += (some.words[place / 64] >> (place % 64) & 1) && at[place] != INSTANT_NONE &&
			instant_floor(at[place], DAY_MICROSECONDS) == day;
	return rows;
}

static int64_t rows_timed(void)
{
	int64_t rows = 0;

	for (size_t place = 0; place < SEGMENT_ROWS; place++)
		rows += (some.words[place / 64] >> (place % 64) & 1) && at[place] != INSTANT_NONE;
	return rows;
}

/* A few days are held against the rows one by one, and all of them together. */
static void count_check(uint64_t *seed, const struct container *container, bool mixed)
{
	int64_t all = 0;

	memset(tallies, 0, sizeof(tallies));
	for (size_t i = 0; i < days.count; i++)
		numbers[i] = i;
	segment_days_count(&days, container, mixed, numbers, 1, tallies);
	for (size_t i = 0; i < days.count; i++)
		all += tallies[i];
	assert_int_equal(all, rows_timed());
	for (size_t try = 0; days.count && try < 5; try++) {
		const int64_t day = days.days[random_below(seed, (unsigned)days.count)];
		int64_t counted = 0;

		for (size_t i = 0; i < days.count; i++)
			counted += days.days[i] == day ? tallies[i] : 0;
		assert_int_equal(counted, rows_on(day));
	}
	segment_days_count(&days, container, mixed, numbers, -1, tallies);
	for (size_t i = 0; i < days.count; i++)
		assert_int_equal(tallies[i], 0);
}

static void days_are_those_of_each_row(void **state)
{
	struct segment_columns *columns = segment_columns_new();
	uint64_t seed = 5;

	(void)state;
	assert_non_null(columns);
	for (size_t round = 0; round < random_rounds(60); round++) {
		struct packed_columns packed;
		struct column_supply supply;
		struct container container;
		struct message message;

		columns_make(&seed, &packed);
		supply = packed_columns_supply(&packed);
		segment_columns_begin(columns, &supply);
		assert_int_equal(segment_days_read(&days, columns, &message), STATUS_OK);
		for (size_t i = 0; i < 4; i++) {
			const bool mixed = random_below(&seed, 2);

			some_choose(&seed, mixed, &container);
			count_check(&seed, &container, mixed);
		}
	}
	segment_days_free(&days);
	segment_columns_free(columns);
}

static void a_day_is_told_in_any_year(void **state)
{
	static const struct {
		int64_t day;
		const char *text;
	} known[] = {
		{0, "1970-01-01"},	 {-1, "1969-12-31"},	  {59, "1970-03-01"},
		{789, "1972-02-29"},	 {11016, "2000-02-29"},	  {19675, "2023-11-14"},
		{47541, "2100-03-01"},	 {2932896, "9999-12-31"}, {2932897, "10000-01-01"},
		{-719528, "0000-01-01"}, {-719529, "-001-12-31"}, {-719162, "0001-01-01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		char text[DAY_TEXT_SIZE];

		assert_int_equal(day_text(known[i].day, text), strlen(known[i].text));
		assert_string_equal(text, known[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_those_of_each_row),
		cmocka_unit_test(a_day_is_told_in_any_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
