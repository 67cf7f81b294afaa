#include "coded_column.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "coded_column_format.h"

size_t column_layer_values(const struct column_layer *layer)
{
	return layer->every ? (size_t)1 << layer->bits
			    : layer->list.numbers + layer->list.addresses;
}

static enum status layer_read(const uint8_t *head, struct column_layer *layer,
			      struct message *message)
{
	const uint32_t rows = read_little_endian_32(head);
	const uint32_t numbers = read_little_endian_32(head + 4);
	const uint32_t addresses = read_little_endian_32(head + 8);
	const uint32_t bits = read_little_endian_32(head + 16);

	if (rows == 0 || rows > SEGMENT_ROWS)
		return column_bytes_damaged(message, "it has no number of rows that there can be");
	if (numbers > SEGMENT_ROWS || addresses > SEGMENT_ROWS ||
	    numbers + addresses > SEGMENT_ROWS)
		return column_bytes_damaged(message, "it has more values than there can be");
	if (bits > COLUMN_BITS_MAX || read_little_endian_32(head + 20))
		return column_bytes_damaged(message, "its codes are none that there can be");
	layer->rows = rows;
	layer->bits = bits;
	layer->every = numbers + addresses == 0;
	layer->list = (struct value_list){.numbers = numbers,
					  .addresses = addresses,
					  .size = read_little_endian_32(head + 12)};
	layer->stride = column_plane_size(rows) / sizeof(uint64_t);
	layer->words = (layer->stride + PLANE_GROUP - 1) / PLANE_GROUP * PLANE_GROUP;
	layer->loaded = false;
	return STATUS_OK;
}

/* Where lists and planes lie follows from the heads, and so does the size. */
static enum status layers_place(struct coded_column *column, struct message *message)
{
	uint64_t at = COLUMN_HEAD_SIZE + column->layer_count * COLUMN_LAYER_SIZE;

	for (size_t i = 0; i < column->layer_count; i++) {
		struct column_layer *layer = &column->layers[i];
		const size_t codes =
			((size_t)1 << layer->bits) - (coded_column_escapes(column, i) ? 1 : 0);

		if (column_layer_values(layer) > codes || (layer->every && layer->list.size))
			return column_bytes_damaged(message, "it has more values than codes");
		layer->list.at = (size_t)at;
		at += layer->list.size;
		if (at > column->bytes.size)
			break;
	}
	for (size_t i = 0; i < column->layer_count; i++) {
		struct column_layer *layer = &column->layers[i];

		layer->planes_at = (size_t)at;
		at += layer->bits * column_plane_size(layer->rows);
	}
	if (at != column->bytes.size)
		return column_bytes_damaged(message, "its size is not that of what it has");
	return STATUS_OK;
}

enum status coded_column_open(struct coded_column *column, column_read read, void *context,
			      size_t size, struct message *message)
{
	const uint8_t *head;
	enum status status = column_bytes_begin(&column->bytes, read, context, size, message);

	if (status == STATUS_OK)
		status = column_bytes_get(&column->bytes, 0, COLUMN_HEAD_SIZE, &head, message);
	if (status != STATUS_OK)
		return status;
	column->layer_count = head[0];
	if (column->layer_count < 1 || column->layer_count > COLUMN_LAYERS)
		return column_bytes_damaged(message,
					    "it has no number of layers that there can be");
	status = column_bytes_get(&column->bytes, COLUMN_HEAD_SIZE,
				  column->layer_count * COLUMN_LAYER_SIZE, &head, message);
	for (size_t i = 0; status == STATUS_OK && i < column->layer_count; i++)
		status = layer_read(head + i * COLUMN_LAYER_SIZE, &column->layers[i], message);
	return status == STATUS_OK ? layers_place(column, message) : status;
}

static bool layer_reserve(struct column_layer *layer)
{
	/* The last plane is read up to its whole number of groups. */
	const size_t needed = layer->stride * layer->bits + PLANE_GROUP;
	uint64_t *larger;

	if (layer->capacity >= needed)
		return true;
	free(layer->planes);
	layer->planes = NULL;
	layer->capacity = 0;
	larger = malloc(needed * sizeof(*larger));
	if (!larger)
		return false;
	layer->planes = larger;
	layer->capacity = needed;
	return true;
}

/* Bits behind the last row would be rows that there are not. */
static enum status planes_check(const struct column_layer *layer, struct message *message)
{
	const uint64_t behind = layer->rows % 64 ? ~((UINT64_C(1) << layer->rows % 64) - 1) : 0;

	for (size_t plane = 0; plane < layer->bits; plane++)
		if (layer->planes[plane * layer->stride + (layer->rows - 1) / 64] & behind)
			return column_bytes_damaged(message, "it has bits behind its last row");
	return STATUS_OK;
}

enum status coded_column_load(struct coded_column *column, size_t layer, struct message *message)
{
	struct column_layer *loaded = &column->layers[layer];
	enum status status;

	if (loaded->loaded || loaded->bits == 0)
		return STATUS_OK;
	if (!layer_reserve(loaded))
		return message_out_of_memory(message);
	status = column_bytes_copy(&column->bytes, loaded->planes_at,
				   loaded->bits * column_plane_size(loaded->rows),
				   (uint8_t *)loaded->planes, message);
	if (status != STATUS_OK)
		return status;
	memset(loaded->planes + loaded->stride * loaded->bits, 0, PLANE_GROUP * sizeof(uint64_t));
	for (size_t i = 0; BYTE_ORDER == BIG_ENDIAN && i < loaded->stride * loaded->bits; i++)
		loaded->planes[i] = le64toh(loaded->planes[i]);
	loaded->loaded = true;
	return planes_check(loaded, message);
}

struct column_values *column_values_new(void)
{
	enum { VALUES = COLUMN_VALUES_MAX };
	struct column_values *values = calloc(1, sizeof(*values));

	if (!values)
		return NULL;
	values->numbers = malloc(VALUES * sizeof(*values->numbers));
	values->addresses = malloc(VALUES * sizeof(*values->addresses));
	values->is_address = malloc(VALUES * sizeof(*values->is_address));
	values->places = malloc(SEGMENT_ROWS * sizeof(*values->places));
	values->codes = malloc((SEGMENT_ROWS + 64 * PLANE_GROUP) * sizeof(*values->codes));
	values->rare = malloc((SEGMENT_ROWS + 1) * sizeof(*values->rare));
	values->mask = malloc((SEGMENT_WORDS + PLANE_GROUP) * sizeof(*values->mask));
	if (values->numbers && values->addresses && values->is_address && values->places &&
	    values->codes && values->rare && values->mask)
		return values;
	column_values_free(values);
	return NULL;
}

/* Reads the list of a layer behind those that are there. */
static enum status values_list(struct coded_column *column, const struct column_layer *layer,
			       struct column_values *values, struct message *message)
{
	const size_t first = values->count;
	const size_t numbers = layer->every ? column_layer_values(layer) : layer->list.numbers;

	values->count += column_layer_values(layer);
	for (size_t i = first; i < values->count; i++)
		values->is_address[i] = i - first >= numbers;
	if (!layer->every)
		return value_list_decode(&layer->list, &column->bytes, values->numbers + first,
					 values->addresses + first + numbers, message);
	for (size_t i = 0; i < numbers; i++)
		values->numbers[first + i] = (uint32_t)i;
	return STATUS_OK;
}

/* The code that says that a row's value is in the next layer; none where there is none. */
static uint32_t escape_of(const struct coded_column *column, size_t layer)
{
	return coded_column_escapes(column, layer) ? (1U << column->layers[layer].bits) - 1
						   : UINT32_MAX;
}

/* Reads the codes of a layer, which are those of values, or its escape. */
static enum status codes_read(struct coded_column *column, size_t number,
			      const struct kernels *kernels, struct column_values *values,
			      struct message *message)
{
	const struct column_layer *layer = &column->layers[number];
	const uint16_t *codes = values->codes;
	const uint16_t last = (uint16_t)(column_layer_values(layer) - 1);
	const uint32_t escape = escape_of(column, number);
	const uint16_t excused = escape <= UINT16_MAX ? (uint16_t)escape : last;
	unsigned wrong = 0;
	enum status status = coded_column_load(column, number, message);

	if (status != STATUS_OK)
		return status;
	kernels->planes_codes(layer->planes, layer->stride, layer->stride, layer->bits,
			      values->codes);
	for (size_t row = 0; row < layer->rows; row++)
		wrong |= (codes[row] > last) & (codes[row] != excused);
	return wrong ? column_bytes_damaged(message, "a code is that of no value") : STATUS_OK;
}

/* Lists the rows that the first layer leaves to the second, which has as many. */
static enum status rare_list(const struct coded_column *column, const struct kernels *kernels,
			     struct column_values *values, struct message *message)
{
	const struct column_layer *common = &column->layers[0];
	const uint32_t escape = escape_of(column, 0);
	size_t count = 0;

	kernels->planes_between(common->planes, common->stride, common->words, common->bits, escape,
				escape, false, values->mask);
	for (size_t word = 0; word * 64 < common->rows; word++)
		for (uint64_t left = values->mask[word]; left; left &= left - 1) {
			const size_t row = word * 64 + (size_t)__builtin_ctzll(left);

			values->rare[count] = (uint16_t)row;
			count += row < common->rows;
		}
	return count == column->layers[1].rows
		       ? STATUS_OK
		       : column_bytes_damaged(message, "it has no right number of rare values");
}

/* The places of the second layer's values follow those of the first one. */
static enum status rare_places(struct coded_column *column, const struct kernels *kernels,
			       struct column_values *values, struct message *message)
{
	const size_t first = values->count;
	enum status status = rare_list(column, kernels, values, message);

	if (status == STATUS_OK)
		status = values_list(column, &column->layers[1], values, message);
	if (status == STATUS_OK)
		status = codes_read(column, 1, kernels, values, message);
	for (size_t i = 0; status == STATUS_OK && i < column->layers[1].rows; i++)
		values->places[values->rare[i]] = (uint32_t)first + values->codes[i];
	return status;
}

enum status coded_column_values(struct coded_column *column, const struct kernels *kernels,
				struct column_values *values, struct message *message)
{
	const struct column_layer *common = &column->layers[0];
	enum status status;

	values->count = 0;
	status = values_list(column, common, values, message);
	if (status == STATUS_OK)
		status = codes_read(column, 0, kernels, values, message);
	for (size_t row = 0; status == STATUS_OK && row < common->rows; row++)
		values->places[row] = values->codes[row];
	return status == STATUS_OK && column->layer_count > 1
		       ? rare_places(column, kernels, values, message)
		       : status;
}

/* Reads the list and the codes of a layer, whose values have to be numbers. */
static enum status numbers_read(struct coded_column *column, size_t number,
				const struct kernels *kernels, struct column_values *values,
				struct message *message)
{
	const struct column_layer *layer = &column->layers[number];
	enum status status = STATUS_OK;

	if (!layer->every && layer->list.addresses)
		return column_bytes_damaged(message, "it has addresses where numbers belong");
	if (!layer->every)
		status = value_list_decode(&layer->list, &column->bytes, values->numbers,
					   values->addresses, message);
	return status == STATUS_OK ? codes_read(column, number, kernels, values, message) : status;
}

enum status coded_column_numbers(struct coded_column *column, const struct kernels *kernels,
				 struct column_values *values, uint32_t *numbers,
				 struct message *message)
{
	const struct column_layer *common = &column->layers[0];
	const uint16_t *codes = values->codes;
	enum status status = numbers_read(column, 0, kernels, values, message);

	if (status != STATUS_OK)
		return status;
	for (size_t row = 0; common->every && row < common->rows; row++)
		numbers[row] = codes[row];
	/* The escape is behind the list, where some number stands. */
	for (size_t row = 0; !common->every && row < common->rows; row++)
		numbers[row] = values->numbers[codes[row]];
	if (column->layer_count == 1)
		return STATUS_OK;
	status = rare_list(column, kernels, values, message);
	if (status == STATUS_OK)
		status = numbers_read(column, 1, kernels, values, message);
	for (size_t i = 0; status == STATUS_OK && i < column->layers[1].rows; i++)
		numbers[values->rare[i]] =
			column->layers[1].every ? codes[i] : values->numbers[codes[i]];
	return status;
}

void column_values_free(struct column_values *values)
{
	if (!values)
		return;
	free(values->numbers);
	free(values->addresses);
	free(values->is_address);
	free(values->places);
	free(values->codes);
	free(values->rare);
	free(values->mask);
	free(values);
}

void coded_column_free(struct coded_column *column)
{
	column_bytes_free(&column->bytes);
	for (size_t i = 0; i < COLUMN_LAYERS; i++)
		free(column->layers[i].planes);
	*column = (struct coded_column){0};
}
