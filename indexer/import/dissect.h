/*
 * A captured packet to what a connection log says of it. Link layers: Ethernet with any
 * VLAN tags, raw IP, Linux cooked 1 and 2, BSD loopback.
 * Source: tcpdump.org, LINKTYPE_ values; RFC 791, RFC 8200, IEEE 802.1Q.
 */
#ifndef CONNBITS_IMPORT_DISSECT_H
#define CONNBITS_IMPORT_DISSECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dissect_result {
	DISSECT_IP,
	DISSECT_NOT_IP,
	DISSECT_FRAGMENT, /* not the first one */
	DISSECT_CUT,	  /* captured too short for ports, or for ICMP's type */
	DISSECT_BROKEN,	  /* lengths that contradict each other */
};

struct dissected_packet {
	bool is_ipv6;
	uint8_t source[16]; /* the first 4 of IPv4; as in the packet */
	uint8_t destination[16];
	uint8_t protocol; /* behind extension headers */
	bool extended;	  /* IPv6 with extension headers */
	bool has_ports;
	uint16_t source_port;
	uint16_t destination_port;
	bool is_icmp;
	uint8_t icmp_type;
	uint8_t icmp_code;
	bool has_flags;
	uint8_t tcp_flags; /* byte 13 of the TCP header */
	uint32_t length;   /* of the IP packet on the wire */
};

/* Whether packets of this link type, as libpcap numbers them (DLT_), can be read. */
bool dissect_link_known(int link_type);

/* Takes a packet apart, of which `captured` bytes are there. */
enum dissect_result dissect_packet(int link_type, const uint8_t *bytes, size_t captured,
				   struct dissected_packet *packet);

#endif
