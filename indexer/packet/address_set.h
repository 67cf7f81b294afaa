/*
 * A set of addresses, made to be asked for many of them in ascending order. It takes at most
 * 8 bytes an IPv4 entry of its list, and 32 an IPv6 one. Threads share it; nothing in it changes.
 *
 *   address_set_make(&list, &set, message);
 *   address_set_has_ipv4(set, numbers, count, has);
 *
 * How it works: entries that overlap or touch are joined, and what is excluded is taken out.
 * Many IPv4 ranges lie in groups that share the upper 16 bits of their addresses, each range
 * 4 bytes with the lower ones. Few ranges, and those of IPv6, lie in one ascending array.
 */
#ifndef CONNBITS_PACKET_ADDRESS_SET_H
#define CONNBITS_PACKET_ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address_list.h"
#include "base/message.h"

struct address_set;

/*
 * Makes the set of a settled list, which is used up: it is only to be freed then. The caller frees
 * the set with address_set_free.
 */
enum status address_set_make(struct address_list *list, struct address_set **set,
			     struct message *message);

/* The same of the bytes of address_list_bytes.h, which come from anywhere. */
enum status address_set_read(const uint8_t *bytes, size_t size, struct address_set **set,
			     struct message *message);

bool address_set_is_empty(const struct address_set *set);

/*
 * Asks for count addresses, ascending and in host byte order: has[i] becomes whether the set has
 * numbers[i]. Returns how many it has.
 */
size_t address_set_has_ipv4(const struct address_set *set, const uint32_t *numbers, size_t count,
			    uint8_t *has);

/* The same in network byte order. */
size_t address_set_has_ipv6(const struct address_set *set, const uint8_t (*addresses)[16],
			    size_t count, uint8_t *has);

/* The bytes that the set takes. */
size_t address_set_size(const struct address_set *set);

void address_set_free(struct address_set *set);

#endif
