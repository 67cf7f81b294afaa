#include "column_maker.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "base/rowid.h"
#include "bitmap/bit_matrix.h"
#include "coded_column.h"
#include "coded_column_format.h"
#include "distinct_values.h"

#ifdef __SSE2__
#define HAS_SSE2 1
#include <emmintrin.h>
#else
#define HAS_SSE2 0
#endif

/* One layer while it is made. */
struct layer_maker {
	size_t rows;
	unsigned bits;
	bool every;
	size_t numbers;
	size_t addresses;
	size_t list_size;
};

struct column_maker {
	struct distinct_values *distinct;
	uint32_t *frequent; /* places of distinct values, the most frequent ones first */
	bool *is_common;    /* by place */
	uint16_t *code_of;  /* by place: the code in the value's own layer */
	uint32_t *numbers;  /* of one layer's list */
	uint8_t (*addresses)[VALUE_ADDRESS_SIZE];
	uint8_t *lists[COLUMN_LAYERS];
	uint16_t *codes[COLUMN_LAYERS]; /* of its rows, and of some behind the last */
	uint8_t *bytes;
	size_t capacity;
};

struct column_maker *column_maker_new(void)
{
	struct column_maker *maker = calloc(1, sizeof(*maker));
	bool made = maker != NULL;

	if (!made)
		return NULL;
	maker->distinct = distinct_values_new();
	maker->frequent = malloc(SEGMENT_ROWS * sizeof(*maker->frequent));
	maker->is_common = malloc(SEGMENT_ROWS * sizeof(*maker->is_common));
	maker->code_of = malloc(SEGMENT_ROWS * sizeof(*maker->code_of));
	maker->numbers = malloc(SEGMENT_ROWS * sizeof(*maker->numbers));
	maker->addresses = malloc(SEGMENT_ROWS * sizeof(*maker->addresses));
	for (size_t i = 0; i < COLUMN_LAYERS; i++) {
		maker->codes[i] = malloc(SEGMENT_ROWS * sizeof(*maker->codes[i]));
		maker->lists[i] = malloc(value_list_size_max(SEGMENT_ROWS, SEGMENT_ROWS));
		made = made && maker->codes[i] && maker->lists[i];
	}
	maker->capacity = COLUMN_BYTES_MAX;
	maker->bytes = malloc(maker->capacity);
	if (made && maker->distinct && maker->frequent && maker->is_common && maker->code_of &&
	    maker->numbers && maker->addresses && maker->bytes)
		return maker;
	column_maker_free(maker);
	return NULL;
}

void column_maker_free(struct column_maker *maker)
{
	if (!maker)
		return;
	distinct_values_free(maker->distinct);
	free(maker->frequent);
	free(maker->is_common);
	free(maker->code_of);
	free(maker->numbers);
	free(maker->addresses);
	for (size_t i = 0; i < COLUMN_LAYERS; i++) {
		free(maker->codes[i]);
		free(maker->lists[i]);
	}
	free(maker->bytes);
	free(maker);
}

/* The bits of the codes of so many values. */
static unsigned bits_for(size_t values)
{
	unsigned bits = 0;

	while ((size_t)1 << bits < values)
		bits++;
	return bits;
}

/*
 * Chooses how many bits the codes of the most frequent values have, or 0 for
 * one layer of all values. Two layers are taken where they are not larger than one
 * by more than a thirty-second: a question for a common value then reads only theirs.
 */
static unsigned common_bits(const struct column_maker *maker)
{
	enum { LAYER_COST = 64, SLACK = 32, LAYERED_BITS = 4 };
	const struct distinct_values *distinct = maker->distinct;
	const unsigned all = bits_for(distinct->count);
	const size_t single = distinct->rows * all;
	size_t least = single + single / SLACK;
	size_t covered = 0;
	size_t next = 0;
	unsigned best = 0;

	/* As many planes as two layers would be looked at. */
	if (all < LAYERED_BITS)
		return 0;
	for (unsigned bits = 1; bits < all; bits++) {
		const size_t common = ((size_t)1 << bits) - 1;
		size_t size;

		for (; next < common; next++)
			covered += distinct->counts[maker->frequent[next]];
		size = distinct->rows * bits +
		       (distinct->rows - covered) * bits_for(distinct->count - common) +
		       (size_t)LAYER_COST * 8;
		if (size >= least)
			continue;
		least = size;
		best = bits;
	}
	return best;
}

/* Writes the list of the values that are common or rare, and gives them their codes. */
static void layer_list(struct column_maker *maker, size_t number, bool common,
		       const struct column_input *input, struct layer_maker *layer)
{
	const struct distinct_values *distinct = maker->distinct;
	size_t every_size;
	size_t size;

	for (size_t place = 0; place < distinct->count; place++) {
		if (maker->is_common[place] != common)
			continue;
		maker->code_of[place] = (uint16_t)(layer->numbers + layer->addresses);
		layer->rows += distinct->counts[place];
		if (place < distinct->numbers)
			maker->numbers[layer->numbers++] = distinct->number[place];
		else
			memcpy(maker->addresses[layer->addresses++],
			       distinct->address[place - distinct->numbers], VALUE_ADDRESS_SIZE);
	}
	layer->list_size = value_list_encode(maker->numbers, layer->numbers, maker->addresses,
					     layer->addresses, maker->lists[number]);
	layer->bits = bits_for(layer->numbers + layer->addresses);
	size = layer->list_size + layer->bits * column_plane_size(layer->rows);
	every_size = COLUMN_BITS_MAX * column_plane_size(layer->rows);
	/* Only the last layer: codes of the others keep one for what is not among them. */
	layer->every = input->is_port && !common && every_size < size;
	if (!layer->every)
		return;
	for (size_t place = 0; place < distinct->count; place++)
		if (!maker->is_common[place])
			maker->code_of[place] = (uint16_t)distinct->number[place];
	layer->bits = COLUMN_BITS_MAX;
	layer->list_size = layer->numbers = 0;
}

/* The codes of all rows, in as many layers as there are. */
static void rows_encode(struct column_maker *maker, unsigned escape_bits)
{
	const struct distinct_values *distinct = maker->distinct;
	const uint16_t escape = (uint16_t)((1U << escape_bits) - 1);
	size_t rare = 0;

	for (size_t row = 0; row < distinct->rows; row++) {
		const uint32_t place = distinct->places[row];

		const bool is_rare = escape_bits && !maker->is_common[place];

		/* What is written for a common value is written over by the next rare one. */
		maker->codes[1][rare] = maker->code_of[place];
		maker->codes[0][row] = is_rare ? escape : maker->code_of[place];
		rare += is_rare;
	}
}

/* Writes the planes of one byte of the codes of eight rows. */
static void planes_of_byte(const uint16_t *codes, unsigned shift, unsigned bits, size_t plane_size,
			   uint8_t *out)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < 8; i++)
		bytes |= (uint64_t)(codes[i] >> shift & 0xff) << (8 * i);
	bytes = bit_matrix_transpose(bytes);
	for (unsigned i = 0; i < 8 && shift + i < bits; i++)
		out[(bits - 1 - shift - i) * plane_size] = (uint8_t)(bytes >> (8 * i));
}

#if HAS_SSE2
/* Writes the planes of sixteen rows of whose codes a byte each is in `bytes`. */
static void planes_of_bytes(__m128i bytes, unsigned shift, unsigned bits, size_t plane_size,
			    uint8_t *out)
{
	const unsigned end = bits < shift + 8 ? bits : shift + 8;

	bytes = _mm_sll_epi16(bytes, _mm_cvtsi32_si128((int)(shift + 8 - end)));
	/* The highest bit of each byte is the plane's, and then the next one gets there. */
	for (unsigned bit = end; bit-- > shift; bytes = _mm_add_epi8(bytes, bytes))
		write_little_endian_16(out + (bits - 1 - bit) * plane_size,
				       (uint16_t)_mm_movemask_epi8(bytes));
}

/* As many rows as are whole sixteens; returns how many. */
static size_t planes_encode_sixteens(const uint16_t *codes, size_t rows, unsigned bits,
				     size_t plane_size, uint8_t *out)
{
	const __m128i low_bytes = _mm_set1_epi16(0xff);
	size_t row = 0;

	for (; row + 16 <= rows; row += 16) {
		const __m128i first = _mm_loadu_si128((const void *)(codes + row));
		const __m128i second = _mm_loadu_si128((const void *)(codes + row + 8));

		planes_of_bytes(_mm_packus_epi16(_mm_and_si128(first, low_bytes),
						 _mm_and_si128(second, low_bytes)),
				0, bits, plane_size, out + row / 8);
		if (bits > 8)
			planes_of_bytes(_mm_packus_epi16(_mm_srli_epi16(first, 8),
							 _mm_srli_epi16(second, 8)),
					8, bits, plane_size, out + row / 8);
	}
	return row;
}
#else
static size_t planes_encode_sixteens(const uint16_t *codes, size_t rows, unsigned bits,
				     size_t plane_size, uint8_t *out)
{
	(void)codes, (void)rows, (void)bits, (void)plane_size, (void)out;
	return 0;
}
#endif

static void planes_encode(const uint16_t *codes, size_t rows, unsigned bits, uint8_t *out)
{
	const size_t plane_size = column_plane_size(rows);
	uint16_t last[8] = {0};

	memset(out, 0, bits * plane_size);
	for (size_t row = planes_encode_sixteens(codes, rows, bits, plane_size, out); row < rows;
	     row += 8) {
		const uint16_t *eight = codes + row;

		if (rows - row < 8) {
			memcpy(last, eight, (rows - row) * sizeof(*last));
			eight = last;
		}
		planes_of_byte(eight, 0, bits, plane_size, out + row / 8);
		if (bits > 8)
			planes_of_byte(eight, 8, bits, plane_size, out + row / 8);
	}
}

static uint8_t *head_write(const struct layer_maker *layer, uint8_t *out)
{
	write_little_endian_32(out, (uint32_t)layer->rows);
	write_little_endian_32(out + 4, (uint32_t)layer->numbers);
	write_little_endian_32(out + 8, (uint32_t)layer->addresses);
	write_little_endian_32(out + 12, (uint32_t)layer->list_size);
	write_little_endian_32(out + 16, layer->bits);
	write_little_endian_32(out + 20, 0);
	return out + COLUMN_LAYER_SIZE;
}

void column_maker_run(struct column_maker *maker, const struct column_input *input,
		      const uint8_t **bytes, size_t *size)
{
	struct layer_maker layers[COLUMN_LAYERS] = {{0}};
	struct distinct_values *distinct = maker->distinct;
	uint8_t *out = maker->bytes;
	unsigned escape_bits;
	size_t count;

	distinct_values_find(distinct, input);
	distinct_values_by_count(distinct, maker->frequent);
	escape_bits = common_bits(maker);
	count = escape_bits ? 2 : 1;
	memset(maker->is_common, 0, distinct->count * sizeof(*maker->is_common));
	for (size_t i = 0; escape_bits && i < ((size_t)1 << escape_bits) - 1; i++)
		maker->is_common[maker->frequent[i]] = true;
	if (count == 2)
		layer_list(maker, 0, true, input, &layers[0]);
	layer_list(maker, count - 1, false, input, &layers[count - 1]);
	if (count == 2) {
		layers[0].rows = distinct->rows;
		layers[0].bits = escape_bits;
	}
	rows_encode(maker, escape_bits);
	*out++ = (uint8_t)count;
	for (size_t i = 0; i < count; i++)
		out = head_write(&layers[i], out);
	for (size_t i = 0; i < count; i++) {
		memcpy(out, maker->lists[i], layers[i].list_size);
		out += layers[i].list_size;
	}
	for (size_t i = 0; i < count; i++) {
		planes_encode(maker->codes[i], layers[i].rows, layers[i].bits, out);
		out += layers[i].bits * column_plane_size(layers[i].rows);
	}
	*bytes = maker->bytes;
	*size = (size_t)(out - maker->bytes);
}
