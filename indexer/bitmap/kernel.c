#include "kernel.h"

#include <endian.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE void classes_in(const uint8_t *classes, size_t block, uint8_t first, uint8_t last, bool add,
		       uint64_t *words)
{
	enum { BYTES = BLOCK_ROWS / PLANES };
	const uint8_t *plane = classes + block * BYTES;
	const uint8_t span = (uint8_t)(last - first);
	uint8_t bytes[BYTES];
	uint64_t made[BLOCK_WORDS];

	for (size_t i = 0; i < BYTES; i++) {
		uint8_t bits = 0;

		for (size_t j = 0; j < PLANES; j++) {
			const uint8_t class = (uint8_t)(plane[j * PLANE_BYTES + i] - first);

			bits |= (uint8_t)((class <= span ? 0xff : 0) & (1 << j));
		}
		bytes[i] = bits;
	}
	memcpy(made, bytes, sizeof(made));
	for (size_t i = 0; i < BLOCK_WORDS; i++)
		words[i] = (add ? words[i] : 0) | le64toh(made[i]);
}

/* Compared as signed numbers, for which instruction sets have more. */
static inline int32_t as_signed(uint32_t number)
{
	return (int32_t)(number ^ UINT32_C(0x80000000));
}

INLINE void numbers_rank(const uint32_t *restrict numbers, size_t rows,
			 const uint32_t *restrict bounds, size_t bound_count,
			 uint32_t *restrict ranks)
{
	for (size_t first = 0; first < rows; first += RANK_GROUP) {
		int32_t group[RANK_GROUP];
		uint32_t less[RANK_GROUP] = {0};

		for (size_t i = 0; i < RANK_GROUP; i++)
			group[i] = as_signed(numbers[first + i]);
		for (size_t j = 0; j < bound_count; j++) {
			const int32_t bound = as_signed(bounds[j]);

			for (size_t i = 0; i < RANK_GROUP; i++)
				less[i] += group[i] > bound;
		}
		memcpy(ranks + first, less, sizeof(less));
	}
}

INLINE bool words_and(uint64_t *words, const uint64_t *other, bool inverted)
{
	const uint64_t flip = inverted ? UINT64_MAX : 0;
	uint64_t any = 0;

	for (size_t i = 0; i < BLOCK_WORDS; i++) {
		words[i] &= other[i] ^ flip;
		any |= words[i];
	}
	return any != 0;
}

INLINE void words_or(uint64_t *words, const uint64_t *other)
{
	for (size_t i = 0; i < BLOCK_WORDS; i++)
		words[i] |= other[i];
}

INLINE void words_count(const uint64_t *words, uint64_t before, uint32_t *bits, uint32_t *runs)
{
	uint64_t bit_count = 0;
	uint64_t run_count = 0;

	for (size_t i = 0; i < BLOCK_WORDS; i++) {
		const uint64_t word = words[i];

		bit_count += (uint64_t)__builtin_popcountll(word);
		run_count += (uint64_t)__builtin_popcountll(word & ~(word << 1 | before >> 63));
		before = word;
	}
	*bits += (uint32_t)bit_count;
	*runs += (uint32_t)run_count;
}

/* One set of functions for each instruction set, all from the loops above. */
#define KERNELS(suffix)                                                                            \
	TARGET_##suffix static void classes_in_##suffix(                                           \
		const uint8_t classes[static CLASSES_BYTES], size_t block, uint8_t first,          \
		uint8_t last, bool add, uint64_t words[static BLOCK_WORDS])                        \
	{                                                                                          \
		classes_in(classes, block, first, last, add, words);                               \
	}                                                                                          \
	TARGET_##suffix static void numbers_rank_##suffix(                                         \
		const uint32_t *restrict numbers, size_t rows, const uint32_t *restrict bounds,    \
		size_t bound_count, uint32_t *restrict ranks)                                      \
	{                                                                                          \
		numbers_rank(numbers, rows, bounds, bound_count, ranks);                           \
	}                                                                                          \
	TARGET_##suffix static bool words_and_##suffix(uint64_t words[static BLOCK_WORDS],         \
						       const uint64_t other[static BLOCK_WORDS],   \
						       bool inverted)                              \
	{                                                                                          \
		return words_and(words, other, inverted);                                          \
	}                                                                                          \
	TARGET_##suffix static void words_or_##suffix(uint64_t words[static BLOCK_WORDS],          \
						      const uint64_t other[static BLOCK_WORDS])    \
	{                                                                                          \
		words_or(words, other);                                                            \
	}                                                                                          \
	TARGET_##suffix static void words_count_##suffix(const uint64_t words[static BLOCK_WORDS], \
							 uint64_t before, uint32_t *bits,          \
							 uint32_t *runs)                           \
	{                                                                                          \
		words_count(words, before, bits, runs);                                            \
	}                                                                                          \
	static const struct kernels kernels_##suffix = {                                           \
		#suffix,	   classes_in_##suffix, numbers_rank_##suffix, words_and_##suffix, \
		words_or_##suffix, words_count_##suffix};

#define TARGET_baseline
KERNELS(baseline)

#if defined(__x86_64__)
#define TARGET_avx2 __attribute__((target("avx2,bmi,popcnt")))
KERNELS(avx2)

#define TARGET_avx512                                                                              \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi,popcnt")))
KERNELS(avx512)

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("popcnt");
}

static bool has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vpopcntdq");
}
#endif

const struct kernels *kernels_best(void)
{
#if defined(__x86_64__)
	if (has_avx512())
		return &kernels_avx512;
	if (has_avx2())
		return &kernels_avx2;
#endif
	return &kernels_baseline;
}

const struct kernels *kernels_find(const char *name)
{
#if defined(__x86_64__)
	if (strcmp(name, kernels_avx512.name) == 0)
		return has_avx512() ? &kernels_avx512 : NULL;
	if (strcmp(name, kernels_avx2.name) == 0)
		return has_avx2() ? &kernels_avx2 : NULL;
#endif
	return strcmp(name, kernels_baseline.name) == 0 ? &kernels_baseline : NULL;
}
