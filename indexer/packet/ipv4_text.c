#include "ipv4_text.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_SSSE3 1
#include <immintrin.h>
#else
#define HAS_SSSE3 0
#endif

static const uint64_t ones = UINT64_C(0x0101010101010101);

/* A bit for each byte that is a dot, of eight that are digits or dots: only digits have bit 4. */
static inline uint32_t dots_of(uint64_t word)
{
	return (uint32_t)(((~word >> 4 & ones) * UINT64_C(0x0102040810204080)) >> 56);
}

/* Whether all eight bytes are digits or dots: 0x30 to 0x39, or 0x2e. */
static inline bool are_ipv4_text(uint64_t word)
{
	const uint64_t from_dot = word - ones * 0x2e;
	/* Nothing is borrowed where all are 0x2e to 0x39; and what was 0x2f is 1 now. */
	const uint64_t not_one = from_dot ^ ones;

	return ((word | from_dot | (from_dot + ones * (0x7f - 0x0b)) |
		 ((not_one - ones) & ~not_one)) &
		(ones << 7)) == 0;
}

/*
 * The number of at most three digits, the last of which is in the highest byte and which may have
 * anything before them. More than 255 where they are none, or too many, or begin with a zero.
 */
static inline uint32_t ipv4_part(uint32_t bytes, uint32_t length)
{
	/* By the number of digits: which bytes they are, and which is the first of several. */
	static const uint32_t digits_of[16] = {
		[1] = 0x0f000000, [2] = 0x0f0f0000, [3] = 0x0f0f0f00};
	static const uint32_t first_of[16] = {[1] = 1, [2] = 0x0f0000, [3] = 0x0f00};
	const uint32_t digits = bytes & digits_of[length & 15];
	const uint32_t number =
		(digits >> 24) + (digits >> 16 & 15) * 10 + (digits >> 8 & 15) * 100;

	return ((digits | 1) & first_of[length & 15]) == 0 ? UINT32_MAX : number;
}

/* A word at a time, without a branch for each character: on any machine. */
bool ipv4_text_read_words(const char *text, uint64_t first, uint64_t second, size_t length,
			  uint8_t out[static 4])
{
	const uint8_t *bytes = short_text_bytes(text);
	/* What stands behind the text is made of dots, to be checked with it. */
	const uint64_t behind = ones * 0x2e << (8 * (length & 7));
	const bool is_short = length < 8;
	const uint64_t low = first | (is_short ? behind : 0);
	const uint64_t high = is_short ? ones * 0x2e : second | behind;
	/* Behind all of them, so that there are four. */
	uint32_t dots = dots_of(low) | dots_of(high) << 8 | 0xf0000;
	uint32_t ends[4];
	uint32_t parts[4];

	if (!are_ipv4_text(low) || !are_ipv4_text(high))
		return false;
	for (size_t i = 0; i < 4; i++) {
		ends[i] = (uint32_t)__builtin_ctz(dots);
		dots &= dots - 1;
	}
	/* Then the two last parts end behind four bytes at least. */
	if (ends[3] != length || ends[0] < 1 || ends[1] < 3 || ends[1] > 7)
		return false;
	parts[0] = ipv4_part((uint32_t)(low << (64 - 8 * ends[0]) >> 32), ends[0]);
	parts[1] = ipv4_part((uint32_t)(low << (64 - 8 * ends[1]) >> 32), ends[1] - ends[0] - 1);
	parts[2] = ipv4_part(read_little_endian_32(bytes + ends[2] - 4), ends[2] - ends[1] - 1);
	parts[3] = ipv4_part(read_little_endian_32(bytes + ends[3] - 4), ends[3] - ends[2] - 1);
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)parts[i];
	return (parts[0] | parts[1] | parts[2] | parts[3]) <= 255;
}

#if HAS_SSSE3
/*
 * All sixteen bytes at a time. Each part gets 32 bits, its last digit in the lowest byte: what
 * lies three, two and one bytes before its end.
 */
__attribute__((target("ssse3"))) static bool bytes_read(uint64_t first, uint64_t second,
							size_t length, uint8_t out[static 4])
{
	const __m128i text = _mm_set_epi64x((long long)second, (long long)first);
	const __m128i dots = _mm_cmpeq_epi8(text, _mm_set1_epi8('.'));
	const __m128i values = _mm_sub_epi8(text, _mm_set1_epi8('0'));
	const __m128i are_digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
	const uint32_t dot_bits = (uint32_t)_mm_movemask_epi8(dots);
	/* Four bits behind, so that there are enough. */
	const uint32_t first_end = dot_bits | 1U << length | 0xf0000;
	const uint32_t second_end = first_end & (first_end - 1);
	const uint32_t third_end = second_end & (second_end - 1);
	const uint32_t fourth_end = third_end & (third_end - 1);
	__m128i end;
	__m128i count;
	__m128i places;
	__m128i digits;
	__m128i numbers;
	__m128i wrong;

	if ((dot_bits | (uint32_t)_mm_movemask_epi8(are_digits)) != (1U << length) - 1 ||
	    (uint32_t)__builtin_ctz(fourth_end) != length)
		return false;
	end = _mm_set_epi32((int)length, __builtin_ctz(third_end), __builtin_ctz(second_end),
			    __builtin_ctz(first_end));
	/* How many digits each part has: from behind the end of the one before. */
	count = _mm_sub_epi32(end, _mm_slli_si128(_mm_add_epi32(end, _mm_set1_epi32(1)), 4));
	places = _mm_sub_epi8(_mm_shuffle_epi8(end, _mm_set_epi8(12, 12, 12, 12, 8, 8, 8, 8, 4, 4,
								 4, 4, 0, 0, 0, 0)),
			      _mm_set1_epi32(0x00030201));
	/* Nothing is before the first part, nor in the fourth byte of any. */
	places = _mm_or_si128(places, _mm_set1_epi32((int)0x80000000));
	digits = _mm_shuffle_epi8(_mm_and_si128(values, are_digits), places);
	/* What lies before a dot is another part's. */
	digits = _mm_andnot_si128(_mm_slli_epi32(_mm_shuffle_epi8(dots, places), 8), digits);
	numbers = _mm_madd_epi16(_mm_maddubs_epi16(digits, _mm_set1_epi32(0x00640a01)),
				 _mm_set1_epi16(1));
	/* The least number of so many digits; none is as high as that of no digits, or of four. */
	wrong = _mm_cmplt_epi32(
		numbers,
		_mm_and_si128(_mm_shuffle_epi8(_mm_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
							    -1, -1, 100, 10, 0, -1),
					       count),
			      _mm_set1_epi32(0xff)));
	wrong = _mm_or_si128(wrong, _mm_cmpgt_epi32(numbers, _mm_set1_epi32(255)));
	wrong = _mm_or_si128(wrong, _mm_cmpgt_epi32(count, _mm_set1_epi32(3)));
	wrong = _mm_or_si128(wrong, _mm_cmplt_epi32(count, _mm_set1_epi32(1)));
	numbers = _mm_packus_epi16(_mm_packs_epi32(numbers, numbers), numbers);
	write_little_endian_32(out, (uint32_t)_mm_cvtsi128_si32(numbers));
	return _mm_movemask_epi8(wrong) == 0;
}
#endif

bool ipv4_text_read(const char *text, uint64_t low, uint64_t high, size_t length,
		    uint8_t out[static 4])
{
#if HAS_SSSE3
	if (__builtin_cpu_supports("ssse3"))
		return bytes_read(low, high, length, out);
#endif
	return ipv4_text_read_words(text, low, high, length, out);
}
