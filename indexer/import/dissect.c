#include "dissect.h"

#include <pcap/dlt.h>
#include <string.h>

#include "packet/protocol.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TAGS_MAX = 8,
	EXTENSIONS_MAX = 16,
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140,
	TCP_FLAGS_AT = 13,
};

static uint16_t read_16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Skips VLAN tags; at is where the type stands. Returns where its packet begins, 0 without. */
static size_t tags_skip(const uint8_t *bytes, size_t captured, size_t at, uint16_t *type)
{
	for (int tags = 0; tags <= TAGS_MAX && captured >= at + 2; tags++) {
		*type = read_16(bytes + at);
		if (*type != 0x8100 && *type != 0x88a8 && *type != 0x9100)
			return at + 2;
		at += 4;
	}
	return 0;
}

/* BSD's address family, in the byte order of whoever captured; IPv6 has a number a system. */
static uint16_t loopback_type(const uint8_t *bytes)
{
	const uint8_t family = bytes[0] ? bytes[0] : bytes[3];

	switch (family) {
	case 2:
		return ETHERTYPE_IPV4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return ETHERTYPE_IPV6;
	default:
		return 0;
	}
}

bool dissect_link_known(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
		return true;
	default:
		return false;
	}
}

/* Where the IP header begins and of which kind it is; false where there is none. */
static bool link_skip(int link_type, const uint8_t *bytes, size_t captured, size_t *at,
		      uint16_t *type)
{
	*at = 0;
	*type = 0;
	switch (link_type) {
	case DLT_EN10MB:
		*at = tags_skip(bytes, captured, 12, type);
		return *at > 0;
	case DLT_LINUX_SLL:
		*at = tags_skip(bytes, captured, 14, type);
		return *at > 0;
	case DLT_LINUX_SLL2:
		if (captured < 20)
			return false;
		*type = read_16(bytes);
		*at = 20;
		if (*type == 0x8100 || *type == 0x88a8 || *type == 0x9100)
			*at = tags_skip(bytes, captured, 22, type);
		return *at > 0;
	case DLT_NULL:
	case DLT_LOOP:
		if (captured < 4)
			return false;
		*type = loopback_type(bytes);
		*at = 4;
		return true;
	default:
		if (captured < 1)
			return false;
		*type = bytes[0] >> 4 == 4   ? ETHERTYPE_IPV4
			: bytes[0] >> 4 == 6 ? ETHERTYPE_IPV6
					     : 0;
		return true;
	}
}

/* What stands behind the IP header: `there` bytes were captured, `size` were sent. */
static enum dissect_result transport_read(const uint8_t *bytes, size_t there, size_t size,
					  struct dissected_packet *packet)
{
	const bool ports = protocol_has_ports(packet->protocol);
	const bool icmp = protocol_is_icmp(packet->protocol);
	const size_t needed = ports ? 4 : icmp ? 2 : 0;

	if (size < needed)
		return DISSECT_BROKEN;
	if (there < needed)
		return DISSECT_CUT;
	packet->has_ports = ports;
	packet->is_icmp = icmp;
	if (ports) {
		packet->source_port = read_16(bytes);
		packet->destination_port = read_16(bytes + 2);
	}
	if (icmp) {
		packet->icmp_type = bytes[0];
		packet->icmp_code = bytes[1];
	}
	if (packet->protocol == PROTOCOL_TCP && there > TCP_FLAGS_AT) {
		packet->has_flags = true;
		packet->tcp_flags = bytes[TCP_FLAGS_AT];
	}
	return DISSECT_IP;
}

static enum dissect_result ipv4_read(const uint8_t *bytes, size_t captured,
				     struct dissected_packet *packet)
{
	size_t header;
	size_t total;

	if (captured < IPV4_HEADER)
		return DISSECT_CUT;
	header = (size_t)(bytes[0] & 15) * 4;
	total = read_16(bytes + 2);
	/* Segmentation in the network card leaves 0. */
	if (total == 0)
		total = captured;
	if (bytes[0] >> 4 != 4 || header < IPV4_HEADER || total < header)
		return DISSECT_BROKEN;
	packet->length = (uint32_t)total;
	packet->protocol = bytes[9];
	memcpy(packet->source, bytes + 12, 4);
	memcpy(packet->destination, bytes + 16, 4);
	if (read_16(bytes + 6) & 0x1fff)
		return DISSECT_FRAGMENT;
	if (captured < header)
		return DISSECT_CUT;
	return transport_read(bytes + header, captured - header, total - header, packet);
}

static bool is_extension(uint8_t next)
{
	switch (next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_FRAGMENT:
	case NEXT_AUTHENTICATION:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
		return true;
	default:
		return false;
	}
}

static enum dissect_result ipv6_read(const uint8_t *bytes, size_t captured,
				     struct dissected_packet *packet)
{
	size_t at = IPV6_HEADER;
	size_t total;
	uint8_t next;

	if (captured < IPV6_HEADER)
		return DISSECT_CUT;
	if (bytes[0] >> 4 != 6)
		return DISSECT_BROKEN;
	total = (size_t)read_16(bytes + 4) + IPV6_HEADER;
	/* A jumbogram, or segmentation in the network card. */
	if (total == IPV6_HEADER)
		total = captured;
	packet->is_ipv6 = true;
	packet->length = (uint32_t)total;
	memcpy(packet->source, bytes + 8, 16);
	memcpy(packet->destination, bytes + 24, 16);
	next = bytes[6];
	for (int count = 0; is_extension(next); count++) {
		const bool fragment = next == NEXT_FRAGMENT;
		const bool authentication = next == NEXT_AUTHENTICATION;

		packet->extended = true;
		if (total < at + 8 || count == EXTENSIONS_MAX)
			return DISSECT_BROKEN;
		if (captured < at + 8)
			return DISSECT_CUT;
		if (fragment && read_16(bytes + at + 2) & 0xfff8)
			return DISSECT_FRAGMENT;
		next = bytes[at];
		at += fragment	       ? 8
		      : authentication ? ((size_t)bytes[at + 1] + 2) * 4
				       : ((size_t)bytes[at + 1] + 1) * 8;
	}
	packet->protocol = next;
	if (total < at)
		return DISSECT_BROKEN;
	if (captured < at)
		return DISSECT_CUT;
	return transport_read(bytes + at, captured - at, total - at, packet);
}

enum dissect_result dissect_packet(int link_type, const uint8_t *bytes, size_t captured,
				   struct dissected_packet *packet)
{
	uint16_t type;
	size_t at;

	*packet = (struct dissected_packet){0};
	if (!link_skip(link_type, bytes, captured, &at, &type))
		return DISSECT_NOT_IP;
	if (type == ETHERTYPE_IPV4)
		return ipv4_read(bytes + at, captured - at, packet);
	return type == ETHERTYPE_IPV6 ? ipv6_read(bytes + at, captured - at, packet)
				      : DISSECT_NOT_IP;
}
