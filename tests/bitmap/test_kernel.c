/*
 * Holds the kernels of every instruction set against plain loops over single
 * bits. Built for other machines too, where support/bare/cmocka.h stands for
 * the library.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bitmap/kernel.h"
#include "random.h"

static const char *const names[] = {"baseline", "avx2", "avx512"};

static void expect(bool holds, const struct kernels *kernels, const char *what)
{
	if (!holds)
		fail_msg("%s: %s", kernels->name, what);
}

static bool bit(const uint64_t *words, size_t row)
{
	return words[row / 64] >> (row % 64) & 1;
}

static void classes_compare(const struct kernels *kernels, uint64_t *seed)
{
	static uint8_t classes[CLASSES_BYTES];

	for (size_t i = 0; i < CLASSES_BYTES; i++)
		classes[i] = (uint8_t)random_below(seed, 128);
	for (int round = 0; round < 200; round++) {
		const uint8_t first = (uint8_t)random_below(seed, 128);
		const uint8_t last = (uint8_t)(first + random_below(seed, 128U - first));
		const size_t block = random_below(seed, SEGMENT_BLOCKS);
		const bool add = random_below(seed, 2);
		uint64_t before[BLOCK_WORDS];
		uint64_t words[BLOCK_WORDS];

		for (size_t i = 0; i < BLOCK_WORDS; i++)
			before[i] = words[i] = random_next(seed);
		kernels->classes_in(classes, block, first, last, add, words);
		for (size_t i = 0; i < BLOCK_ROWS; i++) {
			const size_t row = block * BLOCK_ROWS + i;
			const uint8_t class = classes[row % PLANES * PLANE_BYTES + row / PLANES];
			const bool in = class >= first && class <= last;

			expect(bit(words, i) == (in || (add && bit(before, i))), kernels,
			       "classes_in");
		}
	}
}

static void numbers_compare(const struct kernels *kernels, uint64_t *seed)
{
	enum { ROWS = 3 * RANK_GROUP, BOUNDS = 20 };

	for (int round = 0; round < 200; round++) {
		const size_t count = random_below(seed, BOUNDS + 1);
		uint32_t bounds[BOUNDS];
		uint32_t numbers[ROWS];
		uint32_t ranks[ROWS];

		for (size_t i = 0; i < BOUNDS; i++)
			bounds[i] = (uint32_t)random_next(seed);
		for (size_t i = 0; i < ROWS; i++)
			numbers[i] = random_below(seed, 2) ? bounds[random_below(seed, BOUNDS)]
							   : (uint32_t)random_next(seed);
		kernels->numbers_rank(numbers, ROWS, bounds, count, ranks);
		for (size_t i = 0; i < ROWS; i++) {
			uint32_t less = 0;

			for (size_t j = 0; j < count; j++)
				less += bounds[j] < numbers[i];
			expect(ranks[i] == less, kernels, "numbers_rank");
		}
	}
}

static void words_compare(const struct kernels *kernels, uint64_t *seed)
{
	for (int round = 0; round < 200; round++) {
		uint64_t words[BLOCK_WORDS];
		uint64_t other[BLOCK_WORDS];
		uint64_t result[BLOCK_WORDS];
		const uint64_t before = random_next(seed);
		const bool inverted = random_below(seed, 2);
		bool last = before >> 63;
		bool any = false;
		uint32_t counted[2] = {0};
		uint32_t bits = 5;
		uint32_t runs = 7;

		for (size_t i = 0; i < BLOCK_WORDS; i++) {
			words[i] = random_below(seed, 3) ? random_next(seed) : 0;
			other[i] = random_below(seed, 2) ? ~words[i] : random_next(seed);
		}
		memcpy(result, words, sizeof(words));
		kernels->words_or(result, other);
		for (size_t i = 0; i < BLOCK_WORDS; i++)
			expect(result[i] == (words[i] | other[i]), kernels, "words_or");
		memcpy(result, words, sizeof(words));
		for (size_t i = 0; i < BLOCK_WORDS; i++)
			any |= (words[i] & (inverted ? ~other[i] : other[i])) != 0;
		expect(kernels->words_and(result, other, inverted) == any, kernels, "words_and");
		for (size_t i = 0; i < BLOCK_WORDS; i++)
			expect(result[i] == (words[i] & (inverted ? ~other[i] : other[i])), kernels,
			       "words_and");
		kernels->words_count(words, before, &bits, &runs);
		for (size_t i = 0; i < BLOCK_ROWS; i++) {
			counted[0] += bit(words, i);
			counted[1] += bit(words, i) && !last;
			last = bit(words, i);
		}
		expect(bits == 5 + counted[0] && runs == 7 + counted[1], kernels, "words_count");
	}
}

/* Codes of random rows as planes, whatever stands behind the last row. */
enum { CODE_WORDS = 3 * PLANE_GROUP - 5, CODE_ROWS = CODE_WORDS * 64 };

static void planes_make(uint64_t *seed, unsigned bits, uint32_t *codes, uint64_t *planes)
{
	for (size_t i = 0; i < 32 * CODE_WORDS + PLANE_GROUP; i++)
		planes[i] = random_next(seed);
	for (size_t row = 0; row < CODE_ROWS; row++) {
		codes[row] = 0;
		for (unsigned plane = 0; plane < bits; plane++)
			codes[row] = codes[row] << 1 | bit(planes + plane * CODE_WORDS, row);
	}
}

static void planes_compare(const struct kernels *kernels, uint64_t *seed)
{
	static uint64_t planes[32 * CODE_WORDS + PLANE_GROUP];
	static uint32_t codes[CODE_ROWS];
	static uint16_t read[CODE_ROWS];
	uint64_t out[3 * PLANE_GROUP];
	uint64_t before[3 * PLANE_GROUP];

	for (int round = 0; round < 200; round++) {
		const unsigned bits = random_below(seed, 33);
		const bool add = random_below(seed, 2);
		uint32_t low;
		uint32_t high;

		planes_make(seed, bits, codes, planes);
		low = codes[random_below(seed, CODE_ROWS)] - random_below(seed, 2);
		high = random_below(seed, 3) ? codes[random_below(seed, CODE_ROWS)] : low;
		if (bits < 32)
			low &= (UINT32_C(1) << bits) - 1;
		if (low > high)
			high = low;
		for (size_t i = 0; i < 3 * PLANE_GROUP; i++)
			before[i] = out[i] = random_next(seed);
		kernels->planes_between(planes, CODE_WORDS, 3 * PLANE_GROUP, bits, low, high, add,
					out);
		for (size_t row = 0; row < CODE_ROWS; row++)
			expect(bit(out, row) == ((codes[row] >= low && codes[row] <= high) ||
						 (add && bit(before, row))),
			       kernels, "planes_between");
		if (bits > 16)
			continue;
		kernels->planes_codes(planes, CODE_WORDS, CODE_WORDS, bits, read);
		for (size_t row = 0; row < CODE_ROWS; row++)
			expect(read[row] == codes[row], kernels, "planes_codes");
	}
}

static void deposits_compare(const struct kernels *kernels, uint64_t *seed)
{
	enum { WORDS = 20 };

	for (int round = 0; round < 200; round++) {
		uint64_t bits[WORDS + 1];
		uint64_t mask[WORDS];
		uint64_t out[WORDS];
		size_t taken = 0;

		for (size_t i = 0; i <= WORDS; i++)
			bits[i] = random_next(seed);
		for (size_t i = 0; i < WORDS; i++)
			mask[i] = (uint64_t[]){
				0, UINT64_MAX, random_next(seed),
				UINT64_C(1) << random_below(seed, 64)}[random_below(seed, 4)];
		memcpy(out, mask, sizeof(out));
		/* In place, as it is used. */
		expect(kernels->bits_deposit(bits, out, WORDS, out) <= WORDS * 64, kernels,
		       "bits_deposit");
		for (size_t row = 0; row < (size_t)WORDS * 64; row++) {
			expect(bit(out, row) == (bit(mask, row) && bit(bits, taken)), kernels,
			       "bits_deposit");
			taken += bit(mask, row);
		}
		expect(kernels->bits_deposit(bits, mask, WORDS, out) == taken, kernels,
		       "bits_deposit");
	}
}

/* Compares with every instruction set that this processor has. */
static void with_each(void (*compare)(const struct kernels *kernels, uint64_t *seed))
{
	size_t tested = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct kernels *kernels = kernels_find(names[i]);
		uint64_t seed = 41;

		if (!kernels) {
			printf("NOT TESTED: this processor has no %s\n", names[i]);
			continue;
		}
		compare(kernels, &seed);
		tested++;
	}
	assert_true(tested > 0);
}

static void classes_are_compared_row_by_row(void **state)
{
	(void)state;
	with_each(classes_compare);
}

static void numbers_are_ranked_among_bounds(void **state)
{
	(void)state;
	with_each(numbers_compare);
}

static void words_are_joined_and_counted_bit_by_bit(void **state)
{
	(void)state;
	with_each(words_compare);
}

static void codes_in_planes_are_compared_and_read_row_by_row(void **state)
{
	(void)state;
	with_each(planes_compare);
}

static void bits_are_deposited_where_the_mask_has_them(void **state)
{
	(void)state;
	with_each(deposits_compare);
}

static void the_best_is_one_of_them(void **state)
{
	(void)state;
	assert_true(kernels_find(kernels_best()->name) == kernels_best());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_compared_row_by_row),
		cmocka_unit_test(numbers_are_ranked_among_bounds),
		cmocka_unit_test(words_are_joined_and_counted_bit_by_bit),
		cmocka_unit_test(codes_in_planes_are_compared_and_read_row_by_row),
		cmocka_unit_test(bits_are_deposited_where_the_mask_has_them),
		cmocka_unit_test(the_best_is_one_of_them),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
