#include "kernel.h"

#include <endian.h>
#include <string.h>

#include "bit_matrix.h"

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

/* The bits of a bound, each as a word of that bit: no branch follows the data. */
INLINE void bound_spread(uint32_t bound, unsigned bits, uint64_t spread[static 32])
{
	for (unsigned i = 0; i < bits; i++)
		spread[i] = 0 - (uint64_t)(bound >> (bits - 1 - i) & 1);
}

/*
 * From the highest bit down: as long as a code equals a bound so far, the first
 * bit in which they differ says which is greater. Planes in which the bounds
 * are alike decide for both at once.
 */
INLINE void planes_between(const uint64_t *planes, size_t stride, size_t words, unsigned bits,
			   uint32_t low, uint32_t high, bool add, uint64_t *out)
{
	uint64_t lows[32];
	uint64_t highs[32];
	unsigned alike = 0;

	bound_spread(low, bits, lows);
	bound_spread(high, bits, highs);
	while (alike < bits && lows[alike] == highs[alike])
		alike++;
	for (size_t first = 0; first < words; first += PLANE_GROUP) {
		uint64_t equal_low[PLANE_GROUP];
		uint64_t equal_high[PLANE_GROUP];
		uint64_t outside[PLANE_GROUP] = {0};
		const uint64_t *plane = planes + first;

		for (size_t i = 0; i < PLANE_GROUP; i++)
			equal_low[i] = UINT64_MAX;
		for (unsigned j = 0; j < alike; j++, plane += stride)
			for (size_t i = 0; i < PLANE_GROUP; i++)
				equal_low[i] &= ~(plane[i] ^ lows[j]);
		for (size_t i = 0; i < PLANE_GROUP; i++)
			equal_high[i] = equal_low[i];
		for (size_t i = 0; i < PLANE_GROUP; i++)
			outside[i] = ~equal_low[i];
		for (unsigned j = alike; j < bits; j++, plane += stride)
			for (size_t i = 0; i < PLANE_GROUP; i++) {
				outside[i] |= (equal_low[i] & lows[j] & ~plane[i]) |
					      (equal_high[i] & ~highs[j] & plane[i]);
				equal_low[i] &= ~(plane[i] ^ lows[j]);
				equal_high[i] &= ~(plane[i] ^ highs[j]);
			}
		for (size_t i = 0; i < PLANE_GROUP; i++)
			out[first + i] = (add ? out[first + i] : 0) | ~outside[i];
	}
}

/* One byte of the codes of 64 rows, from the words of its bits' planes, the lowest bit first. */
INLINE void codes_byte(const uint64_t planes[static 8], uint8_t bytes[static 64])
{
	uint64_t rows[8];

	for (unsigned eight = 0; eight < 8; eight++) {
		uint64_t bits = 0;

		for (unsigned j = 0; j < 8; j++)
			bits |= (planes[j] >> (8 * eight) & 0xff) << (8 * j);
		rows[eight] = htole64(bit_matrix_transpose(bits));
	}
	memcpy(bytes, rows, sizeof(rows));
}

INLINE void planes_codes(const uint64_t *planes, size_t stride, size_t words, unsigned bits,
			 uint16_t *codes)
{
	for (size_t word = 0; word < words; word++) {
		uint64_t of_bit[16] = {0};
		uint8_t low[64];
		uint8_t high[64] = {0};

		for (unsigned j = 0; j < bits; j++)
			of_bit[j] = planes[(bits - 1 - j) * stride + word];
		codes_byte(of_bit, low);
		if (bits > 8)
			codes_byte(of_bit + 8, high);
		for (unsigned i = 0; i < 64; i++)
			codes[word * 64 + i] = (uint16_t)(low[i] | high[i] << 8);
	}
}

/* The lowest bits, as many as the mask has, moved to its places. */
INLINE uint64_t deposit_plain(uint64_t bits, uint64_t mask)
{
	uint64_t placed = 0;

	for (; mask; mask &= mask - 1, bits >>= 1)
		placed |= bits & 1 ? mask & (0 - mask) : 0;
	return placed;
}

INLINE size_t bits_deposit(const uint64_t *bits, const uint64_t *mask, size_t words, uint64_t *out,
			   uint64_t (*deposit)(uint64_t, uint64_t))
{
	size_t taken = 0;

	for (size_t i = 0; i < words; i++) {
		const unsigned count = (unsigned)__builtin_popcountll(mask[i]);
		const unsigned shift = taken % 64;
		uint64_t next = 0;

		if (count) {
			next = bits[taken / 64] >> shift;
			if (shift + count > 64)
				next |= bits[taken / 64 + 1] << (64 - shift);
		}
		out[i] = deposit(next, mask[i]);
		taken += count;
	}
	return taken;
}

/* One set of functions for each instruction set, all from the loops above. */
#define KERNELS(suffix, is_wide)                                                                   \
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
	TARGET_##suffix static void planes_between_##suffix(                                       \
		const uint64_t *planes, size_t stride, size_t words, unsigned bits, uint32_t low,  \
		uint32_t high, bool add, uint64_t *out)                                            \
	{                                                                                          \
		planes_between(planes, stride, words, bits, low, high, add, out);                  \
	}                                                                                          \
	TARGET_##suffix static void planes_codes_##suffix(const uint64_t *planes, size_t stride,   \
							  size_t words, unsigned bits,             \
							  uint16_t *codes)                         \
	{                                                                                          \
		planes_codes(planes, stride, words, bits, codes);                                  \
	}                                                                                          \
	TARGET_##suffix static size_t bits_deposit_##suffix(                                       \
		const uint64_t *bits, const uint64_t *mask, size_t words, uint64_t *out)           \
	{                                                                                          \
		return bits_deposit(bits, mask, words, out, DEPOSIT_##suffix);                     \
	}                                                                                          \
	static const struct kernels kernels_##suffix = {#suffix,                                   \
							is_wide,                                   \
							classes_in_##suffix,                       \
							numbers_rank_##suffix,                     \
							words_and_##suffix,                        \
							words_or_##suffix,                         \
							words_count_##suffix,                      \
							planes_between_##suffix,                   \
							planes_codes_##suffix,                     \
							bits_deposit_##suffix};

#define TARGET_baseline
#define DEPOSIT_baseline deposit_plain
KERNELS(baseline, false)

#if defined(__x86_64__)
INLINE __attribute__((target("bmi2"))) uint64_t deposit_bmi2(uint64_t bits, uint64_t mask)
{
	return __builtin_ia32_pdep_di(bits, mask);
}

#define TARGET_avx2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define DEPOSIT_avx2 deposit_bmi2
KERNELS(avx2, true)

#define TARGET_avx512                                                                              \
	__attribute__((                                                                            \
		target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi,bmi2,popcnt")))
#define DEPOSIT_avx512 deposit_bmi2
KERNELS(avx512, true)

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
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
