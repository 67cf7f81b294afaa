#include "plain_set.h"

#include <stdlib.h>

enum { IN, OUT };

static bool ends_make(struct plain_set *set, int which, const struct address_ranges *ranges)
{
	uint32_t *ipv4 = calloc(ranges->ipv4_count + 1, sizeof(*ipv4));
	address_number *ipv6 = calloc(ranges->ipv6_count + 1, sizeof(*ipv6));

	set->ipv4_ends[which] = ipv4;
	set->ipv6_ends[which] = ipv6;
	if (!ipv4 || !ipv6)
		return false;
	for (size_t i = 0; i < ranges->ipv4_count; i++)
		ipv4[i] = i && ipv4[i - 1] > ranges->ipv4[i].last ? ipv4[i - 1]
								  : ranges->ipv4[i].last;
	for (size_t i = 0; i < ranges->ipv6_count; i++)
		ipv6[i] = i && ipv6[i - 1] > ranges->ipv6[i].last ? ipv6[i - 1]
								  : ranges->ipv6[i].last;
	return true;
}

enum status plain_set_make(struct plain_set *set, struct address_list *list,
			   struct message *message)
{
	set->list = *list;
	*list = (struct address_list){0};
	return ends_make(set, IN, &set->list.in) && ends_make(set, OUT, &set->list.out)
		       ? STATUS_OK
		       : message_out_of_memory(message);
}

/* The entries that begin at the number or before it. */
static size_t begun(const struct address_ranges *ranges, uint8_t version, address_number number)
{
	size_t low = 0;
	size_t high = version == 4 ? ranges->ipv4_count : ranges->ipv6_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const address_number first =
			version == 4 ? ranges->ipv4[middle].first : ranges->ipv6[middle].first;

		if (first <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether some entry has the number: one that begins before it and ends behind it. */
static bool ranges_have(const struct plain_set *set, int which, uint8_t version,
			address_number number)
{
	const size_t count = begun(which == IN ? &set->list.in : &set->list.out, version, number);

	if (count == 0)
		return false;
	return (version == 4 ? set->ipv4_ends[which][count - 1]
			     : set->ipv6_ends[which][count - 1]) >= number;
}

bool plain_set_has(const struct plain_set *set, uint8_t version, address_number number)
{
	return ranges_have(set, IN, version, number) && !ranges_have(set, OUT, version, number);
}

void plain_set_free(struct plain_set *set)
{
	address_list_free(&set->list);
	for (int i = 0; i < 2; i++) {
		free(set->ipv4_ends[i]);
		free(set->ipv6_ends[i]);
	}
	*set = (struct plain_set){0};
}
