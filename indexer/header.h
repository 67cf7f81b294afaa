/*
 * A connection as the raw IP packet (link type DLT_RAW) that stands for it,
 * cut off behind the ports: what a capture with a short snap length would hold.
 *   IPv4: 20 bytes (RFC 791), then source and destination port: 24.
 *   IPv6: 40 bytes (RFC 8200), then source and destination port: 44.
 * A protocol without ports ends behind the IP header; ICMP and ICMPv6 have type
 * and code (22, 42) where the log has them.
 */
#ifndef CONNBITS_HEADER_H
#define CONNBITS_HEADER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
	uint32_t sum;			 /* of these as 16-bit numbers: IPv4's checksum */
	uint8_t behind;			 /* captured bytes behind the IP header: 4, 2 or 0 */
};

/*
 * version is 4 or 6. has_icmp says that type and code are known; it counts for
 * ICMP and ICMPv6 only.
 */
void header_template_make(unsigned version, uint8_t protocol, bool has_icmp,
			  struct header_template *header);

/* RFC 791 section 3.1: folds a sum of 16-bit numbers to the header's checksum. */
static inline unsigned header_checksum(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/*
 * Writes a whole IPv4 header, HEADER_IPV4_SIZE bytes. body has
 * HEADER_IPV4_BODY_SIZE bytes, of which those that are not captured do not
 * count.
 */
static inline void header_fill_ipv4(const struct header_template *header, const uint8_t *body,
				    uint8_t *out)
{
	uint32_t sum = header->sum;
	unsigned checksum;

	for (size_t i = 0; i < 8; i += 2)
		sum += (uint32_t)body[i] << 8 | body[i + 1];
	checksum = header_checksum(sum);
	memcpy(out, header->bytes, HEADER_IPV4_BODY);
	memcpy(out + HEADER_IPV4_BODY, body, HEADER_IPV4_BODY_SIZE);
	out[10] = (uint8_t)(checksum >> 8);
	out[11] = (uint8_t)checksum;
	for (size_t i = header->behind; i < 4; i++)
		out[20 + i] = 0;
}

/* The same for IPv6. */
static inline void header_fill_ipv6(const struct header_template *header, const uint8_t *body,
				    uint8_t *out)
{
	memcpy(out, header->bytes, HEADER_IPV6_BODY);
	memcpy(out + HEADER_IPV6_BODY, body, HEADER_IPV6_BODY_SIZE);
	for (size_t i = header->behind; i < 4; i++)
		out[40 + i] = 0;
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
