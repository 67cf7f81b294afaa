/*
 * A segment: the connections whose row ids share rowid >> 16, packed as raw IP
 * headers, IPv4 and IPv6 apart. The unit of packing and evaluation, and the
 * span of one Roaring container.
 */
#ifndef CONNBITS_PACKET_SEGMENT_H
#define CONNBITS_PACKET_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rowid.h"
#include "connection.h"
#include "header.h"

/* The headers of one IP version, in ascending order of row ids. */
struct packed_headers {
	size_t stride;	   /* bytes from one header to the next */
	size_t rows;	   /* 0 to SEGMENT_ROWS */
	uint8_t *bytes;	   /* rows * stride */
	uint8_t *captured; /* captured length of each header, in bytes */
	uint16_t *low;	   /* the lower 16 bits of each row id */
};

enum { SEGMENT_IPV4, SEGMENT_IPV6, SEGMENT_VERSIONS, SEGMENT_TEMPLATES = 8 };

/* What the headers of one version, protocol and so on share, once made. */
struct segment_template {
	uint32_t key; /* of the connections that it is of; 0 for none */
	struct header_template header;
};

struct segment {
	int64_t number;
	struct packed_headers headers[SEGMENT_VERSIONS];
	size_t outcomes[OUTCOME_COUNT];	 /* rows by outcome; their sum is the rows read */
	uint64_t skipped[SEGMENT_WORDS]; /* one bit a row id: its row was skipped */
	/*
	 * Whether rows have times; and those of rows with a header, by the lower 16 bits of
	 * the row id: microseconds since 1970, INSTANT_NONE where a row has none.
	 */
	bool timed;
	int64_t *times;
	struct segment_template templates[SEGMENT_TEMPLATES];
};

/* An empty segment with room for every row, or NULL without memory. Free with segment_free. */
struct segment *segment_new(void);

/* Empties the segment and gives it a new number. Its rows have no times. */
void segment_reset(struct segment *segment, int64_t number);

/*
 * Accounts for the row with id number << 16 | low. With OUTCOME_HEADER it
 * builds the header of connection and appends it; otherwise connection is not
 * looked at. Every row id may come once at most, in ascending order.
 */
void segment_append(struct segment *segment, uint16_t low, enum outcome outcome,
		    const struct connection *connection);

void segment_free(struct segment *segment);

#endif
