/*
 * An address set asked one address at a time, in another way than segments are: what --verify
 * holds the answers of address_set.h against.
 */
#ifndef CONNBITS_JOB_PLAIN_SET_H
#define CONNBITS_JOB_PLAIN_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "packet/address_list.h"

/* Zero-initialise; free with plain_set_free. */
struct plain_set {
	struct address_list list;
	/* By entry of `in` and `out`: the last address of those up to it. */
	uint32_t *ipv4_ends[2];
	address_number *ipv6_ends[2];
};

/* Takes over a settled list. */
enum status plain_set_make(struct plain_set *set, struct address_list *list,
			   struct message *message);

bool plain_set_has(const struct plain_set *set, uint8_t version, address_number number);

void plain_set_free(struct plain_set *set);

#endif
