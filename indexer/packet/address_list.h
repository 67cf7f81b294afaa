/*
 * The entries of an address set as they were given: single addresses, prefixes and ranges,
 * and those that are excluded of them. What is asked for a set is address_set.h's.
 */
#ifndef CONNBITS_PACKET_ADDRESS_LIST_H
#define CONNBITS_PACKET_ADDRESS_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "base/wide_number.h"

enum { ADDRESS_LIST_MAX = 1 << 25 }; /* entries of a list */

/* An address as a number: an IPv4 one has 32 bits. */
typedef wide_number address_number;

struct ipv4_range {
	uint32_t first;
	uint32_t last; /* first or more */
};

struct ipv6_range {
	address_number first;
	address_number last;
};

struct address_ranges {
	struct ipv4_range *ipv4;
	size_t ipv4_count;
	size_t ipv4_capacity;
	struct ipv6_range *ipv6;
	size_t ipv6_count;
	size_t ipv6_capacity;
};

/* Zero-initialise; free with address_list_free. */
struct address_list {
	struct address_ranges in;
	struct address_ranges out; /* excluded, whatever `in` says */
};

/* The number of an address, which has a version. */
address_number address_to_number(const struct address *address);

/* Adds a range of one version, first <= last. False without memory. */
bool address_ranges_add(struct address_ranges *ranges, uint8_t version, address_number first,
			address_number last);

/* Orders the entries by first and last address, and leaves each once. */
void address_list_settle(struct address_list *list);

/* How many there are, excluded ones too. */
size_t address_list_entries(const struct address_list *list);

/* Counts the entries of settled lists that only the later one has, and only the earlier one. */
void address_list_compare(const struct address_list *earlier, const struct address_list *later,
			  uint64_t *came, uint64_t *went);

void address_list_free(struct address_list *list);

#endif
