/* The text of an entry of an address set: an address, a prefix, or a range of two addresses. */
#ifndef CONNBITS_CATALOGUE_ADDRESS_TEXT_H
#define CONNBITS_CATALOGUE_ADDRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/address_list.h"

struct address_entry {
	uint8_t version; /* 4 or 6; IPv4-mapped ones are IPv4 */
	address_number first;
	address_number last;
};

/*
 * Reads exactly length bytes: 192.0.2.1, 192.0.2.0/24 (bits behind the prefix are ignored),
 * 192.0.2.1-192.0.2.9 with blanks around the dash or not, and the same of IPv6. NULL, or what
 * is wrong with it. `single` and `ipv6_single` are the lengths of the prefix that an address
 * without one stands for: 32 and 128 but for ipsets with a netmask.
 */
const char *address_text_read(const char *text, size_t length, unsigned single,
			      unsigned ipv6_single, struct address_entry *entry);

#endif
