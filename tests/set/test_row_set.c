#include "unit.h"

#include <roaring/roaring.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap/roaring_format.h"
#include "random.h"
#include "set/row_set.h"
#include "set/row_set_blob.h"
#include "set/row_set_cursor.h"

static int compare_rows(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Makes a set of ascending, distinct row ids. */
static void set_make(struct row_set *set, const int64_t *rows, size_t count)
{
	struct message message;

	*set = (struct row_set){0};
	for (size_t i = 0; i < count;) {
		const int64_t segment = segment_of(rows[i]);
		uint8_t out[CONTAINER_BYTES_MAX];
		struct container container;
		struct segment_bits bits;

		segment_bits_clear(&bits);
		for (; i < count && segment_of(rows[i]) == segment; i++)
			segment_bits_add(&bits, segment_place(rows[i]));
		container_encode(segment, &bits, kernels_best(), out, &container);
		assert_int_equal(row_set_append(set, &container, &message), STATUS_OK);
	}
}

static void random_rows(uint64_t *seed, int64_t *rows, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		rows[i] = (int64_t)random_next(seed) >> random_below(seed, 60);
	qsort(rows, *count, sizeof(*rows), compare_rows);
	for (size_t i = 0; i < *count; i++)
		if (kept == 0 || rows[kept - 1] != rows[i])
			rows[kept++] = rows[i];
	*count = kept;
}

static void membership_rank_and_values_are_those_of_the_row_ids(void **state)
{
	uint64_t seed = 7;
	size_t rounds = random_rounds(200);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		int64_t rows[300];
		size_t count = random_below(&seed, 300);
		struct row_set_cursor cursor = {0};
		struct message message;
		struct row_set set;
		size_t next = 0;

		random_rows(&seed, rows, &count);
		set_make(&set, rows, count);
		assert_int_equal(set.rows, count);
		for (size_t i = 0; i < count; i++) {
			assert_true(row_set_contains(&set, rows[i]));
			assert_int_equal(row_set_rank(&set, rows[i]), i);
			if (rows[i] < INT64_MAX && (i + 1 == count || rows[i + 1] != rows[i] + 1)) {
				assert_false(row_set_contains(&set, rows[i] + 1));
				assert_int_equal(row_set_rank(&set, rows[i] + 1), i + 1);
			}
		}
		for (assert_int_equal(row_set_cursor_start(&cursor, &set, INT64_MIN, INT64_MAX,
							   false, &message),
				      STATUS_OK);
		     !cursor.at_end; row_set_cursor_next(&cursor, &message))
			assert_int_equal(cursor.rowid, rows[next++]);
		assert_int_equal(next, count);
		row_set_cursor_free(&cursor);
		row_set_free(&set);
	}
}

/* Reads what row_set_export wrote, in the form it should have. */
static size_t import(const uint8_t *bytes, size_t size, bool wide, int64_t *rows)
{
	size_t at = 0;
	size_t count = 0;
	uint64_t buckets = 1;

	if (wide) {
		memcpy(&buckets, bytes, 8);
		at = 8;
	}
	for (uint64_t bucket = 0; bucket < buckets; bucket++) {
		uint32_t key = 0;
		roaring_bitmap_t *bits;
		uint32_t values[300];
		uint64_t cardinality;

		if (wide) {
			memcpy(&key, bytes + at, 4);
			at += 4;
		}
		bits = roaring_bitmap_portable_deserialize_safe((const char *)bytes + at,
								size - at);
		assert_non_null(bits);
		cardinality = roaring_bitmap_get_cardinality(bits);
		assert_true(cardinality <= 300);
		roaring_bitmap_to_uint32_array(bits, values);
		for (uint64_t i = 0; i < cardinality; i++)
			rows[count++] = (int64_t)((uint64_t)key << 32 | values[i]);
		at += roaring_bitmap_portable_size_in_bytes(bits);
		roaring_bitmap_free(bits);
	}
	assert_int_equal(at, size);
	return count;
}

static void an_export_is_32_bit_if_it_can_be_and_64_bit_otherwise(void **state)
{
	uint64_t seed = 8;
	size_t rounds = random_rounds(200);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		int64_t rows[300];
		int64_t read[300];
		size_t count = random_below(&seed, 300);
		struct row_set set;
		struct message message;
		uint8_t *bytes;
		size_t size;
		bool wide;

		random_rows(&seed, rows, &count);
		if (random_below(&seed, 2)) {
			for (size_t i = 0; i < count; i++)
				rows[i] &= 0xffffffff;
			qsort(rows, count, sizeof(*rows), compare_rows);
			for (size_t i = 1; i < count; i++)
				if (rows[i] <= rows[i - 1])
					rows[i] = rows[i - 1] + 1;
		}
		set_make(&set, rows, count);
		wide = count > 0 && (rows[0] < 0 || rows[count - 1] > UINT32_MAX);
		assert_int_equal(row_set_export(&set, &bytes, &size, &message), STATUS_OK);
		assert_int_equal(import(bytes, size, wide, read), count);
		qsort(read, count, sizeof(*read), compare_rows);
		assert_memory_equal(read, rows, count * sizeof(*rows));
		sqlite3_free(bytes);
		row_set_free(&set);
	}
}

static void an_empty_set_exports_as_the_empty_bitmap(void **state)
{
	static const uint8_t empty[] = {0x3a, 0x30, 0, 0, 0, 0, 0, 0};
	struct row_set set = {0};
	struct message message;
	uint8_t *bytes;
	size_t size;

	(void)state;
	assert_int_equal(row_set_export(&set, &bytes, &size, &message), STATUS_OK);
	assert_int_equal(size, sizeof(empty));
	assert_memory_equal(bytes, empty, size);
	sqlite3_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(membership_rank_and_values_are_those_of_the_row_ids),
		cmocka_unit_test(an_export_is_32_bit_if_it_can_be_and_64_bit_otherwise),
		cmocka_unit_test(an_empty_set_exports_as_the_empty_bitmap),
	};

	return cmocka_run_group_tests_name("row_set", tests, NULL, NULL);
}
