/*
 * Dotted IPv4 text to bytes: inet_pton's grammar, four parts without leading zeros, a word or
 * sixteen bytes at a time.
 */
#ifndef CONNBITS_PACKET_IPV4_TEXT_H
#define CONNBITS_PACKET_IPV4_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "short_text.h"

enum { IPV4_TEXT_MAX = 15 /* bytes: 255.255.255.255 */ };

/*
 * Reads text of at most IPV4_TEXT_MAX bytes, whose words short_text_words has made, into
 * out; false where it is no address.
 */
bool ipv4_text_read(const char *text, uint64_t low, uint64_t high, size_t length,
		    uint8_t out[static 4]);

/* The same a word at a time: what machines without SSSE3 do. */
bool ipv4_text_read_words(const char *text, uint64_t low, uint64_t high, size_t length,
			  uint8_t out[static 4]);

#endif
