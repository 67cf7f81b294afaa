#include "plain_column.h"

#include <stdlib.h>
#include <string.h>

struct layer {
	uint32_t rows;
	uint32_t numbers;
	uint32_t addresses;
	uint32_t list_size;
	uint32_t bits;
	struct plain_value *list; /* NULL where every number is its own code */
	const uint8_t *planes;
};

static uint32_t number_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void number_set(struct plain_value *value, uint32_t number)
{
	*value = (struct plain_value){.is_address = false};
	for (int i = 0; i < 4; i++)
		value->bytes[15 - i] = (uint8_t)(number >> (8 * i));
}

static uint32_t blocks(uint32_t values, uint32_t block)
{
	return (values + block - 1) / block;
}

/* Reads the numbers of a list; returns how many bytes they take, or 0. */
static size_t numbers_read(const uint8_t *bytes, size_t size, uint32_t count,
			   struct plain_value *values)
{
	const uint32_t heads = blocks(count, 64);
	size_t at = heads * (size_t)8;
	uint64_t last = 0;

	if (at > size)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t number;

		if (i % 64 == 0) {
			if (i && number_at(bytes + heads * (size_t)4 + (i / 64 - 1) * (size_t)4) !=
					 at - heads * (size_t)8)
				return 0;
			number = number_at(bytes + i / 64 * (size_t)4);
		} else {
			uint64_t gap = 0;
			unsigned groups = 0;

			for (;;) {
				if (at == size || groups == 5)
					return 0;
				gap |= (uint64_t)(bytes[at] & 127) << (7 * groups++);
				if (!(bytes[at++] & 128))
					break;
			}
			number = last + gap + 1;
		}
		if (number > UINT32_MAX || (i && number <= last))
			return 0;
		number_set(&values[i], (uint32_t)number);
		last = number;
	}
	return number_at(bytes + heads * (size_t)8 - 4) == at - heads * (size_t)8 ? at : 0;
}

/* The same for addresses. */
static size_t addresses_read(const uint8_t *bytes, size_t size, uint32_t count,
			     struct plain_value *values)
{
	const uint32_t heads = blocks(count, 16);
	size_t at = heads * (size_t)20;

	if (at > size)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		values[i].is_address = true;
		if (i % 16 == 0) {
			if (i && number_at(bytes + heads * (size_t)16 + (i / 16 - 1) * (size_t)4) !=
					 at - heads * (size_t)20)
				return 0;
			memcpy(values[i].bytes, bytes + i, 16);
		} else {
			const size_t shared = at < size ? bytes[at++] : 16;

			if (shared > 15 || size - at < 16 - shared)
				return 0;
			memcpy(values[i].bytes, values[i - 1].bytes, shared);
			memcpy(values[i].bytes + shared, bytes + at, 16 - shared);
			at += 16 - shared;
		}
		if (i && memcmp(values[i].bytes, values[i - 1].bytes, 16) <= 0)
			return 0;
	}
	return number_at(bytes + heads * (size_t)20 - 4) == at - heads * (size_t)20 ? at : 0;
}

static bool list_read(const uint8_t *bytes, struct layer *layer)
{
	size_t used = 0;
	size_t more;

	if (layer->numbers + layer->addresses == 0)
		return layer->list_size == 0;
	layer->list = calloc(layer->numbers + (size_t)layer->addresses, sizeof(*layer->list));
	if (!layer->list)
		abort();
	if (layer->numbers) {
		used = numbers_read(bytes, layer->list_size, layer->numbers, layer->list);
		if (used == 0)
			return false;
	}
	if (layer->addresses) {
		more = addresses_read(bytes + used, layer->list_size - used, layer->addresses,
				      layer->list + layer->numbers);
		if (more == 0)
			return false;
		used += more;
	}
	return used == layer->list_size;
}

static bool layer_head(const uint8_t *head, struct layer *layer)
{
	*layer = (struct layer){.rows = number_at(head),
				.numbers = number_at(head + 4),
				.addresses = number_at(head + 8),
				.list_size = number_at(head + 12),
				.bits = number_at(head + 16)};
	return layer->rows >= 1 && layer->rows <= 65536 && layer->numbers <= 65536 &&
	       layer->addresses <= 65536 && layer->numbers + layer->addresses <= 65536 &&
	       layer->bits <= 16 && number_at(head + 20) == 0;
}

static size_t plane_size(const struct layer *layer)
{
	return (layer->rows + (size_t)63) / 64 * 8;
}

static uint32_t code_at(const struct layer *layer, size_t row)
{
	uint32_t code = 0;

	for (uint32_t plane = 0; plane < layer->bits; plane++)
		code = code << 1 |
		       (layer->planes[plane * plane_size(layer) + row / 8] >> (row % 8) & 1U);
	return code;
}

/* Codes are fewer than values, and there is nothing behind the last row. */
static bool layer_is_sound(const struct layer *layer, bool escapes)
{
	const uint64_t values =
		layer->list ? layer->numbers + layer->addresses : UINT64_C(1) << layer->bits;

	if (values > (UINT64_C(1) << layer->bits) - escapes)
		return false;
	for (size_t row = layer->rows; row < plane_size(layer) * 8; row++)
		if (code_at(layer, row))
			return false;
	return true;
}

static bool value_of(const struct layer *layer, uint32_t code, struct plain_value *value)
{
	if (!layer->list) {
		number_set(value, code);
		return true;
	}
	if (code >= layer->numbers + layer->addresses)
		return false;
	*value = layer->list[code];
	return true;
}

static bool rows_read(const struct layer *layers, size_t count, struct plain_column *column)
{
	uint32_t rare = 0;

	column->rows = layers[0].rows;
	column->values = calloc(column->rows, sizeof(*column->values));
	if (!column->values)
		abort();
	for (size_t row = 0; row < column->rows; row++) {
		const uint32_t code = code_at(&layers[0], row);

		if (count == 2 && code == (1U << layers[0].bits) - 1) {
			if (rare == layers[1].rows ||
			    !value_of(&layers[1], code_at(&layers[1], rare), &column->values[row]))
				return false;
			rare++;
		} else if (!value_of(&layers[0], code, &column->values[row])) {
			return false;
		}
	}
	return count == 1 || rare == layers[1].rows;
}

bool plain_column_read(const uint8_t *bytes, size_t size, struct plain_column *column)
{
	struct layer layers[2] = {{0}};
	const size_t count = size ? bytes[0] : 0;
	bool valid = (count == 1 || count == 2) && size >= 1 + count * 24 && size <= 1 << 22;
	size_t at = 1 + count * 24;

	*column = (struct plain_column){0};
	for (size_t i = 0; valid && i < count; i++)
		valid = layer_head(bytes + 1 + i * 24, &layers[i]);
	for (size_t i = 0; valid && i < count; i++) {
		valid = layers[i].list_size <= size - at && list_read(bytes + at, &layers[i]);
		at += layers[i].list_size;
	}
	for (size_t i = 0; valid && i < count; i++) {
		layers[i].planes = bytes + at;
		valid = layers[i].bits * plane_size(&layers[i]) <= size - at;
		at += layers[i].bits * plane_size(&layers[i]);
		valid = valid && layer_is_sound(&layers[i], i + 1 < count);
	}
	valid = valid && at == size && rows_read(layers, count, column);
	for (size_t i = 0; i < 2; i++)
		free(layers[i].list);
	if (!valid)
		plain_column_free(column);
	return valid;
}

bool plain_column_equals(const struct plain_column *column, const struct column_values *values,
			 size_t rows)
{
	bool same = column->rows == rows;

	for (size_t row = 0; same && row < rows; row++) {
		const uint32_t place = values->places[row];
		struct plain_value value = {.is_address = values->is_address[place]};

		if (value.is_address)
			memcpy(value.bytes, values->addresses[place], 16);
		else
			number_set(&value, values->numbers[place]);
		same = value.is_address == column->values[row].is_address &&
		       memcmp(value.bytes, column->values[row].bytes, 16) == 0;
	}
	return same;
}

void plain_column_free(struct plain_column *column)
{
	free(column->values);
	*column = (struct plain_column){0};
}
