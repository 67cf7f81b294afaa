#include "header.h"

#include <string.h>

#include "protocol.h"

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

void header_template_make(unsigned version, uint8_t protocol, bool has_icmp,
			  struct header_template *header)
{
	uint8_t *bytes = header->bytes;

	*header = (struct header_template){0};
	if (version == 4) {
		bytes[0] = 0x45; /* version 4, five 32-bit words */
		write_big_endian_16(bytes + 2, IPV4_FIXED + shortest_payload(protocol));
		bytes[8] = HOP_LIMIT;
		bytes[9] = protocol;
	} else {
		bytes[0] = 0x60; /* version 6 */
		write_big_endian_16(bytes + 4, shortest_payload(protocol));
		bytes[6] = protocol;
		bytes[7] = HOP_LIMIT;
	}
	header->sum = header_sum(bytes, HEADER_IPV4_BODY);
	if (protocol_has_ports(protocol))
		header->behind = 4;
	else if (protocol_is_icmp(protocol) && has_icmp)
		header->behind = 2;
}

size_t header_build(const struct connection *connection, uint8_t *out)
{
	const size_t address = connection->version == 4 ? 4 : 16;
	struct header_template header;
	uint8_t body[HEADER_IPV6_BODY_SIZE];
	uint8_t *ports = body + 2 * address;

	header_template_make(connection->version, connection->protocol, connection->has_icmp,
			     &header);
	memcpy(body, connection->source, address);
	memcpy(body + address, connection->destination, address);
	if (header.behind == 2) {
		ports[0] = connection->icmp_type;
		ports[1] = connection->icmp_code;
		ports[2] = 0;
		ports[3] = 0;
	} else {
		write_big_endian_16(ports, connection->source_port);
		write_big_endian_16(ports + 2, connection->destination_port);
	}
	if (connection->version == 4) {
		header_fill_ipv4(&header, body, out);
		return (size_t)IPV4_FIXED + header.behind;
	}
	header_fill_ipv6(&header, body, out);
	return (size_t)IPV6_FIXED + header.behind;
}

uint32_t header_wire_length(const uint8_t *header)
{
	if (header[0] >> 4 == 4)
		return read_big_endian_16(header + 2);
	return IPV6_FIXED + read_big_endian_16(header + 4);
}
