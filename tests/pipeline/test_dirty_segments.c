/* Which segments are read again: those a change can have touched, and no other. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rowid.h"
#include "index/index_format.h"
#include "paths.h"
#include "pipeline/dirty_segments.h"
#include "random.h"

enum { NOTED_MAX = 20 };

static sqlite3 *index_make(const int64_t *segments, size_t count)
{
	struct message message;
	sqlite3 *database = must_make(":memory:", "");

	assert_int_equal(index_format_make(database, 0, "UTF-8", &message), STATUS_OK);
	for (size_t i = 0; i < count; i++) {
		char sql[128];

		snprintf(sql, sizeof(sql),
			 "INSERT OR IGNORE INTO connbits_header VALUES (1, %lld, 1, x'00')",
			 (long long)segments[i]);
		must_run(database, sql);
	}
	return database;
}

static void expect(const struct dirty_search *search, const int64_t *numbers, size_t count)
{
	struct dirty_segments dirty;
	struct message message;

	assert_int_equal(dirty_segments_find(&dirty, search, &message), STATUS_OK);
	assert_int_equal(dirty.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(dirty.numbers[i] == numbers[i]);
	dirty_segments_free(&dirty);
}

static void nothing_is_dirty_where_nothing_happened(void **state)
{
	const int64_t segments[] = {0, 1, 2};
	sqlite3 *database = index_make(segments, 3);
	const struct index_source indexed = {.id = 1, .first_row = 1, .last_row = 150000};
	const struct dirty_search search = {.database = database,
					    .indexed = &indexed,
					    .first_row = 1,
					    .last_row = 150000,
					    .log_first = 1,
					    .log_last = 150000};

	(void)state;
	expect(&search, NULL, 0);
	sqlite3_close(database);
}

static void new_rows_dirty_the_segment_they_go_on_with(void **state)
{
	const int64_t segments[] = {0, 1, 2};
	const int64_t last[] = {2};
	sqlite3 *database = index_make(segments, 3);
	const struct index_source indexed = {.id = 1, .first_row = 1, .last_row = 150000};
	const struct dirty_search search = {.database = database,
					    .indexed = &indexed,
					    .first_row = 1,
					    .last_row = 150000,
					    .log_first = 1,
					    .log_last = 9000000};

	(void)state;
	expect(&search, last, 1);
	sqlite3_close(database);
}

static void retention_dirties_what_is_left_of_its_first_chunk(void **state)
{
	/* Chunk 1 has the segments 16 to 31; the log begins in 18 now, and 17 has no row any more.
	 */
	const int64_t segments[] = {3, 16, 17, 18, 19, 40};
	const int64_t left[] = {16, 17, 18};
	sqlite3 *database = index_make(segments, 6);
	const struct index_source indexed = {
		.id = 1, .first_row = INT64_C(16) << 16, .last_row = INT64_C(40) << 16};
	const struct dirty_search search = {.database = database,
					    .indexed = &indexed,
					    .first_row = 1,
					    .last_row = INT64_C(40) << 16,
					    .log_first = (INT64_C(18) << 16) + 5,
					    .log_last = INT64_C(40) << 16};

	(void)state;
	expect(&search, left, 3);
	sqlite3_close(database);
}

static int compare_numbers(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Each segment, once, by the definition. */
static bool is_dirty(const struct dirty_search *search, const int64_t *stored, size_t stored_count,
		     int64_t segment)
{
	const int64_t first = segment_of(search->log_first);

	for (size_t i = 0; i < search->noted_count; i++)
		if (search->noted[i] == segment && segment >= first &&
		    segment <= segment_of(search->last_row))
			return true;
	if (search->log_last > search->last_row && segment == segment_of(search->last_row))
		return true;
	if (search->log_first <= search->first_row || segment > first ||
	    chunk_of_segment(segment) != chunk_of_segment(first))
		return false;
	for (size_t i = 0; i < stored_count; i++)
		if (stored[i] == segment)
			return true;
	return false;
}

static void what_is_dirty_follows_from_log_and_notes(void **state)
{
	uint64_t seed = 21;

	(void)state;
	for (size_t round = 0; round < random_rounds(300); round++) {
		int64_t stored[30];
		int64_t noted[NOTED_MAX];
		struct index_source indexed = {.id = 1};
		struct dirty_search search = {.indexed = &indexed, .noted = noted};
		struct dirty_segments dirty;
		struct message message;
		size_t next = 0;

		for (size_t i = 0; i < 30; i++)
			stored[i] = (int64_t)random_below(&seed, 60) - 20;
		qsort(stored, 30, sizeof(*stored), compare_numbers);
		search.first_row = segment_first_row(stored[0]) + random_below(&seed, 65536);
		search.last_row = segment_first_row(stored[29]) + random_below(&seed, 65536);
		if (search.last_row < search.first_row)
			search.last_row = search.first_row;
		search.log_first =
			random_below(&seed, 2)
				? search.first_row
				: search.first_row + (int64_t)(random_next(&seed) %
							       (uint64_t)(search.last_row -
									  search.first_row + 1));
		search.log_last =
			search.last_row +
			(random_below(&seed, 2) ? (int64_t)random_below(&seed, 2) : 100000);
		/* Whole chunks ahead of the log's first row have gone by then. */
		indexed.first_row =
			chunk_first_row(chunk_of_row(search.log_first)) > search.first_row
				? chunk_first_row(chunk_of_row(search.log_first))
				: search.first_row;
		indexed.last_row = search.last_row;
		search.noted_count = random_below(&seed, NOTED_MAX);
		for (size_t i = 0; i < search.noted_count; i++)
			noted[i] = (int64_t)random_below(&seed, 80) - 30;
		qsort(noted, search.noted_count, sizeof(*noted), compare_numbers);
		search.database = index_make(stored, 30);
		assert_int_equal(dirty_segments_find(&dirty, &search, &message), STATUS_OK);
		for (int64_t segment = -40; segment < 60; segment++) {
			const bool expected = is_dirty(&search, stored, 30, segment);
			const bool found = next < dirty.count && dirty.numbers[next] == segment;

			assert_int_equal(found, expected);
			next += found;
		}
		assert_int_equal(next, dirty.count);
		dirty_segments_free(&dirty);
		sqlite3_close(search.database);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_dirty_where_nothing_happened),
		cmocka_unit_test(new_rows_dirty_the_segment_they_go_on_with),
		cmocka_unit_test(retention_dirties_what_is_left_of_its_first_chunk),
		cmocka_unit_test(what_is_dirty_follows_from_log_and_notes),
	};

	return cmocka_run_group_tests_name("dirty_segments", tests, NULL, NULL);
}
