#include "address_list.h"

#include <stdlib.h>

address_number address_to_number(const struct address *address)
{
	const size_t size = address->version == 4 ? 4 : 16;
	address_number number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | address->bytes[i];
	return number;
}

static bool reserve(void **items, size_t count, size_t *capacity, size_t size)
{
	enum { FIRST_CAPACITY = 64 };
	const size_t larger = *capacity ? *capacity + *capacity / 2 : FIRST_CAPACITY;
	void *moved;

	if (count < *capacity)
		return true;
	moved = realloc(*items, larger * size);
	if (!moved)
		return false;
	*items = moved;
	*capacity = larger;
	return true;
}

bool address_ranges_add(struct address_ranges *ranges, uint8_t version, address_number first,
			address_number last)
{
	if (version == 4) {
		if (!reserve((void **)&ranges->ipv4, ranges->ipv4_count, &ranges->ipv4_capacity,
			     sizeof(*ranges->ipv4)))
			return false;
		ranges->ipv4[ranges->ipv4_count++] =
			(struct ipv4_range){(uint32_t)first, (uint32_t)last};
		return true;
	}
	if (!reserve((void **)&ranges->ipv6, ranges->ipv6_count, &ranges->ipv6_capacity,
		     sizeof(*ranges->ipv6)))
		return false;
	ranges->ipv6[ranges->ipv6_count++] = (struct ipv6_range){first, last};
	return true;
}

static int compare_ipv4(const void *a, const void *b)
{
	const struct ipv4_range *x = a;
	const struct ipv4_range *y = b;
	const uint64_t left = (uint64_t)x->first << 32 | x->last;
	const uint64_t right = (uint64_t)y->first << 32 | y->last;

	return (left > right) - (left < right);
}

static int compare_ipv6(const void *a, const void *b)
{
	const struct ipv6_range *x = a;
	const struct ipv6_range *y = b;

	if (x->first != y->first)
		return x->first > y->first ? 1 : -1;
	return (x->last > y->last) - (x->last < y->last);
}

static void ipv4_settle(struct address_ranges *ranges)
{
	struct ipv4_range *items = ranges->ipv4;
	bool ascend = true;
	size_t kept = 0;

	for (size_t i = 1; ascend && i < ranges->ipv4_count; i++)
		ascend = compare_ipv4(&items[i - 1], &items[i]) < 0;
	if (ascend)
		return;
	qsort(items, ranges->ipv4_count, sizeof(*items), compare_ipv4);
	for (size_t i = 0; i < ranges->ipv4_count; i++)
		if (kept == 0 || compare_ipv4(&items[kept - 1], &items[i]) != 0)
			items[kept++] = items[i];
	ranges->ipv4_count = kept;
}

static void ipv6_settle(struct address_ranges *ranges)
{
	struct ipv6_range *items = ranges->ipv6;
	size_t kept = 0;

	if (ranges->ipv6_count)
		qsort(items, ranges->ipv6_count, sizeof(*items), compare_ipv6);
	for (size_t i = 0; i < ranges->ipv6_count; i++)
		if (kept == 0 || compare_ipv6(&items[kept - 1], &items[i]) != 0)
			items[kept++] = items[i];
	ranges->ipv6_count = kept;
}

void address_list_settle(struct address_list *list)
{
	ipv4_settle(&list->in);
	ipv6_settle(&list->in);
	ipv4_settle(&list->out);
	ipv6_settle(&list->out);
}

size_t address_list_entries(const struct address_list *list)
{
	return list->in.ipv4_count + list->in.ipv6_count + list->out.ipv4_count +
	       list->out.ipv6_count;
}

/* Walks two ascending arrays side by side. */
static void compare_arrays(const void *earlier, size_t earlier_count, const void *later,
			   size_t later_count, size_t size,
			   int (*compare)(const void *, const void *), uint64_t *came,
			   uint64_t *went)
{
	const char *a = earlier;
	const char *b = later;
	size_t i = 0;
	size_t j = 0;

	while (i < earlier_count && j < later_count) {
		const int order = compare(a + i * size, b + j * size);

		i += order <= 0;
		j += order >= 0;
		*went += order < 0;
		*came += order > 0;
	}
	*went += earlier_count - i;
	*came += later_count - j;
}

static void compare_ranges(const struct address_ranges *earlier, const struct address_ranges *later,
			   uint64_t *came, uint64_t *went)
{
	compare_arrays(earlier->ipv4, earlier->ipv4_count, later->ipv4, later->ipv4_count,
		       sizeof(struct ipv4_range), compare_ipv4, came, went);
	compare_arrays(earlier->ipv6, earlier->ipv6_count, later->ipv6, later->ipv6_count,
		       sizeof(struct ipv6_range), compare_ipv6, came, went);
}

void address_list_compare(const struct address_list *earlier, const struct address_list *later,
			  uint64_t *came, uint64_t *went)
{
	*came = 0;
	*went = 0;
	compare_ranges(&earlier->in, &later->in, came, went);
	compare_ranges(&earlier->out, &later->out, came, went);
}

static void ranges_free(struct address_ranges *ranges)
{
	free(ranges->ipv4);
	free(ranges->ipv6);
}

void address_list_free(struct address_list *list)
{
	ranges_free(&list->in);
	ranges_free(&list->out);
	*list = (struct address_list){0};
}
