/*
 * The columns of a connection's header: every byte in which two headers of
 * connections can differ, as numbers. One column holds the shape of the
 * header, the others its ports and addresses. What is in no column is the same
 * in all headers of one shape, but for the IPv4 checksum.
 */
#ifndef CONNBITS_PACKET_HEADER_COLUMN_H
#define CONNBITS_PACKET_HEADER_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

enum column {
	COLUMN_SHAPE,
	COLUMN_SOURCE_PORT, /* of ICMP: the type, times 256, and the code */
	COLUMN_DESTINATION_PORT,
	COLUMN_SOURCE,	 /* the IPv4 address; of IPv6 the first 32 bits */
	COLUMN_SOURCE_4, /* of IPv6 the 32 bits from byte 4 on */
	COLUMN_SOURCE_8,
	COLUMN_SOURCE_12,
	COLUMN_DESTINATION,
	COLUMN_DESTINATION_4,
	COLUMN_DESTINATION_8,
	COLUMN_DESTINATION_12,
	COLUMN_COUNT,
};

/* Shapes: version, protocol, and whether there are an ICMP type and code. */
enum {
	SHAPE_ICMP = 1 << 8,
	SHAPE_IPV6 = 1 << 9,
	SHAPE_LAST = (1 << 10) - 1,
	SHAPE_NONE = SHAPE_LAST, /* no header has it */
};

/* The shape of a header. captured is its captured length in bytes. */
static inline uint32_t shape_of(unsigned version, uint8_t protocol, uint32_t captured)
{
	return protocol | (captured % 4 == 2 ? SHAPE_ICMP : 0U) | (version == 6 ? SHAPE_IPV6 : 0U);
}

static inline unsigned shape_version(uint32_t shape)
{
	return shape & SHAPE_IPV6 ? 6 : 4;
}

static inline uint8_t shape_protocol(uint32_t shape)
{
	return (uint8_t)shape;
}

/* True for the shapes that header_build makes. */
bool shape_valid(uint32_t shape);

/* The greatest number in a column, an enum column; the least is 0. */
uint32_t column_last(uint32_t column);

/*
 * The column that holds the byte at offset of a header, or COLUMN_COUNT, and by
 * how many bits the byte is shifted to the left in it. Of COLUMN_SHAPE it is
 * the protocol.
 */
enum column column_at(unsigned version, uint32_t offset, unsigned *shift);

/* The offset of a column's first byte in headers of a version; not for COLUMN_SHAPE. */
uint32_t column_offset(enum column column, unsigned version);

#endif
