#include "segment_packing.h"

#include <stdlib.h>
#include <string.h>

#include "base/big_endian.h"
#include "base/little_endian.h"
#include "bitmap/container.h"
#include "bitmap/segment_bits.h"
#include "column_maker.h"
#include "packet/header.h"
#include "rows_format.h"
#include "time_column.h"

/* All but the row ids and the times. */
enum { CODED_COLUMNS = STORED_TIME - STORED_SHAPE };

struct segment_packing {
	struct column_maker *maker;
	struct segment_bits bits;
	bool is_ipv6[SEGMENT_ROWS];  /* of each row, in the order of row ids */
	int64_t times[SEGMENT_ROWS]; /* where the segment has any */
	size_t rows;
	uint32_t numbers[CODED_COLUMNS][SEGMENT_ROWS];		/* by column */
	uint8_t addresses[2][SEGMENT_ROWS][VALUE_ADDRESS_SIZE]; /* of the ends */
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

static uint32_t port_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* Where a header of a version has what the columns are made of. */
struct packing_places {
	uint32_t protocol;
	uint32_t source;
	uint32_t destination;
	uint32_t source_port;
	uint32_t destination_port;
};

static struct packing_places places_of(unsigned version)
{
	return (struct packing_places){
		.protocol = version == 6 ? 6 : 9,
		.source = column_offset(COLUMN_SOURCE, version),
		.destination = column_offset(COLUMN_DESTINATION, version),
		.source_port = column_offset(COLUMN_SOURCE_PORT, version),
		.destination_port = column_offset(COLUMN_DESTINATION_PORT, version),
	};
}

static inline uint32_t *numbers_of(struct segment_packing *packing, enum stored_column column)
{
	return packing->numbers[column - STORED_SHAPE];
}

/* Takes the next row of a version: what both have alike. */
static inline const uint8_t *row_take(struct segment_packing *packing,
				      const struct segment *segment,
				      const struct packed_headers *headers, size_t place,
				      unsigned version, const struct packing_places *places)
{
	const uint8_t *header = headers->bytes + place * headers->stride;
	const size_t row = packing->rows++;

	packing->is_ipv6[row] = version == 6;
	numbers_of(packing, STORED_SHAPE)[row] =
		shape_of(version, header[places->protocol], headers->captured[place]);
	numbers_of(packing, STORED_SOURCE_PORT)[row] = port_at(header + places->source_port);
	numbers_of(packing, STORED_DESTINATION_PORT)[row] =
		port_at(header + places->destination_port);
	if (segment->timed)
		packing->times[row] = segment->times[headers->low[place]];
	segment_bits_add(&packing->bits, headers->low[place]);
	return header;
}

static void ipv4_take(struct segment_packing *packing, const struct segment *segment, size_t place,
		      const struct packing_places *places)
{
	const size_t row = packing->rows;
	const uint8_t *header =
		row_take(packing, segment, &segment->headers[SEGMENT_IPV4], place, 4, places);

	numbers_of(packing, STORED_SOURCE)[row] = read_big_endian_32(header + places->source);
	numbers_of(packing, STORED_DESTINATION)[row] =
		read_big_endian_32(header + places->destination);
}

static void ipv6_take(struct segment_packing *packing, const struct segment *segment, size_t place,
		      const struct packing_places *places)
{
	const size_t row = packing->rows;
	const uint8_t *header =
		row_take(packing, segment, &segment->headers[SEGMENT_IPV6], place, 6, places);

	memcpy(packing->addresses[0][place], header + places->source, VALUE_ADDRESS_SIZE);
	memcpy(packing->addresses[1][place], header + places->destination, VALUE_ADDRESS_SIZE);
	numbers_of(packing, STORED_SOURCE)[row] = (uint32_t)place;
	numbers_of(packing, STORED_DESTINATION)[row] = (uint32_t)place;
}

/* Takes the headers of both versions in the order of the row ids. */
static void headers_take(struct segment_packing *packing, const struct segment *segment)
{
	const struct packed_headers *ipv4 = &segment->headers[SEGMENT_IPV4];
	const struct packed_headers *ipv6 = &segment->headers[SEGMENT_IPV6];
	const struct packing_places places4 = places_of(4);
	const struct packing_places places6 = places_of(6);
	size_t next = 0;

	packing->rows = 0;
	segment_bits_clear(&packing->bits);
	for (size_t place = 0; place < ipv6->rows; place++) {
		for (; next < ipv4->rows && ipv4->low[next] < ipv6->low[place]; next++)
			ipv4_take(packing, segment, next, &places4);
		ipv6_take(packing, segment, place, &places6);
	}
	for (; next < ipv4->rows; next++)
		ipv4_take(packing, segment, next, &places4);
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

static bool column_pack(struct segment_packing *packing, enum stored_column column, size_t *used,
			struct packed_columns *packed)
{
	const bool is_address = column == STORED_SOURCE || column == STORED_DESTINATION;
	const struct column_input input = {
		.rows = packing->rows,
		.numbers = numbers_of(packing, column),
		.is_address = is_address ? packing->is_ipv6 : NULL,
		.addresses = packing->addresses[column == STORED_DESTINATION],
		.is_port = !is_address && column != STORED_SHAPE,
	};
	const uint8_t *bytes;
	size_t size;

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
	headers_take(packing, segment);
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
