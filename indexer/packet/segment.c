#include "segment.h"

#include <stdlib.h>
#include <string.h>

static int packed_headers_init(struct packed_headers *headers, size_t stride)
{
	headers->stride = stride;
	headers->rows = 0;
	headers->bytes = malloc(stride * SEGMENT_ROWS);
	headers->captured = malloc(SEGMENT_ROWS);
	headers->low = malloc(SEGMENT_ROWS * sizeof(*headers->low));
	return headers->bytes && headers->captured && headers->low;
}

struct segment *segment_new(void)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (!segment)
		return NULL;
	segment->times = malloc(SEGMENT_ROWS * sizeof(*segment->times));
	if (!segment->times ||
	    !packed_headers_init(&segment->headers[SEGMENT_IPV4], HEADER_IPV4_SIZE) ||
	    !packed_headers_init(&segment->headers[SEGMENT_IPV6], HEADER_IPV6_SIZE)) {
		segment_free(segment);
		return NULL;
	}
	return segment;
}

void segment_reset(struct segment *segment, int64_t number)
{
	segment->number = number;
	segment->timed = false;
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		segment->headers[i].rows = 0;
	memset(segment->outcomes, 0, sizeof(segment->outcomes));
	memset(segment->skipped, 0, sizeof(segment->skipped));
}

/* Most rows are of few kinds. */
static const struct header_template *template_of(struct segment *segment,
						 const struct connection *connection)
{
	const uint32_t key = (uint32_t)connection->version << 16 |
			     (uint32_t)connection->has_icmp << 8 | connection->protocol;
	struct segment_template *kept =
		&segment->templates[(connection->protocol ^ connection->protocol >> 3 ^
				     connection->version * 2) %
				    SEGMENT_TEMPLATES];

	if (kept->key != key) {
		kept->key = key;
		header_template_make(connection->version, connection->protocol,
				     connection->has_icmp, &kept->header);
	}
	return &kept->header;
}

static void ipv4_append(struct packed_headers *headers, uint16_t low,
			const struct header_template *header, const struct connection *connection)
{
	const size_t row = headers->rows++;

	headers->low[row] = low;
	headers->captured[row] = (uint8_t)(20 + header->behind);
	header_write_ipv4(header, connection, headers->bytes + row * HEADER_IPV4_SIZE);
}

static void ipv6_append(struct packed_headers *headers, uint16_t low,
			const struct header_template *header, const struct connection *connection)
{
	const size_t row = headers->rows++;

	headers->low[row] = low;
	headers->captured[row] = (uint8_t)(40 + header->behind);
	header_write_ipv6(header, connection, headers->bytes + row * HEADER_IPV6_SIZE);
}

void segment_append(struct segment *segment, uint16_t low, enum outcome outcome,
		    const struct connection *connection)
{
	const struct header_template *header;

	segment->outcomes[outcome]++;
	if (outcome_is_skipped(outcome))
		segment->skipped[low / 64] |= UINT64_C(1) << (low % 64);
	if (outcome != OUTCOME_HEADER)
		return;
	header = template_of(segment, connection);
	if (connection->version == 4)
		ipv4_append(&segment->headers[SEGMENT_IPV4], low, header, connection);
	else
		ipv6_append(&segment->headers[SEGMENT_IPV6], low, header, connection);
}

void segment_free(struct segment *segment)
{
	if (!segment)
		return;
	free(segment->times);
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++) {
		free(segment->headers[i].bytes);
		free(segment->headers[i].captured);
		free(segment->headers[i].low);
	}
	free(segment);
}
