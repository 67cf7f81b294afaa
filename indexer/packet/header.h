/*
 * A connection as the raw IP packet (link type DLT_RAW) that stands for it,
 * cut off behind the ports: what a capture with a short snap length would hold.
 *   IPv4: 20 bytes (RFC 791), then source and destination port: 24.
 *   IPv6: 40 bytes (RFC 8200), then source and destination port: 44.
 * A protocol without ports ends behind the IP header; ICMP and ICMPv6 have type
 * and code (22, 42) where the log has them.
 */
#ifndef CONNBITS_PACKET_HEADER_H
#define CONNBITS_PACKET_HEADER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/big_endian.h"
#include "connection.h"

enum {
	HEADER_IPV4_SIZE = 24, /* bytes that a packed IPv4 header takes */
	HEADER_IPV6_SIZE = 44, /* bytes that a packed IPv6 header takes */
	/* Where what is not fixed by the protocol begins: addresses, then ports. */
	HEADER_IPV4_BODY = 12,
	HEADER_IPV6_BODY = 8,
	HEADER_IPV4_BODY_SIZE = HEADER_IPV4_SIZE - HEADER_IPV4_BODY,
	HEADER_IPV6_BODY_SIZE = HEADER_IPV6_SIZE - HEADER_IPV6_BODY,
};

/* What all headers of one protocol share. */
struct header_template {
	uint8_t bytes[HEADER_IPV4_BODY]; /* what stands before the body */
	uint32_t sum;			 /* of these: header_sum */
	uint8_t behind;			 /* captured bytes behind the IP header: 4, 2 or 0 */
};

/*
 * version is 4 or 6. has_icmp says that type and code are known; it counts for
 * ICMP and ICMPv6 only.
 */
void header_template_make(unsigned version, uint8_t protocol, bool has_icmp,
			  struct header_template *header);

/*
 * Adds up 16-bit numbers as they lie in memory: the sum is that of the header's
 * own order but for its bytes, which lie where they belong once it is stored in
 * the same way (RFC 1071 section 2, byte order independence).
 */
static inline uint32_t header_sum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2) {
		uint16_t number;

		memcpy(&number, bytes + i, sizeof(number));
		sum += number;
	}
	return sum;
}

/*
 * Writes a whole IPv4 header, HEADER_IPV4_SIZE bytes. body has
 * HEADER_IPV4_BODY_SIZE bytes, of which those that are not captured do not
 * count.
 */
static inline void header_fill_ipv4(const struct header_template *header, const uint8_t *body,
				    uint8_t *out)
{
	uint32_t sum = header->sum + header_sum(body, 8);
	uint16_t checksum;

	/* RFC 791 section 3.1: the ones' complement of the ones' complement sum. */
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	checksum = (uint16_t)~sum;
	memcpy(out, header->bytes, HEADER_IPV4_BODY);
	memcpy(out + 10, &checksum, sizeof(checksum));
	memcpy(out + HEADER_IPV4_BODY, body, HEADER_IPV4_BODY_SIZE);
	if (header->behind < 4)
		memset(out + 20 + header->behind, 0, 4U - header->behind);
}

/* The same for IPv6. */
static inline void header_fill_ipv6(const struct header_template *header, const uint8_t *body,
				    uint8_t *out)
{
	memcpy(out, header->bytes, HEADER_IPV6_BODY);
	memcpy(out + HEADER_IPV6_BODY, body, HEADER_IPV6_BODY_SIZE);
	if (header->behind < 4)
		memset(out + 40 + header->behind, 0, 4U - header->behind);
}

/* The four bytes behind the IP header. */
static inline uint32_t header_ports(const struct header_template *header,
				    const struct connection *connection)
{
	if (header->behind == 4)
		return (uint32_t)connection->source_port << 16 | connection->destination_port;
	if (header->behind == 2)
		return (uint32_t)connection->icmp_type << 24 | (uint32_t)connection->icmp_code
								       << 16;
	return 0;
}

/* The same from a connection, of whose version, protocol and has_icmp the template is. */
static inline void header_write_ipv4(const struct header_template *header,
				     const struct connection *connection, uint8_t *out)
{
	uint32_t sum = header->sum + header_sum(connection->source, 4) +
		       header_sum(connection->destination, 4);
	uint16_t checksum;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	checksum = (uint16_t)~sum;
	memcpy(out, header->bytes, HEADER_IPV4_BODY);
	memcpy(out + 10, &checksum, sizeof(checksum));
	memcpy(out + 12, connection->source, 4);
	memcpy(out + 16, connection->destination, 4);
	write_big_endian_32(out + 20, header_ports(header, connection));
}

static inline void header_write_ipv6(const struct header_template *header,
				     const struct connection *connection, uint8_t *out)
{
	memcpy(out, header->bytes, HEADER_IPV6_BODY);
	memcpy(out + 8, connection->source, 16);
	memcpy(out + 24, connection->destination, 16);
	write_big_endian_32(out + 40, header_ports(header, connection));
}

/*
 * Writes the header of connection to out, which has room for HEADER_IPV4_SIZE
 * or HEADER_IPV6_SIZE bytes by connection->version, and fills what is behind
 * the captured bytes with zeros. Returns the captured length in bytes.
 */
size_t header_build(const struct connection *connection, uint8_t *out);

/*
 * The length that the packet had on the wire, in bytes: for IPv4 its total
 * length, for IPv6 its payload length and the 40 bytes before it. header has
 * at least 20 (IPv4) or 40 (IPv6) bytes.
 */
uint32_t header_wire_length(const uint8_t *header);

#endif
