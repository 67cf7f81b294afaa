#include "container_algebra.h"

#include <string.h>

#include "base/little_endian.h"

static bool is_array(const struct container *container)
{
	return !container->is_run && container->cardinality <= CONTAINER_ARRAY_MAX;
}

static uint16_t value_at(const struct container *array, uint32_t number)
{
	return read_little_endian_16(array->bytes + number * (size_t)2);
}

/*
 * Whether ascending places are in a container, asked one after the other: an
 * array and runs are gone through once, and in leaps where the other one is far
 * shorter.
 */
struct probe {
	const struct container *container;
	uint32_t next; /* the first value or run that does not end before the last place */
	uint32_t count;
};

static struct probe probe_of(const struct container *container)
{
	return (struct probe){
		.container = container,
		.count = container->is_run ? read_little_endian_16(container->bytes)
					   : container->cardinality,
	};
}

/* The first and the last place of a value or run. */
static uint32_t probe_first(const struct probe *probe, uint32_t number)
{
	return probe->container->is_run
		       ? read_little_endian_16(probe->container->bytes + 2 + number * (size_t)4)
		       : value_at(probe->container, number);
}

static uint32_t probe_last(const struct probe *probe, uint32_t number)
{
	return probe_first(probe, number) +
	       (probe->container->is_run
			? read_little_endian_16(probe->container->bytes + 4 + number * (size_t)4)
			: 0U);
}

/* Moves to the first value or run that ends at place or behind it: by doubling, then halving. */
static void probe_seek(struct probe *probe, uint16_t place)
{
	uint32_t step = 1;
	uint32_t low = probe->next;
	uint32_t high;

	if (low == probe->count || probe_last(probe, low) >= place)
		return;
	while (low + step < probe->count && probe_last(probe, low + step) < place) {
		low += step;
		step *= 2;
	}
	high = low + step < probe->count ? low + step : probe->count;
	/* What is at low ends before the place; what is at high, if anything, does not. */
	while (high - low > 1) {
		const uint32_t middle = (low + high) / 2;

		if (probe_last(probe, middle) < place)
			low = middle;
		else
			high = middle;
	}
	probe->next = high;
}

static bool probe_has(struct probe *probe, uint16_t place)
{
	const struct container *container = probe->container;

	if (!container->is_run && !is_array(container))
		return container->bytes[place / 8] >> (place % 8) & 1;
	probe_seek(probe, place);
	return probe->next < probe->count && probe_first(probe, probe->next) <= place;
}

static void describe_array(const struct container *like, const uint8_t *out, uint32_t cardinality,
			   struct container *result)
{
	*result = (struct container){
		.segment = like->segment,
		.cardinality = cardinality,
		.size = cardinality * 2,
		.bytes = out,
	};
}

/* The values of an array that are in the other container, or that are not. */
static void array_keep(const struct container *array, const struct container *other, bool inside,
		       uint8_t *out, struct container *result)
{
	struct probe probe = probe_of(other);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < array->cardinality; i++) {
		const uint16_t place = value_at(array, i);

		write_little_endian_16(out + kept * (size_t)2, place);
		kept += probe_has(&probe, place) == inside;
	}
	describe_array(array, out, kept, result);
}

/* Two arrays to one: values that are in both come once, or with xor not at all. */
static void arrays_join(const struct container *a, const struct container *b, bool with_common,
			uint8_t *out, struct container *result)
{
	uint32_t i = 0;
	uint32_t j = 0;
	uint32_t joined = 0;

	while (i < a->cardinality || j < b->cardinality) {
		const uint32_t left = i < a->cardinality ? value_at(a, i) : SEGMENT_ROWS;
		const uint32_t right = j < b->cardinality ? value_at(b, j) : SEGMENT_ROWS;

		write_little_endian_16(out + joined * (size_t)2, left < right ? left : right);
		joined += left != right || with_common;
		i += left <= right;
		j += right <= left;
	}
	describe_array(a, out, joined, result);
}

static void words_combine(uint64_t *restrict a, const uint64_t *restrict b,
			  enum set_operation operation)
{
	switch (operation) {
	case SET_AND:
		for (size_t i = 0; i < SEGMENT_WORDS; i++)
			a[i] &= b[i];
		break;
	case SET_OR:
		for (size_t i = 0; i < SEGMENT_WORDS; i++)
			a[i] |= b[i];
		break;
	case SET_XOR:
		for (size_t i = 0; i < SEGMENT_WORDS; i++)
			a[i] ^= b[i];
		break;
	default:
		for (size_t i = 0; i < SEGMENT_WORDS; i++)
			a[i] &= ~b[i];
	}
}

static void bits_combine(const struct container *a, const struct container *b,
			 enum set_operation operation, uint8_t *out, struct container *result)
{
	struct segment_bits left;
	struct segment_bits right;

	container_bits(a, &left);
	container_bits(b, &right);
	words_combine(left.words, right.words, operation);
	container_encode(a->segment, &left, kernels_best(), out, result);
}

void container_combine(const struct container *a, const struct container *b,
		       enum set_operation operation, uint8_t out[static CONTAINER_BYTES_MAX],
		       struct container *result)
{
	const bool joins = operation == SET_OR || operation == SET_XOR;

	if (!joins && is_array(a))
		array_keep(a, b, operation == SET_AND, out, result);
	else if (operation == SET_AND && is_array(b))
		array_keep(b, a, true, out, result);
	else if (joins && is_array(a) && is_array(b) &&
		 a->cardinality + b->cardinality <= CONTAINER_ARRAY_MAX)
		arrays_join(a, b, operation == SET_OR, out, result);
	else
		bits_combine(a, b, operation, out, result);
}

static uint32_t array_common(const struct container *array, const struct container *other)
{
	struct probe probe = probe_of(other);
	uint32_t common = 0;

	for (uint32_t i = 0; i < array->cardinality; i++)
		common += probe_has(&probe, value_at(array, i));
	return common;
}

static uint32_t runs_common(const struct container *a, const struct container *b)
{
	const struct probe left = probe_of(a);
	const struct probe right = probe_of(b);
	uint32_t common = 0;

	for (uint32_t i = 0, j = 0; i < left.count && j < right.count;) {
		const uint32_t last = probe_last(&left, i);
		const uint32_t other_last = probe_last(&right, j);
		const uint32_t first = probe_first(&left, i);
		const uint32_t other_first = probe_first(&right, j);
		const uint32_t from = first > other_first ? first : other_first;
		const uint32_t to = last < other_last ? last : other_last;

		common += from <= to ? to - from + 1 : 0;
		i += last <= other_last;
		j += other_last <= last;
	}
	return common;
}

static uint32_t bits_common(const struct container *a, const struct container *b)
{
	const struct kernels *kernels = kernels_best();
	struct segment_bits left;
	struct segment_bits right;
	uint32_t common = 0;
	uint32_t runs = 0;

	container_bits(a, &left);
	container_bits(b, &right);
	words_combine(left.words, right.words, SET_AND);
	for (size_t block = 0; block < SEGMENT_BLOCKS; block++)
		kernels->words_count(left.words + block * BLOCK_WORDS, 0, &common, &runs);
	return common;
}

uint32_t container_common(const struct container *a, const struct container *b)
{
	if (is_array(a) && (!is_array(b) || a->cardinality <= b->cardinality))
		return array_common(a, b);
	if (is_array(b))
		return array_common(b, a);
	return a->is_run && b->is_run ? runs_common(a, b) : bits_common(a, b);
}
