/*
 * Text to an IP address: strict, without locale, allocation or resolver.
 * The grammar is inet_pton's: dotted decimal with four parts and no leading
 * zeros (RFC 6943 section 3.1.1), and RFC 4291 section 2.2 for IPv6.
 */
#ifndef CONNBITS_PACKET_ADDRESS_H
#define CONNBITS_PACKET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address {
	uint8_t bytes[16]; /* network byte order; IPv4 uses the first four */
	uint8_t version;   /* 4, 6, or 0 where the text was empty */
};

/* Reads exactly length bytes as dotted IPv4 into out; false if they are not. */
bool address_parse_ipv4(const char *text, size_t length, uint8_t out[static 4]);

/* Reads exactly length bytes as IPv6, without a zone, into out; false if they are not. */
bool address_parse_ipv6(const char *text, size_t length, uint8_t out[static 16]);

/*
 * Reads a host as connection logs have it: empty (version 0, all zero), IPv4,
 * or IPv6 with an optional zone (RFC 4007: % and at least one character),
 * which is dropped. An IPv4-mapped address (::ffff:0:0/96, RFC 4291 section
 * 2.5.5.2) is IPv4, in whichever notation. False if the text is no address.
 */
bool address_parse(const char *text, size_t length, struct address *out);

#endif
