/* Times in a column: made, read back, and read by the page that says what they are. */
#include "unit.h"

#include <string.h>

#include "column/time_column.h"
#include "packet/instant.h"
#include "plain_time.h"
#include "random.h"

static int64_t times[SEGMENT_ROWS];
static int64_t given[SEGMENT_ROWS];
static int64_t plain[SEGMENT_ROWS];
static uint8_t bytes[TIME_COLUMN_SIZE_MAX];
static struct time_column column;

static enum status memory_read(void *context, size_t at, size_t size, uint8_t *out,
			       struct message *message)
{
	(void)message;
	memcpy(out, (const uint8_t *)context + at, size);
	return STATUS_OK;
}

static enum status open_bytes(size_t size, struct message *message)
{
	return time_column_open(&column, memory_read, bytes, size, message);
}

/* In order or not, in one unit or another, with gaps or without a time at all. */
static size_t random_times(uint64_t *seed)
{
	static const size_t some_rows[] = {1, 2, 63, 64, 65, 255, 256, 257, 3000, SEGMENT_ROWS};
	static const int64_t some_units[] = {1, 7, 1000, 1000000, 60000000};
	const size_t rows = some_rows[random_below(seed, 10)];
	const int64_t unit = some_units[random_below(seed, 5)];
	const unsigned without = (unsigned[]){0, 0, 1, 50, 100}[random_below(seed, 5)];
	const unsigned bits = random_below(seed, 44);
	const bool wild = random_below(seed, 12) == 0;
	int64_t now = (int64_t)random_next(seed) >> 12;

	for (size_t row = 0; row < rows; row++) {
		now += unit * (int64_t)random_below(seed, 3);
		times[row] =
			bits < 20 ? now : now + unit * (int64_t)(random_next(seed) >> (20 + bits));
		if (wild && random_below(seed, 50) == 0)
			times[row] = random_below(seed, 2) ? INT64_MAX : INT64_MIN + 1;
		if (random_below(seed, 100) < without)
			times[row] = INSTANT_NONE;
	}
	return rows;
}

static size_t encode(size_t rows)
{
	memcpy(given, times, rows * sizeof(*times));
	return time_column_encode(given, rows, bytes);
}

static void what_is_written_is_read_and_is_as_the_page_says(void **state)
{
	uint64_t seed = 17;
	size_t rounds = random_rounds(400);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		const size_t rows = random_times(&seed);
		const size_t size = encode(rows);
		const int64_t *back;
		struct message message;
		size_t plain_rows;

		assert_true(size <= TIME_COLUMN_SIZE_MAX);
		assert_int_equal(open_bytes(size, &message), STATUS_OK);
		assert_int_equal(column.rows, rows);
		assert_int_equal(time_column_read(&column, &back, &message), STATUS_OK);
		assert_memory_equal(back, times, rows * sizeof(*times));
		assert_true(plain_time_read(bytes, size, plain, &plain_rows));
		assert_int_equal(plain_rows, rows);
		assert_memory_equal(plain, times, rows * sizeof(*times));
	}
}

static void assert_between(size_t rows, int64_t first, int64_t last)
{
	uint64_t found[SEGMENT_WORDS];
	struct message message;
	bool all = true;
	bool none = true;

	assert_int_equal(time_column_between(&column, first, last, found, &message), STATUS_OK);
	for (size_t row = 0; row < SEGMENT_ROWS; row++) {
		const bool has = row < rows && times[row] != INSTANT_NONE;
		const bool in = has && times[row] >= first && times[row] <= last;

		if (in != (found[row / 64] >> (row % 64) & 1))
			fail_msg("row %zu of %zu: %d", row, rows, in);
		all &= in || !has;
		none &= !in;
	}
	assert_true(all || !time_column_all_in(&column, first, last));
	assert_true(none || !time_column_none_in(&column, first, last));
}

static void a_range_of_times_is_found(void **state)
{
	uint64_t seed = 18;
	size_t rounds = random_rounds(60);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		const size_t rows = random_times(&seed);
		struct message message;

		assert_int_equal(open_bytes(encode(rows), &message), STATUS_OK);
		assert_between(rows, INT64_MIN, INT64_MAX);
		assert_between(rows, column.earliest, column.latest);
		assert_between(rows, INT64_MIN, column.earliest - 1);
		for (int i = 0; i < 3; i++) {
			const int64_t first = times[random_below(&seed, (unsigned)rows)];
			const int64_t last = times[random_below(&seed, (unsigned)rows)];

			assert_between(rows, first, last);
			assert_between(rows, first, INT64_MAX);
			assert_between(rows, INT64_MIN, last);
		}
	}
}

/* A log in whole seconds takes the bits that its seconds take. */
static void a_coarser_unit_takes_fewer_bytes(void **state)
{
	size_t size;

	(void)state;
	for (size_t row = 0; row < SEGMENT_ROWS; row++)
		times[row] = INT64_C(1700000000000000) + (int64_t)(row / 4) * 1000000;
	size = encode(SEGMENT_ROWS);
	assert_true(size <= SEGMENT_ROWS * 6 / 8 + TIME_BLOCKS * 9 + TIME_HEAD_SIZE);
	for (size_t row = 0; row < SEGMENT_ROWS; row++)
		times[row] = 5;
	assert_int_equal(encode(SEGMENT_ROWS), TIME_HEAD_SIZE);
}

/* One bit is another, or the end is missing: what the page says is refused is. */
static void damage_is_refused_as_the_page_says(void **state)
{
	uint64_t seed = 19;
	size_t rounds = random_rounds(2000);
	size_t refused = 0;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		size_t rows = random_times(&seed) % 700 + 1;
		size_t size = encode(rows);
		const int64_t *back;
		struct message message;
		bool known;

		if (random_below(&seed, 4))
			bytes[random_below(&seed, random_below(&seed, 2) ? 40 : (unsigned)size)] ^=
				(uint8_t)(1U << random_below(&seed, 8));
		else
			size -= 1 + random_below(&seed, 9);
		known = plain_time_read(bytes, size, plain, &rows);
		refused += !known;
		if (known != (open_bytes(size, &message) == STATUS_OK &&
			      time_column_read(&column, &back, &message) == STATUS_OK))
			fail_msg("round %zu: %d", round, known);
		if (known)
			assert_memory_equal(back, plain, rows * sizeof(*plain));
	}
	assert_true(refused > rounds / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_and_is_as_the_page_says),
		cmocka_unit_test(a_range_of_times_is_found),
		cmocka_unit_test(a_coarser_unit_takes_fewer_bytes),
		cmocka_unit_test(damage_is_refused_as_the_page_says),
	};
	const int failed = cmocka_run_group_tests_name("times", tests, NULL, NULL);

	time_column_free(&column);
	return failed;
}
