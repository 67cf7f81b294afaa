#include "unit.h"

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bitmap/roaring_format.h"
#include "random.h"

static void set_bit(uint64_t *words, unsigned bit)
{
	words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* Bits of one of the shapes that decide about an encoding. */
static void random_words(uint64_t *seed, uint64_t words[SEGMENT_WORDS])
{
	unsigned shape = random_below(seed, 6);
	unsigned count = 1 + random_below(seed, shape == 1 ? 5000 : 40);

	memset(words, 0, SEGMENT_WORDS * sizeof(*words));
	switch (shape) {
	case 0: /* none */
		return;
	case 1: /* an array or nearly a bitset */
		for (unsigned i = 0; i < count; i++)
			set_bit(words, random_below(seed, SEGMENT_ROWS));
		return;
	case 2: /* everything, with a few holes or none */
		memset(words, 0xff, SEGMENT_WORDS * sizeof(*words));
		for (unsigned i = 1; i < count; i++)
			words[random_below(seed, SEGMENT_WORDS)] = random_next(seed);
		return;
	case 3: /* half */
		for (size_t i = 0; i < SEGMENT_WORDS; i++)
			words[i] = random_next(seed);
		return;
	default: /* runs, the ends of the segment among them */
		for (unsigned i = 0; i < count; i++) {
			unsigned start = random_below(seed, SEGMENT_ROWS);
			unsigned length = random_below(seed, 3000);

			for (unsigned bit = start; bit < start + length && bit < SEGMENT_ROWS;
			     bit++)
				set_bit(words, bit);
		}
		if (random_below(seed, 2))
			set_bit(words, SEGMENT_ROWS - 1);
		if (random_below(seed, 2))
			set_bit(words, 0);
	}
}

static roaring_bitmap_t *roaring_of(int64_t chunk, uint64_t words[][SEGMENT_WORDS])
{
	roaring_bitmap_t *bits = roaring_bitmap_create();
	uint32_t base = (uint32_t)((uint64_t)chunk << CHUNK_SHIFT);

	for (uint32_t i = 0; i < CHUNK_SEGMENTS; i++)
		for (uint32_t bit = 0; bit < SEGMENT_ROWS; bit++)
			if (words[i][bit / 64] >> (bit % 64) & 1)
				roaring_bitmap_add(bits, base + i * SEGMENT_ROWS + bit);
	roaring_bitmap_run_optimize(bits);
	return bits;
}

/* Leaves out empty words, and in every other block not, as a set may. */
static void bits_of_words(const uint64_t *words, struct segment_bits *bits)
{
	memset(bits->words, 0xaa, sizeof(bits->words));
	segment_bits_clear(bits);
	for (size_t i = 0; i < SEGMENT_WORDS; i++) {
		if (!words[i] && i / BLOCK_WORDS % 2)
			continue;
		bits->occupied[i / BLOCK_WORDS] |= UINT64_C(1) << (i % BLOCK_WORDS);
		bits->words[i] = words[i];
	}
}

static size_t encode_chunk(int64_t chunk, uint64_t words[][SEGMENT_WORDS], unsigned present,
			   uint8_t *out, uint64_t *rows)
{
	static uint8_t bytes[CHUNK_SEGMENTS][CONTAINER_BYTES_MAX];
	static struct segment_bits bits;
	struct container containers[CHUNK_SEGMENTS];

	for (unsigned i = 0; i < CHUNK_SEGMENTS; i++) {
		if (!(present >> i & 1))
			memset(words[i], 0, SEGMENT_WORDS * sizeof(*words[i]));
		bits_of_words(words[i], &bits);
		container_encode(chunk * CHUNK_SEGMENTS + i, &bits, kernels_best(), bytes[i],
				 &containers[i]);
	}
	return chunk_encode(containers, out, rows);
}

static void a_chunk_is_the_bytes_that_croaring_writes(void **state)
{
	static uint64_t words[CHUNK_SEGMENTS][SEGMENT_WORDS];
	static uint8_t out[CHUNK_BYTES_MAX];
	static char theirs[CHUNK_BYTES_MAX];
	uint64_t seed = 3;
	size_t rounds = random_rounds(60);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		int64_t chunk =
			(int64_t)random_next(&seed) >> (CHUNK_SHIFT + random_below(&seed, 44));
		struct message message;
		roaring_bitmap_t *bits;
		uint64_t rows;
		uint64_t checked;
		uint16_t first;
		uint16_t last;
		size_t size;

		for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
			random_words(&seed, words[i]);
		size = encode_chunk(chunk, words, (unsigned)random_next(&seed), out, &rows);
		bits = roaring_of(chunk, words);
		assert_int_equal(rows, roaring_bitmap_get_cardinality(bits));
		if (rows > 0) {
			assert_int_equal(size, roaring_bitmap_portable_size_in_bytes(bits));
			roaring_bitmap_portable_serialize(bits, theirs);
			assert_memory_equal(out, theirs, size);
			assert_int_equal(
				roaring_format_check(out, size, &checked, &first, &last, &message),
				STATUS_OK);
			assert_int_equal(checked, rows);
			assert_int_equal(first, roaring_bitmap_minimum(bits) >> 16);
			assert_int_equal(last, roaring_bitmap_maximum(bits) >> 16);
		} else {
			assert_int_equal(size, 0);
		}
		roaring_bitmap_free(bits);
	}
}

/* What roaring_format_check accepts, CRoaring reads as that many values, and writes back as they
 * were. */
static void assert_harmless(const uint8_t *bytes, size_t size)
{
	struct message message;
	uint64_t rows;
	uint16_t first;
	uint16_t last;
	roaring_bitmap_t *bits;
	uint32_t *values;

	if (roaring_format_check(bytes, size, &rows, &first, &last, &message) != STATUS_OK)
		return;
	bits = roaring_bitmap_portable_deserialize_safe((const char *)bytes, size);
	assert_non_null(bits);
	assert_int_equal(roaring_bitmap_get_cardinality(bits), rows);
	values = malloc((rows + 1) * sizeof(*values));
	roaring_bitmap_to_uint32_array(bits, values);
	for (uint64_t i = 1; i < rows; i++)
		if (values[i - 1] >= values[i])
			fail_msg("values do not ascend");
	free(values);
	roaring_bitmap_free(bits);
}

static void whatever_passes_the_check_is_harmless(void **state)
{
	static uint64_t words[CHUNK_SEGMENTS][SEGMENT_WORDS];
	static uint8_t out[CHUNK_BYTES_MAX];
	uint64_t seed = 4;
	size_t rounds = random_rounds(4000);
	uint64_t rows;
	size_t size = 0;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		uint8_t *copy;
		size_t length;

		if (round % 100 == 0) {
			for (size_t i = 0; i < CHUNK_SEGMENTS; i++)
				random_words(&seed, words[i]);
			size = encode_chunk(0, words, (unsigned)random_next(&seed), out, &rows);
		}
		if (size == 0)
			continue;
		length = random_below(&seed, 4) ? size : random_below(&seed, (unsigned)size);
		copy = malloc(length +
			      1); /* exactly as long, so that a sanitizer sees any overrun */
		memcpy(copy, out, length);
		for (unsigned i = random_below(&seed, 4); i > 0 && length > 0; i--) {
			unsigned span =
				random_below(&seed, 2) && length > 200 ? 200 : (unsigned)length;

			copy[random_below(&seed, span)] = (uint8_t)random_next(&seed);
		}
		assert_harmless(copy, length);
		free(copy);
	}
}

static void assert_refused(const uint8_t *bytes, size_t size)
{
	struct message message;
	uint64_t rows;
	uint16_t first;
	uint16_t last;

	assert_int_equal(roaring_format_check(bytes, size, &rows, &first, &last, &message),
			 STATUS_FAILED);
}

static void each_rule_of_the_format_is_checked(void **state)
{
	/* One array container, key 0: 1, 5. */
	static const uint8_t array[] = {0x3a, 0x30, 0,	0, 1, 0, 0, 0, 0, 0,
					1,    0,    16, 0, 0, 0, 1, 0, 5, 0};
	/* One run container, key 0: 2 runs, 1-2 and 5-5. */
	static const uint8_t runs[] = {0x3b, 0x30, 0, 0, 1, 0, 0, 2, 0, 2,
				       0,    1,	   0, 1, 0, 5, 0, 0, 0};
	struct message message;
	uint64_t rows;
	uint16_t first;
	uint16_t last;
	static const struct {
		const uint8_t *bytes;
		size_t size;
		size_t at;
		uint8_t value;
	} damages[] = {
		{array, sizeof(array), 0, 0x39}, /* cookie */
		{array, sizeof(array), 4, 2},	 /* more containers than there are */
		{array, sizeof(array), 6, 2},	 /* 131073 containers */
		{array, sizeof(array), 10, 2},	 /* a cardinality above the array */
		{array, sizeof(array), 12, 17},	 /* offset */
		{array, sizeof(array), 18, 1},	 /* not ascending */
		{runs, sizeof(runs), 4, 0},	 /* not a run container: too long then */
		{runs, sizeof(runs), 7, 3},	 /* cardinality */
		{runs, sizeof(runs), 9, 3},	 /* more runs than there are */
		{runs, sizeof(runs), 13, 4},	 /* overlap */
		{runs, sizeof(runs), 2, 1},	 /* two containers */
	};

	(void)state;
	assert_int_equal(roaring_format_check(array, sizeof(array), &rows, &first, &last, &message),
			 STATUS_OK);
	assert_int_equal(rows, 2);
	assert_int_equal(roaring_format_check(runs, sizeof(runs), &rows, &first, &last, &message),
			 STATUS_OK);
	assert_int_equal(rows, 3);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		uint8_t copy[sizeof(array)];

		memcpy(copy, damages[i].bytes, damages[i].size);
		copy[damages[i].at] = damages[i].value;
		assert_refused(copy, damages[i].size);
	}
	for (size_t size = 0; size < sizeof(array); size++)
		assert_refused(array, size);
	for (size_t size = 0; size < sizeof(runs); size++)
		assert_refused(runs, size);
}

static void an_empty_bitmap_is_valid_and_bytes_behind_the_end_are_not(void **state)
{
	static const uint8_t empty[] = {0x3a, 0x30, 0, 0, 0, 0, 0, 0, 0};
	struct message message;
	uint64_t rows = 1;
	uint16_t first;
	uint16_t last;

	(void)state;
	assert_int_equal(roaring_format_check(empty, 8, &rows, &first, &last, &message), STATUS_OK);
	assert_int_equal(rows, 0);
	assert_refused(empty, 9);
}

static void a_run_may_not_leave_its_container(void **state)
{
	static const uint8_t bytes[] = {0x3b, 0x30, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0xff, 0xff, 1, 0};

	(void)state;
	assert_refused(bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_is_the_bytes_that_croaring_writes),
		cmocka_unit_test(whatever_passes_the_check_is_harmless),
		cmocka_unit_test(each_rule_of_the_format_is_checked),
		cmocka_unit_test(an_empty_bitmap_is_valid_and_bytes_behind_the_end_are_not),
		cmocka_unit_test(a_run_may_not_leave_its_container),
	};

	return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}
