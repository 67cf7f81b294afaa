/*
 * The IP protocols: the names that logs have for them, and what stands behind
 * an IP header of each.
 */
#ifndef CONNBITS_PACKET_PROTOCOL_H
#define CONNBITS_PACKET_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reading.h"

enum protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_SCTP = 132,
};

/*
 * The protocol of a transport's name or decimal number; false if it is neither.
 * With any_case in any case of its letters, and more names than dionaea has.
 */
bool protocol_of_transport(const struct field *transport, bool any_case, uint8_t *protocol);

/* The protocol of a name ("tcp", "ipv6-icmp", "GRE") or a decimal number; false if it is neither.
 */
bool protocol_find(const char *text, size_t length, uint8_t *protocol);

/* The name of the protocols above, "tcp" say; NULL of any other one. */
const char *protocol_name(uint8_t protocol);

/* True for the protocols whose first four bytes are the ports: TCP, UDP, SCTP. */
static inline bool protocol_has_ports(uint8_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP;
}

/* True for ICMP and ICMPv6, whose first two bytes are type and code. */
static inline bool protocol_is_icmp(uint8_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

#endif
