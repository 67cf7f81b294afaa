#include "segment_packing.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "bitmap/container.h"
#include "bitmap/segment_bits.h"
#include "column_maker.h"
#include "packet/header.h"
#include "rows_format.h"
#include "time_column.h"

struct segment_packing {
	struct column_maker *maker;
	struct segment_bits bits;
	const uint8_t *header[SEGMENT_ROWS]; /* of each row, in the order of row ids */
	bool is_ipv6[SEGMENT_ROWS];
	uint8_t captured[SEGMENT_ROWS];
	int64_t times[SEGMENT_ROWS]; /* where the segment has any */
	size_t rows;
	uint32_t numbers[SEGMENT_ROWS];
	uint8_t addresses[SEGMENT_ROWS][VALUE_ADDRESS_SIZE];
	uint8_t row_bytes[ROWS_HEAD_SIZE + CONTAINER_BYTES_MAX];
	uint8_t time_bytes[TIME_COLUMN_SIZE_MAX];
	uint8_t *bytes; /* all columns */
	size_t capacity;
};

struct segment_packing *segment_packing_new(void)
{
	struct segment_packing *packing = calloc(1, sizeof(*packing));

	if (!packing)
		return NULL;
	packing->maker = column_maker_new();
	if (packing->maker)
		return packing;
	free(packing);
	return NULL;
}

void segment_packing_free(struct segment_packing *packing)
{
	if (!packing)
		return;
	column_maker_free(packing->maker);
	free(packing->bytes);
	free(packing);
}

/* Brings the headers of both versions into the order of the row ids. */
static void headers_order(struct segment_packing *packing, const struct segment *segment)
{
	size_t next[SEGMENT_VERSIONS] = {0};

	packing->rows = segment->headers[SEGMENT_IPV4].rows + segment->headers[SEGMENT_IPV6].rows;
	segment_bits_clear(&packing->bits);
	for (size_t row = 0; row < packing->rows; row++) {
		const struct packed_headers *ipv4 = &segment->headers[SEGMENT_IPV4];
		const struct packed_headers *ipv6 = &segment->headers[SEGMENT_IPV6];
		const bool is_ipv6 =
			next[SEGMENT_IPV4] == ipv4->rows ||
			(next[SEGMENT_IPV6] < ipv6->rows &&
			 ipv6->low[next[SEGMENT_IPV6]] < ipv4->low[next[SEGMENT_IPV4]]);
		const struct packed_headers *headers = is_ipv6 ? ipv6 : ipv4;
		const size_t place = next[is_ipv6 ? SEGMENT_IPV6 : SEGMENT_IPV4]++;

		packing->is_ipv6[row] = is_ipv6;
		packing->header[row] = headers->bytes + place * headers->stride;
		packing->captured[row] = headers->captured[place];
		if (segment->timed)
			packing->times[row] = segment->times[headers->low[place]];
		segment_bits_add(&packing->bits, headers->low[place]);
	}
}

/* Takes bytes over as the next column. */
static bool column_add(struct segment_packing *packing, const uint8_t *bytes, size_t size,
		       enum stored_column column, size_t *used, struct packed_columns *packed)
{
	if (packing->capacity - *used < size) {
		const size_t capacity = (*used + size) * 2;
		uint8_t *larger = realloc(packing->bytes, capacity);

		if (!larger)
			return false;
		packing->bytes = larger;
		packing->capacity = capacity;
	}
	memcpy(packing->bytes + *used, bytes, size);
	*used += size;
	packed->sizes[column] = size;
	return true;
}

static size_t rows_encode(struct segment_packing *packing, const struct kernels *kernels)
{
	struct container container;

	container_encode(0, &packing->bits, kernels, packing->row_bytes + ROWS_HEAD_SIZE,
			 &container);
	write_little_endian_32(packing->row_bytes, container.cardinality);
	packing->row_bytes[4] = container.is_run;
	return ROWS_HEAD_SIZE + container.size;
}

static uint32_t port_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

static void numbers_gather(struct segment_packing *packing, enum stored_column column)
{
	const enum column of =
		column == STORED_SOURCE_PORT ? COLUMN_SOURCE_PORT : COLUMN_DESTINATION_PORT;
	const uint32_t offsets[] = {column_offset(of, 4), column_offset(of, 6)};

	for (size_t row = 0; row < packing->rows; row++) {
		const uint8_t *header = packing->header[row];
		const bool is_ipv6 = packing->is_ipv6[row];

		packing->numbers[row] = column == STORED_SHAPE
						? shape_of(is_ipv6 ? 6 : 4, header[is_ipv6 ? 6 : 9],
							   packing->captured[row])
						: port_at(header + offsets[is_ipv6]);
	}
}

static void addresses_gather(struct segment_packing *packing, enum stored_column column)
{
	const enum column of = column == STORED_SOURCE ? COLUMN_SOURCE : COLUMN_DESTINATION;
	const uint32_t offsets[] = {column_offset(of, 4), column_offset(of, 6)};
	size_t addresses = 0;

	for (size_t row = 0; row < packing->rows; row++) {
		const bool is_ipv6 = packing->is_ipv6[row];
		const uint8_t *address = packing->header[row] + offsets[is_ipv6];

		if (is_ipv6) {
			memcpy(packing->addresses[addresses], address, VALUE_ADDRESS_SIZE);
			packing->numbers[row] = (uint32_t)addresses++;
		} else {
			packing->numbers[row] = port_at(address) << 16 | port_at(address + 2);
		}
	}
}

static bool column_pack(struct segment_packing *packing, enum stored_column column, size_t *used,
			struct packed_columns *packed)
{
	const bool is_address = column == STORED_SOURCE || column == STORED_DESTINATION;
	const struct column_input input = {
		.rows = packing->rows,
		.numbers = packing->numbers,
		.is_address = is_address ? packing->is_ipv6 : NULL,
		.addresses = packing->addresses,
		.is_port = !is_address && column != STORED_SHAPE,
	};
	const uint8_t *bytes;
	size_t size;

	if (is_address)
		addresses_gather(packing, column);
	else
		numbers_gather(packing, column);
	column_maker_run(packing->maker, &input, &bytes, &size);
	return column_add(packing, bytes, size, column, used, packed);
}

enum status segment_packing_run(struct segment_packing *packing, const struct segment *segment,
				const struct kernels *kernels, struct packed_columns *packed,
				struct message *message)
{
	size_t used = 0;
	bool added;

	*packed = (struct packed_columns){0};
	headers_order(packing, segment);
	if (packing->rows == 0)
		return STATUS_OK;
	added = column_add(packing, packing->row_bytes, rows_encode(packing, kernels), STORED_ROWS,
			   &used, packed);
	for (int column = STORED_SHAPE; added && column < STORED_TIME; column++)
		added = column_pack(packing, (enum stored_column)column, &used, packed);
	if (added && segment->timed)
		added = column_add(
			packing, packing->time_bytes,
			time_column_encode(packing->times, packing->rows, packing->time_bytes),
			STORED_TIME, &used, packed);
	packed->bytes = added ? malloc(used) : NULL;
	if (!packed->bytes)
		return message_out_of_memory(message);
	memcpy(packed->bytes, packing->bytes, used);
	return STATUS_OK;
}
