#include "address_set.h"

#include <stdlib.h>
#include <string.h>

#include "address_list_bytes.h"

enum {
	GROUPS = 1 << 16,
	/* From so many ranges on the table of groups is a small part of the set. */
	GROUPED_MIN = 1 << 17,
	BLOCKS_A_RANGE = 16,
	ASKED_AT_ONCE = 1024,
};

struct address_set {
	/* Of many IPv4 ranges where each group begins, GROUPS + 1 places, else NULL. */
	uint32_t *groups;
	uint16_t *first; /* of a range, within its group */
	uint16_t *last;
	/* Then also a bit for each block of addresses that share their upper bits: has it any? */
	uint64_t *blocks;
	unsigned block_shift;
	struct ipv4_range *ipv4; /* of few, else NULL */
	size_t ipv4_count;
	struct ipv6_range *ipv6;
	size_t ipv6_count;
};

/* Leaves ascending ranges that neither overlap nor touch. Returns how many. */
static size_t ipv4_join(struct ipv4_range *ranges, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct ipv4_range *last = kept ? &ranges[kept - 1] : NULL;

		if (!last || (ranges[i].first > last->last && ranges[i].first - last->last > 1))
			ranges[kept++] = ranges[i];
		else if (ranges[i].last > last->last)
			last->last = ranges[i].last;
	}
	return kept;
}

static size_t ipv6_join(struct ipv6_range *ranges, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct ipv6_range *last = kept ? &ranges[kept - 1] : NULL;

		if (!last || (ranges[i].first > last->last && ranges[i].first - last->last > 1))
			ranges[kept++] = ranges[i];
		else if (ranges[i].last > last->last)
			last->last = ranges[i].last;
	}
	return kept;
}

/* Writes what joined ranges have without joined holes, as many as both at the most. */
static size_t ipv4_subtract(const struct ipv4_range *ranges, size_t count,
			    const struct ipv4_range *holes, size_t hole_count,
			    struct ipv4_range *out)
{
	size_t made = 0;
	size_t hole = 0;

	for (size_t i = 0; i < count; i++) {
		struct ipv4_range rest = ranges[i];
		bool left = true;

		while (hole < hole_count && holes[hole].last < rest.first)
			hole++;
		for (size_t j = hole; left && j < hole_count && holes[j].first <= rest.last; j++) {
			if (holes[j].first > rest.first)
				out[made++] = (struct ipv4_range){rest.first, holes[j].first - 1};
			left = holes[j].last < rest.last;
			rest.first = left ? holes[j].last + 1 : rest.first;
		}
		if (left)
			out[made++] = rest;
	}
	return made;
}

static size_t ipv6_subtract(const struct ipv6_range *ranges, size_t count,
			    const struct ipv6_range *holes, size_t hole_count,
			    struct ipv6_range *out)
{
	size_t made = 0;
	size_t hole = 0;

	for (size_t i = 0; i < count; i++) {
		struct ipv6_range rest = ranges[i];
		bool left = true;

		while (hole < hole_count && holes[hole].last < rest.first)
			hole++;
		for (size_t j = hole; left && j < hole_count && holes[j].first <= rest.last; j++) {
			if (holes[j].first > rest.first)
				out[made++] = (struct ipv6_range){rest.first, holes[j].first - 1};
			left = holes[j].last < rest.last;
			rest.first = left ? holes[j].last + 1 : rest.first;
		}
		if (left)
			out[made++] = rest;
	}
	return made;
}

/*
 * The ranges of a list without what it excludes, which the list has no more: to be freed, or NULL
 * without memory.
 */
static struct ipv4_range *ipv4_remainder(struct address_list *list, size_t *count)
{
	struct address_ranges *in = &list->in;
	struct address_ranges *out = &list->out;
	struct ipv4_range *rest;

	in->ipv4_count = ipv4_join(in->ipv4, in->ipv4_count);
	*count = in->ipv4_count;
	if (out->ipv4_count == 0 && in->ipv4) {
		rest = in->ipv4;
		in->ipv4 = NULL;
		in->ipv4_count = 0;
		return rest;
	}
	out->ipv4_count = ipv4_join(out->ipv4, out->ipv4_count);
	rest = malloc((in->ipv4_count + out->ipv4_count + 1) * sizeof(*rest));
	if (rest)
		*count = ipv4_subtract(in->ipv4, in->ipv4_count, out->ipv4, out->ipv4_count, rest);
	return rest;
}

static struct ipv6_range *ipv6_remainder(struct address_list *list, size_t *count)
{
	struct address_ranges *in = &list->in;
	struct address_ranges *out = &list->out;
	struct ipv6_range *rest;

	in->ipv6_count = ipv6_join(in->ipv6, in->ipv6_count);
	*count = in->ipv6_count;
	if (out->ipv6_count == 0 && in->ipv6) {
		rest = in->ipv6;
		in->ipv6 = NULL;
		in->ipv6_count = 0;
		return rest;
	}
	out->ipv6_count = ipv6_join(out->ipv6, out->ipv6_count);
	rest = malloc((in->ipv6_count + out->ipv6_count + 1) * sizeof(*rest));
	if (rest)
		*count = ipv6_subtract(in->ipv6, in->ipv6_count, out->ipv6, out->ipv6_count, rest);
	return rest;
}

/* Makes room for so many places in groups. */
static bool groups_reserve(struct address_set *set, size_t places)
{
	unsigned bits = 16;

	set->ipv4_count = places;
	set->groups = malloc((GROUPS + 1) * sizeof(*set->groups));
	set->first = malloc(places * sizeof(*set->first));
	set->last = malloc(places * sizeof(*set->last));
	/* Some bits for each, so that of other addresses few are looked for any further. */
	while (bits < 24 && ((size_t)2 << bits) <= places * BLOCKS_A_RANGE)
		bits++;
	set->block_shift = 32 - bits;
	set->blocks = calloc(((size_t)1 << bits) / 64, sizeof(*set->blocks));
	return set->groups && set->first && set->last && set->blocks;
}

static void blocks_set(struct address_set *set, uint32_t first, uint32_t last)
{
	const uint32_t end = last >> set->block_shift;

	for (uint32_t block = first >> set->block_shift; block <= end; block++)
		set->blocks[block / 64] |= UINT64_C(1) << (block % 64);
}

/* A range of several groups takes a place in each. */
static void groups_fill(struct address_set *set, const struct ipv4_range *ranges, size_t count)
{
	uint32_t place = 0;
	uint32_t next = 0; /* the first group whose beginning is not known */

	for (size_t i = 0; i < count; i++) {
		const uint32_t last = ranges[i].last;
		uint32_t first = ranges[i].first;

		blocks_set(set, first, last);
		for (;;) {
			const uint32_t group = first >> 16;
			const uint32_t end = group == last >> 16 ? last : first | 0xffff;

			while (next <= group)
				set->groups[next++] = place;
			set->first[place] = (uint16_t)first;
			set->last[place++] = (uint16_t)end;
			if (end == last)
				break;
			first = end + 1;
		}
	}
	while (next <= GROUPS)
		set->groups[next++] = place;
}

static bool ipv4_make(struct address_set *set, struct address_list *list)
{
	size_t count;
	size_t places = 0;
	struct ipv4_range *ranges = ipv4_remainder(list, &count);
	bool made = ranges != NULL;

	/* What lies in one array keeps no room that it does not need. */
	if (made && count < GROUPED_MIN) {
		struct ipv4_range *smaller = realloc(ranges, (count + 1) * sizeof(*ranges));

		ranges = smaller ? smaller : ranges;
	}
	set->ipv4 = ranges;
	set->ipv4_count = count;
	if (!made || count < GROUPED_MIN)
		return made;
	for (size_t i = 0; i < count; i++)
		places += (ranges[i].last >> 16) - (ranges[i].first >> 16) + 1;
	made = groups_reserve(set, places);
	if (made)
		groups_fill(set, ranges, count);
	free(ranges);
	set->ipv4 = NULL;
	return made;
}

enum status address_set_make(struct address_list *list, struct address_set **set,
			     struct message *message)
{
	struct address_set *made = calloc(1, sizeof(*made));

	*set = NULL;
	if (!made || !ipv4_make(made, list) ||
	    !(made->ipv6 = ipv6_remainder(list, &made->ipv6_count))) {
		address_set_free(made);
		return message_out_of_memory(message);
	}
	*set = made;
	return STATUS_OK;
}

/* Stored entries, which are already in groups, joined on the way. */
struct joining {
	struct address_set *set;
	uint32_t place; /* of the range that comes next */
	uint32_t next;	/* the first group whose beginning is not known */
	uint64_t last;	/* address of the ranges so far, and 1: 0 where there are none */
};

/* Adds the part of a range that lies in one group. */
static void part_add(struct joining *joining, uint32_t first, uint32_t last)
{
	struct address_set *set = joining->set;

	while (joining->next <= first >> 16)
		set->groups[joining->next++] = joining->place;
	set->first[joining->place] = (uint16_t)first;
	set->last[joining->place++] = (uint16_t)last;
}

static void entry_join(struct joining *joining, uint32_t first, uint32_t last)
{
	/* What lies in the ranges so far is there already. */
	if (joining->last > first)
		first = (uint32_t)joining->last;
	if (joining->last > last)
		return;
	blocks_set(joining->set, first, last);
	joining->last = (uint64_t)last + 1;
	while (first >> 16 != last >> 16) {
		part_add(joining, first, first | 0xffff);
		first = (first | 0xffff) + 1;
	}
	part_add(joining, first, last);
}

/* False where the entries do not ascend. */
static bool stored_fill(struct address_set *set, const struct stored_ipv4 *stored)
{
	struct joining joining = {.set = set};
	uint64_t before = 0;
	size_t place = 0;

	for (size_t i = 0; i < stored->groups; i++) {
		const uint32_t high = stored_ipv4_group(stored, i) << 16;
		const size_t end = place + stored_ipv4_count(stored, i);
		struct ipv4_range range;

		for (; place < end; place++) {
			if (!stored_ipv4_next(stored, high, place, &before, &range))
				return false;
			entry_join(&joining, range.first, range.last);
		}
	}
	while (joining.next <= GROUPS)
		set->groups[joining.next++] = joining.place;
	set->ipv4_count = joining.place;
	return true;
}

enum status address_set_read(const uint8_t *bytes, size_t size, struct address_set **set,
			     struct message *message)
{
	struct address_list list;
	struct stored_ipv4 stored;
	enum status status =
		address_list_decode_large(bytes, size, GROUPED_MIN, &list, &stored, message);

	*set = NULL;
	if (status == STATUS_OK)
		status = address_set_make(&list, set, message);
	if (status == STATUS_OK && stored.count) {
		free((*set)->ipv4);
		(*set)->ipv4 = NULL;
		if (!groups_reserve(*set, (size_t)stored.places))
			status = message_out_of_memory(message);
		else if (!stored_fill(*set, &stored))
			status = address_list_damaged(message, "its IPv4 entries do not ascend");
	}
	if (status != STATUS_OK) {
		address_set_free(*set);
		*set = NULL;
	}
	address_list_free(&list);
	return status;
}

bool address_set_is_empty(const struct address_set *set)
{
	return set->ipv4_count == 0 && set->ipv6_count == 0;
}

/* Whether a group has the number: halves what is left of it without a branch. */
static bool group_has(const struct address_set *set, uint32_t number)
{
	const uint32_t begin = set->groups[number >> 16];
	const uint16_t low = (uint16_t)number;
	const uint16_t *first = set->first + begin;
	uint32_t left = set->groups[(number >> 16) + 1] - begin;

	if (left == 0)
		return false;
	while (left > 1) {
		const uint32_t half = left / 2;

		first += first[half] <= low ? half : 0;
		left -= half;
	}
	return *first <= low && low <= set->last[first - set->first];
}

/* First asks for blocks, without a branch: most addresses are in none that the set touches. */
static size_t groups_ask(const struct address_set *set, const uint32_t *numbers, size_t count,
			 uint8_t *has)
{
	uint16_t left[ASKED_AT_ONCE] = {0};
	size_t left_count = 0;
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const uint32_t block = numbers[i] >> set->block_shift;

		left[left_count] = (uint16_t)i;
		left_count += set->blocks[block / 64] >> (block % 64) & 1;
	}
	memset(has, 0, count);
	for (size_t i = 0; i < left_count; i++) {
		has[left[i]] = group_has(set, numbers[left[i]]);
		found += has[left[i]];
	}
	return found;
}

static size_t grouped_has(const struct address_set *set, const uint32_t *numbers, size_t count,
			  uint8_t *has)
{
	size_t found = 0;

	for (size_t at = 0; at < count; at += ASKED_AT_ONCE) {
		const size_t left = count - at;

		found += groups_ask(set, numbers + at, left < ASKED_AT_ONCE ? left : ASKED_AT_ONCE,
				    has + at);
	}
	return found;
}

/*
 * The first of the ascending ranges from `from` on that does not end before a number: in steps
 * that double, and then halve.
 */
#define RANGES_FROM(ranges, count, from, number, place)                                            \
	do {                                                                                       \
		size_t step = 1;                                                                   \
		size_t low = (from);                                                               \
		size_t high;                                                                       \
		while (low + step < (count) && (ranges)[low + step].last < (number)) {             \
			low += step;                                                               \
			step *= 2;                                                                 \
		}                                                                                  \
		high = low + step < (count) ? low + step : (count);                                \
		while (low < high) {                                                               \
			const size_t middle = low + (high - low) / 2;                              \
			if ((ranges)[middle].last < (number))                                      \
				low = middle + 1;                                                  \
			else                                                                       \
				high = middle;                                                     \
		}                                                                                  \
		(place) = low;                                                                     \
	} while (0)

size_t address_set_has_ipv4(const struct address_set *set, const uint32_t *numbers, size_t count,
			    uint8_t *has)
{
	const struct ipv4_range *ranges = set->ipv4;
	size_t place = 0;
	size_t found = 0;

	if (set->groups)
		return grouped_has(set, numbers, count, has);
	if (set->ipv4_count == 0) {
		memset(has, 0, count);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (place < set->ipv4_count && ranges[place].last < numbers[i])
			RANGES_FROM(ranges, set->ipv4_count, place, numbers[i], place);
		has[i] = place < set->ipv4_count && ranges[place].first <= numbers[i];
		found += has[i];
	}
	return found;
}

static address_number number_of(const uint8_t address[static 16])
{
	uint64_t high = 0;
	uint64_t low = 0;

	for (size_t i = 0; i < 8; i++) {
		high = high << 8 | address[i];
		low = low << 8 | address[8 + i];
	}
	return (address_number)high << 64 | low;
}

size_t address_set_has_ipv6(const struct address_set *set, const uint8_t (*addresses)[16],
			    size_t count, uint8_t *has)
{
	const struct ipv6_range *ranges = set->ipv6;
	size_t place = 0;
	size_t found = 0;

	if (set->ipv6_count == 0) {
		memset(has, 0, count);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		const address_number number = number_of(addresses[i]);

		if (place < set->ipv6_count && ranges[place].last < number)
			RANGES_FROM(ranges, set->ipv6_count, place, number, place);
		has[i] = place < set->ipv6_count && ranges[place].first <= number;
		found += has[i];
	}
	return found;
}

size_t address_set_size(const struct address_set *set)
{
	const size_t ipv4 =
		set->groups ? (GROUPS + 1) * sizeof(*set->groups) +
				      set->ipv4_count * (sizeof(*set->first) + sizeof(*set->last)) +
				      ((size_t)1 << (32 - set->block_shift)) / 8
			    : set->ipv4_count * sizeof(*set->ipv4);

	return sizeof(*set) + ipv4 + set->ipv6_count * sizeof(*set->ipv6);
}

void address_set_free(struct address_set *set)
{
	if (!set)
		return;
	free(set->groups);
	free(set->first);
	free(set->last);
	free(set->blocks);
	free(set->ipv4);
	free(set->ipv6);
	free(set);
}
