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

#include "connection.h"

enum {
	HEADER_IPV4_SIZE = 24, /* bytes that a packed IPv4 header takes */
	HEADER_IPV6_SIZE = 44, /* bytes that a packed IPv6 header takes */
};

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
