/* Row ids, segments, chunks and buckets on both sides of 0 and at both ends. */
#include "unit.h"

#include "base/rowid.h"
#include "random.h"

static int64_t some_rowid(uint64_t *seed)
{
	static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1,	  0,	    1,
				      65535,	 65536,		1048575,  1048576,  -65536,
				      -65537,	 -1048576,	-1048577, INT64_MAX};

	if (random_below(seed, 4) == 0)
		return odd[random_below(seed, sizeof(odd) / sizeof(*odd))];
	return (int64_t)random_next(seed) >> random_below(seed, 60);
}

static void a_row_lies_in_its_segment_and_chunk(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < random_rounds(100000); i++) {
		const int64_t row = some_rowid(&seed);
		const int64_t segment = segment_of(row);
		const int64_t chunk = chunk_of_row(row);

		assert_true(segment_first_row(segment) <= row && row <= segment_last_row(segment));
		assert_true(chunk_first_row(chunk) <= row && row <= chunk_last_row(chunk));
		assert_true(chunk_of_segment(segment) == chunk);
		assert_true(chunk_first_segment(chunk) <= segment &&
			    segment <= chunk_last_segment(chunk));
		assert_true(segment_first_row(segment) + segment_place(row) == row);
		assert_true(chunk_row(chunk, (uint32_t)row) == row);
		assert_true(bucket_first_segment(bucket_of_chunk(chunk)) + segment_key(segment) ==
			    segment);
	}
}

static void segments_and_chunks_follow_each_other(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (size_t i = 0; i < random_rounds(10000); i++) {
		const int64_t row = some_rowid(&seed);

		if (segment_of(row) < segment_of(INT64_MAX))
			assert_true(segment_last_row(segment_of(row)) + 1 ==
				    segment_first_row(segment_of(row) + 1));
		if (chunk_of_row(row) < chunk_of_row(INT64_MAX))
			assert_true(chunk_last_row(chunk_of_row(row)) + 1 ==
				    chunk_first_row(chunk_of_row(row) + 1));
	}
	assert_true(segment_last_row(segment_of(INT64_MAX)) == INT64_MAX);
	assert_true(segment_first_row(segment_of(INT64_MIN)) == INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_lies_in_its_segment_and_chunk),
		cmocka_unit_test(segments_and_chunks_follow_each_other),
	};

	return cmocka_run_group_tests_name("rowid", tests, NULL, NULL);
}
