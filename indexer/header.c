#include "header.h"

#include <string.h>

enum {
	IPV4_FIXED = 20,
	IPV6_FIXED = 40,
	HOP_LIMIT = 64,
};

static void write_big_endian_16(uint8_t *out, unsigned value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

static unsigned read_big_endian_16(const uint8_t *in)
{
	return (unsigned)in[0] << 8 | in[1];
}

/* The length in bytes of the protocol's shortest packet, without the IP header. */
static unsigned shortest_payload(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return 20; /* RFC 9293 section 3.1 */
	case PROTOCOL_SCTP:
		return 12; /* RFC 9260 section 3.1 */
	case PROTOCOL_UDP:
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMP6:
		return 8; /* RFC 768, RFC 792, RFC 4443 section 2.1 */
	default:
		return 0;
	}
}

/* RFC 791 section 3.1: the ones' complement of the ones' complement sum of the header. */
static unsigned ipv4_checksum(const uint8_t *header)
{
	unsigned sum = 0;

	for (size_t i = 0; i < IPV4_FIXED; i += 2)
		sum += read_big_endian_16(header + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void ipv4_build(const struct connection *connection, uint8_t *out)
{
	memset(out, 0, HEADER_IPV4_SIZE);
	out[0] = 0x45; /* version 4, five 32-bit words */
	write_big_endian_16(out + 2, IPV4_FIXED + shortest_payload(connection->protocol));
	out[8] = HOP_LIMIT;
	out[9] = connection->protocol;
	memcpy(out + 12, connection->source, 4);
	memcpy(out + 16, connection->destination, 4);
	write_big_endian_16(out + 10, ipv4_checksum(out));
}

static void ipv6_build(const struct connection *connection, uint8_t *out)
{
	memset(out, 0, HEADER_IPV6_SIZE);
	out[0] = 0x60; /* version 6 */
	write_big_endian_16(out + 4, shortest_payload(connection->protocol));
	out[6] = connection->protocol;
	out[7] = HOP_LIMIT;
	memcpy(out + 8, connection->source, 16);
	memcpy(out + 24, connection->destination, 16);
}

size_t header_build(const struct connection *connection, uint8_t *out)
{
	size_t fixed = connection->version == 4 ? IPV4_FIXED : IPV6_FIXED;

	if (connection->version == 4)
		ipv4_build(connection, out);
	else
		ipv6_build(connection, out);
	if (protocol_has_ports(connection->protocol)) {
		write_big_endian_16(out + fixed, connection->source_port);
		write_big_endian_16(out + fixed + 2, connection->destination_port);
		return fixed + 4;
	}
	if (protocol_is_icmp(connection->protocol) && connection->has_icmp) {
		out[fixed] = connection->icmp_type;
		out[fixed + 1] = connection->icmp_code;
		return fixed + 2;
	}
	return fixed;
}

uint32_t header_wire_length(const uint8_t *header)
{
	if (header[0] >> 4 == 4)
		return read_big_endian_16(header + 2);
	return IPV6_FIXED + read_big_endian_16(header + 4);
}
