#include "container.h"

#include <endian.h>
#include <string.h>

#include "base/little_endian.h"

enum { RUN_BYTES = 4, RUNS_FROM = 2 /* behind their number */ };

/* The word ahead of the first of a block. */
static uint64_t word_before(const struct segment_bits *bits, size_t block)
{
	return block ? segment_bits_word(bits, block * BLOCK_WORDS - 1) : 0;
}

static void container_count(const struct segment_bits *bits, const struct kernels *kernels,
			    uint32_t *cardinality, uint32_t *runs)
{
	*cardinality = 0;
	*runs = 0;
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
		uint64_t left = bits->occupied[block];

		if (left == UINT64_MAX) {
			kernels->words_count(bits->words + block * BLOCK_WORDS,
					     word_before(bits, block), cardinality, runs);
			continue;
		}
		for (; left; left &= left - 1) {
			const size_t i = block * BLOCK_WORDS + (size_t)__builtin_ctzll(left);
			const uint64_t word = bits->words[i];
			const uint64_t before = i ? segment_bits_word(bits, i - 1) : 0;

			*cardinality += (uint32_t)__builtin_popcountll(word);
			*runs += (uint32_t)__builtin_popcountll(word & ~(word << 1 | before >> 63));
		}
	}
}

static void encode_array(const struct segment_bits *bits, uint8_t *out)
{
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
		for (uint64_t left = bits->occupied[block]; left; left &= left - 1) {
			const size_t i = block * BLOCK_WORDS + (size_t)__builtin_ctzll(left);

			for (uint64_t word = bits->words[i]; word; word &= word - 1) {
				write_little_endian_16(
					out, (unsigned)(i * 64) + (unsigned)__builtin_ctzll(word));
				out += 2;
			}
		}
	}
}

static void encode_bitset(const struct segment_bits *bits, uint8_t *out)
{
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
		const uint64_t occupied = bits->occupied[block];

		for (size_t i = 0; i < BLOCK_WORDS; i++, out += 8)
			write_little_endian_64(
				out, occupied >> i & 1 ? bits->words[block * BLOCK_WORDS + i] : 0);
	}
}

/* The first bit from `from` on that has the given value; SEGMENT_ROWS where there is none. */
static unsigned find_bit(const struct segment_bits *bits, unsigned from, bool value)
{
	const uint64_t flip = value ? 0 : UINT64_MAX;
	size_t i = from / 64;
	uint64_t word;

	if (from >= SEGMENT_ROWS)
		return SEGMENT_ROWS;
	word = (segment_bits_word(bits, i) ^ flip) & (UINT64_MAX << (from % 64));
	while (!word) {
		if (++i == SEGMENT_WORDS)
			return SEGMENT_ROWS;
		word = segment_bits_word(bits, i) ^ flip;
	}
	return (unsigned)(i * 64) + (unsigned)__builtin_ctzll(word);
}

static void encode_runs(const struct segment_bits *bits, uint32_t runs, uint8_t *out)
{
	unsigned end = 0;

	write_little_endian_16(out, runs);
	for (uint32_t run = 0; run < runs; run++) {
		unsigned start = find_bit(bits, end, true);

		end = find_bit(bits, start, false);
		out += 4;
		write_little_endian_16(out - 2, start);
		write_little_endian_16(out, end - start - 1);
	}
}

void container_encode(int64_t segment, const struct segment_bits *bits,
		      const struct kernels *kernels, uint8_t out[static CONTAINER_BYTES_MAX],
		      struct container *container)
{
	uint32_t runs;
	size_t plain_size;
	size_t run_size;

	*container = (struct container){.segment = segment, .bytes = out};
	container_count(bits, kernels, &container->cardinality, &runs);
	if (container->cardinality == 0)
		return;
	plain_size = container->cardinality > CONTAINER_ARRAY_MAX
			     ? CONTAINER_BYTES_MAX
			     : container->cardinality * (size_t)2;
	run_size = 2 + runs * (size_t)4;
	container->is_run = run_size < plain_size;
	container->size = (uint32_t)(container->is_run ? run_size : plain_size);
	if (container->is_run)
		encode_runs(bits, runs, out);
	else if (container->cardinality > CONTAINER_ARRAY_MAX)
		encode_bitset(bits, out);
	else
		encode_array(bits, out);
}

void container_encode_range(int64_t segment, uint16_t first, uint16_t last,
			    uint8_t out[static CONTAINER_BYTES_MAX], struct container *container)
{
	const uint32_t rows = (uint32_t)(last - first) + 1;

	*container = (struct container){
		.segment = segment,
		.cardinality = rows,
		.is_run = RUNS_FROM + RUN_BYTES < rows * 2,
		.bytes = out,
	};
	if (container->is_run) {
		container->size = RUNS_FROM + RUN_BYTES;
		write_little_endian_16(out, 1);
		write_little_endian_16(out + RUNS_FROM, first);
		write_little_endian_16(out + RUNS_FROM + 2, rows - 1);
		return;
	}
	container->size = rows * 2;
	for (uint32_t i = 0; i < rows; i++)
		write_little_endian_16(out + i * (size_t)2, first + i);
}

/* One run of a container: places, both in it. */
struct run {
	uint32_t first;
	uint32_t last;
};

static uint32_t run_count(const struct container *container)
{
	return read_little_endian_16(container->bytes);
}

static struct run run_at(const struct container *container, uint32_t number)
{
	const uint8_t *bytes = container->bytes + RUNS_FROM + number * (size_t)RUN_BYTES;
	const uint32_t first = read_little_endian_16(bytes);

	return (struct run){.first = first, .last = first + read_little_endian_16(bytes + 2)};
}

static uint16_t array_at(const struct container *container, uint32_t number)
{
	return read_little_endian_16(container->bytes + number * (size_t)2);
}

static uint64_t word_at(const struct container *container, size_t number)
{
	return read_little_endian_64(container->bytes + number * 8);
}

static bool is_array(const struct container *container)
{
	return !container->is_run && container->cardinality <= CONTAINER_ARRAY_MAX;
}

/* Sets the bits of a run. */
static void words_fill(uint64_t *words, struct run run)
{
	const size_t first = run.first / 64;
	const size_t last = run.last / 64;
	const uint64_t from = UINT64_MAX << (run.first % 64);
	const uint64_t to = UINT64_MAX >> (63 - run.last % 64);

	if (first == last) {
		words[first] |= from & to;
		return;
	}
	words[first] |= from;
	for (size_t i = first + 1; i < last; i++)
		words[i] = UINT64_MAX;
	words[last] |= to;
}

void container_bits(const struct container *container, struct segment_bits *bits)
{
	memset(bits->occupied, 0xff, sizeof(bits->occupied));
	if (!container->is_run && !is_array(container)) {
		memcpy(bits->words, container->bytes, sizeof(bits->words));
		for (size_t i = 0; BYTE_ORDER == BIG_ENDIAN && i < SEGMENT_WORDS; i++)
			bits->words[i] = le64toh(bits->words[i]);
		return;
	}
	memset(bits->words, 0, sizeof(bits->words));
	if (container->is_run)
		for (uint32_t i = 0; i < run_count(container); i++)
			words_fill(bits->words, run_at(container, i));
	else
		for (uint32_t i = 0; i < container->cardinality; i++)
			bits->words[array_at(container, i) / 64] |=
				UINT64_C(1) << (array_at(container, i) % 64);
}

void container_count_bitset(const uint8_t bytes[static CONTAINER_BYTES_MAX], uint32_t *rows,
			    uint32_t *runs)
{
	const struct kernels *kernels = kernels_best();
	uint64_t before = 0;

	*rows = 0;
	*runs = 0;
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++) {
		uint64_t words[BLOCK_WORDS];

		for (size_t i = 0; i < BLOCK_WORDS; i++, bytes += 8)
			words[i] = read_little_endian_64(bytes);
		kernels->words_count(words, before, rows, runs);
		before = words[BLOCK_WORDS - 1];
	}
}

/* The runs that the rows make, whatever the form. */
static uint32_t runs_in(const struct container *container)
{
	uint32_t runs = 0;
	uint32_t rows;

	if (container->is_run)
		return run_count(container);
	if (is_array(container)) {
		for (uint32_t i = 1; i < container->cardinality; i++)
			runs += array_at(container, i) != array_at(container, i - 1) + 1;
		return runs + 1;
	}
	container_count_bitset(container->bytes, &rows, &runs);
	return runs;
}

void container_settle(const struct container *container, uint8_t out[static CONTAINER_BYTES_MAX],
		      struct container *settled)
{
	const size_t plain = container->cardinality > CONTAINER_ARRAY_MAX
				     ? CONTAINER_BYTES_MAX
				     : container->cardinality * (size_t)2;
	const bool is_run = RUNS_FROM + runs_in(container) * (size_t)RUN_BYTES < plain;
	struct segment_bits bits;

	*settled = *container;
	if (is_run == container->is_run)
		return;
	container_bits(container, &bits);
	container_encode(container->segment, &bits, kernels_best(), out, settled);
}

/* The first value of an array that is not below a place; the cardinality where there is none. */
static uint32_t array_seek(const struct container *container, uint16_t place)
{
	uint32_t low = 0;
	uint32_t high = container->cardinality;

	while (low < high) {
		const uint32_t middle = (low + high) / 2;

		if (array_at(container, middle) < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool runs_contain(const struct container *container, uint16_t place)
{
	uint32_t low = 0;
	uint32_t high = run_count(container);

	/* The first run that ends at the place or behind it. */
	while (low < high) {
		const uint32_t middle = (low + high) / 2;

		if (run_at(container, middle).last < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low < run_count(container) && run_at(container, low).first <= place;
}

bool container_has(const struct container *container, uint16_t place)
{
	uint32_t number;

	if (container->is_run)
		return runs_contain(container, place);
	if (!is_array(container))
		return word_at(container, place / 64) >> (place % 64) & 1;
	number = array_seek(container, place);
	return number < container->cardinality && array_at(container, number) == place;
}

uint32_t container_rows_before(const struct container *container, uint16_t place)
{
	uint32_t rows = 0;

	if (container->is_run) {
		for (uint32_t i = 0; i < run_count(container); i++) {
			const struct run run = run_at(container, i);

			if (run.first >= place)
				break;
			rows += (run.last < place ? run.last + 1 : place) - run.first;
		}
		return rows;
	}
	if (is_array(container))
		return array_seek(container, place);
	for (size_t i = 0; i < place / 64; i++)
		rows += (uint32_t)__builtin_popcountll(word_at(container, i));
	return rows + (uint32_t)__builtin_popcountll(word_at(container, place / 64) &
						     ~(UINT64_MAX << (place % 64)));
}

static void runs_places(const struct container *container, uint32_t from, uint32_t count,
			uint16_t *out)
{
	for (uint32_t i = 0; count > 0; i++) {
		const struct run run = run_at(container, i);
		const uint32_t rows = run.last - run.first + 1;

		for (; from < rows && count > 0; from++, count--)
			*out++ = (uint16_t)(run.first + from);
		from -= from < rows ? from : rows;
	}
}

static void bitset_places(const struct container *container, uint32_t from, uint32_t count,
			  uint16_t *out)
{
	for (size_t i = 0; count > 0; i++) {
		uint64_t word = word_at(container, i);
		const uint32_t rows = (uint32_t)__builtin_popcountll(word);

		if (from >= rows) {
			from -= rows;
			continue;
		}
		for (; from > 0; from--)
			word &= word - 1;
		for (; word && count > 0; word &= word - 1, count--)
			*out++ = (uint16_t)(i * 64 + (size_t)__builtin_ctzll(word));
	}
}

void container_places(const struct container *container, uint32_t from, uint32_t count,
		      uint16_t *out)
{
	if (container->is_run)
		runs_places(container, from, count, out);
	else if (!is_array(container))
		bitset_places(container, from, count, out);
	else
		for (uint32_t i = 0; i < count; i++)
			out[i] = array_at(container, from + i);
}
