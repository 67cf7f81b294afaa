#include "header.h"

#include <string.h>

#include "base/big_endian.h"
#include "protocol.h"

enum {
	IPV4_FIXED = 20,
	IPV6_FIXED = 40,
	HOP_LIMIT = 64,
};

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
	struct header_template header;

	header_template_make(connection->version, connection->protocol, connection->has_icmp,
			     &header);
	if (connection->version == 4)
		header_write_ipv4(&header, connection, out);
	else
		header_write_ipv6(&header, connection, out);
	return (size_t)(connection->version == 4 ? IPV4_FIXED : IPV6_FIXED) + header.behind;
}

uint32_t header_wire_length(const uint8_t *header)
{
	if (header[0] >> 4 == 4)
		return read_big_endian_16(header + 2);
	return IPV6_FIXED + read_big_endian_16(header + 4);
}
