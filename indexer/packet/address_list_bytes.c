#include "address_list_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/byte_reader.h"
#include "base/little_endian.h"

enum {
	FORMAT = 1,
	HEAD_SIZE = 9,
	SIZE_ODD = 255, /* of no power of two */
	ENTRY_IPV4_MAX = ADDRESS_GROUP_SIZE + 2 + 1 + 4,
	ENTRY_IPV6_MAX = 1 + 16 + 1 + 16,
};

/* The power of two that a range has addresses, or SIZE_ODD. */
static uint8_t range_power(address_number first, address_number last)
{
	const address_number less = last - first;
	const uint64_t low = (uint64_t)less;
	const uint64_t high = (uint64_t)(less >> 64);

	if (less & (less + 1))
		return SIZE_ODD;
	return (uint8_t)(__builtin_popcountll(low) + __builtin_popcountll(high));
}

/* The last address of a range of 2^power addresses. */
static address_number range_end(address_number first, unsigned power)
{
	return first + (power == 128 ? ~(address_number)0 : ((address_number)1 << power) - 1);
}

static bool has_wide(const struct address_ranges *ranges)
{
	for (size_t i = 0; i < ranges->ipv4_count; i++)
		if (ranges->ipv4[i].first != ranges->ipv4[i].last)
			return true;
	return false;
}

static uint8_t *groups_encode(const struct address_ranges *ranges, uint8_t *out, uint32_t *groups)
{
	const struct ipv4_range *items = ranges->ipv4;
	size_t begin = 0;

	*groups = 0;
	for (size_t i = 1; i <= ranges->ipv4_count; i++) {
		if (i < ranges->ipv4_count && items[i].first >> 16 == items[begin].first >> 16)
			continue;
		write_little_endian_16(out, items[begin].first >> 16);
		write_little_endian_32(out + 2, (uint32_t)(i - begin));
		out += ADDRESS_GROUP_SIZE;
		++*groups;
		begin = i;
	}
	return out;
}

static uint8_t *ipv4_encode(const struct address_ranges *ranges, uint8_t *out)
{
	const struct ipv4_range *items = ranges->ipv4;
	const size_t count = ranges->ipv4_count;
	const bool wide = has_wide(ranges);
	uint8_t *head = out;
	uint32_t groups;

	out = groups_encode(ranges, out + HEAD_SIZE, &groups);
	write_little_endian_32(head, (uint32_t)count);
	write_little_endian_32(head + 4, groups);
	head[8] = wide;
	for (size_t i = 0; i < count; i++, out += 2)
		write_little_endian_16(out, items[i].first & 0xffff);
	for (size_t i = 0; wide && i < count; i++)
		*out++ = range_power(items[i].first, items[i].last);
	for (size_t i = 0; wide && i < count; i++) {
		if (range_power(items[i].first, items[i].last) != SIZE_ODD)
			continue;
		write_little_endian_32(out, items[i].last);
		out += 4;
	}
	return out;
}

static void number_write(uint8_t out[static 16], address_number number)
{
	for (int i = 15; i >= 0; i--, number >>= 8)
		out[i] = (uint8_t)number;
}

static address_number number_read(const uint8_t in[static 16])
{
	address_number number = 0;

	for (size_t i = 0; i < 16; i++)
		number = number << 8 | in[i];
	return number;
}

/* How many bytes an address shares with the one before, and how many zeros end it behind them. */
static void address_shares(const uint8_t before[static 16], const uint8_t address[static 16],
			   unsigned *shared, unsigned *zeros)
{
	*shared = 0;
	*zeros = 0;
	while (*shared < 15 && before[*shared] == address[*shared])
		++*shared;
	while (*shared + *zeros < 15 && address[15 - *zeros] == 0)
		++*zeros;
}

static uint8_t *ipv6_encode(const struct address_ranges *ranges, uint8_t *out)
{
	uint8_t before[16] = {0};

	write_little_endian_32(out, (uint32_t)ranges->ipv6_count);
	out += 4;
	for (size_t i = 0; i < ranges->ipv6_count; i++) {
		const struct ipv6_range *range = &ranges->ipv6[i];
		const uint8_t power = range_power(range->first, range->last);
		uint8_t address[16];
		unsigned shared;
		unsigned zeros;

		number_write(address, range->first);
		address_shares(before, address, &shared, &zeros);
		*out++ = (uint8_t)(shared << 4 | zeros);
		memcpy(out, address + shared, 16 - shared - zeros);
		out += 16 - shared - zeros;
		*out++ = power;
		if (power == SIZE_ODD) {
			number_write(out, range->last);
			out += 16;
		}
		memcpy(before, address, 16);
	}
	return out;
}

enum status address_list_encode(const struct address_list *list, uint8_t **bytes, size_t *size,
				struct message *message)
{
	const size_t ipv4 = list->in.ipv4_count + list->out.ipv4_count;
	const size_t ipv6 = list->in.ipv6_count + list->out.ipv6_count;
	uint8_t *end;

	*bytes = malloc(1 + 2 * (HEAD_SIZE + 4) + ipv4 * ENTRY_IPV4_MAX + ipv6 * ENTRY_IPV6_MAX);
	if (!*bytes)
		return message_out_of_memory(message);
	end = *bytes;
	*end++ = FORMAT;
	end = ipv4_encode(&list->in, end);
	end = ipv6_encode(&list->in, end);
	end = ipv4_encode(&list->out, end);
	end = ipv6_encode(&list->out, end);
	*size = (size_t)(end - *bytes);
	return STATUS_OK;
}

enum status address_list_damaged(struct message *message, const char *what)
{
	return message_set(message, STATUS_FAILED,
			   "a stored address set is damaged: %s; give it anew with its catalogue, "
			   "or build the index again with connbits-index --rebuild",
			   what);
}

/* The parts of the IPv4 entries, whose lengths were checked. */
struct ipv4_parts {
	size_t count;
	size_t groups;
	const uint8_t *group; /* ADDRESS_GROUP_SIZE bytes each */
	const uint8_t *low;   /* 2 bytes each */
	const uint8_t *power; /* a byte each; NULL where all are single addresses */
};

static enum status ipv4_parts_take(struct byte_reader *input, struct ipv4_parts *parts,
				   struct message *message)
{
	const uint8_t *head = byte_reader_take(input, HEAD_SIZE);

	if (!head || read_little_endian_32(head) > ADDRESS_LIST_MAX ||
	    read_little_endian_32(head + 4) > read_little_endian_32(head) || head[8] > 1)
		return address_list_damaged(message, "its IPv4 entries have no head");
	parts->count = read_little_endian_32(head);
	parts->groups = read_little_endian_32(head + 4);
	parts->group = byte_reader_take(input, parts->groups * ADDRESS_GROUP_SIZE);
	parts->low = byte_reader_take(input, parts->count * 2);
	parts->power = head[8] ? byte_reader_take(input, parts->count) : NULL;
	if (!parts->group || !parts->low || (head[8] && !parts->power))
		return address_list_damaged(message, "it ends too early");
	return STATUS_OK;
}

/* Reads one entry, which has to follow the one before it. */
static bool ipv4_entry_read(struct byte_reader *input, const struct ipv4_parts *parts, size_t place,
			    uint32_t high, struct ipv4_range *items)
{
	const unsigned power = parts->power ? parts->power[place] : 0;
	struct ipv4_range *range = &items[place];
	const uint8_t *last;

	range->first = high | read_little_endian_16(parts->low + 2 * place);
	range->last = range->first;
	if (power == SIZE_ODD) {
		last = byte_reader_take(input, 4);
		if (!last)
			return false;
		range->last = read_little_endian_32(last);
		if (range->last < range->first ||
		    range_power(range->first, range->last) != SIZE_ODD)
			return false;
	} else if (power) {
		const uint64_t end = (uint64_t)range->first + (UINT64_C(1) << (power & 63)) - 1;

		if (power > 32 || end > UINT32_MAX)
			return false;
		range->last = (uint32_t)end;
	}
	return place == 0 || range->first > range[-1].first ||
	       (range->first == range[-1].first && range->last > range[-1].last);
}

/* Whether the groups have as many entries as there are, and ascend. */
static enum status groups_check(const struct ipv4_parts *parts, struct message *message)
{
	size_t count = 0;

	for (size_t i = 0; i < parts->groups; i++) {
		const uint8_t *group = parts->group + i * ADDRESS_GROUP_SIZE;
		const size_t more = read_little_endian_32(group + 2);

		if (more == 0 || more > parts->count - count ||
		    (i && read_little_endian_16(group) <=
				  read_little_endian_16(group - ADDRESS_GROUP_SIZE)))
			return address_list_damaged(message, "its groups of IPv4 entries are none");
		count += more;
	}
	return count == parts->count
		       ? STATUS_OK
		       : address_list_damaged(message, "its groups have other entries than it has");
}

/* Whether an entry has 2^n addresses. */
static bool all_are_powers(const struct ipv4_parts *parts)
{
	return !parts->power || !memchr(parts->power, SIZE_ODD, parts->count);
}

/* Leaves entries where they are. */
static enum status stored_take(const struct ipv4_parts *parts, struct stored_ipv4 *stored,
			       struct message *message)
{
	size_t wide = 0;

	*stored = (struct stored_ipv4){.count = parts->count,
				       .groups = parts->groups,
				       .group = parts->group,
				       .low = parts->low,
				       .power = parts->power,
				       .places = parts->count};
	for (size_t i = 0; parts->power && i < parts->count; i++) {
		const unsigned power = parts->power[i];

		/* One that is no prefix reaches into one block more. */
		wide += power > 0;
		stored->places +=
			power > 16 && power <= 32 ? UINT64_C(1) << (power - 16) : power > 0;
	}
	return parts->power && wide == 0
		       ? address_list_damaged(message,
					      "it has sizes where all entries are single addresses")
		       : STATUS_OK;
}

/* Reads the entries one by one. */
static enum status entries_read(struct byte_reader *input, const struct ipv4_parts *parts,
				struct address_ranges *ranges, struct message *message)
{
	size_t place = 0;

	ranges->ipv4 = malloc((parts->count + 1) * sizeof(*ranges->ipv4));
	if (!ranges->ipv4)
		return message_out_of_memory(message);
	for (size_t i = 0; i < parts->groups; i++) {
		const uint8_t *group = parts->group + i * ADDRESS_GROUP_SIZE;
		const uint32_t high = (uint32_t)read_little_endian_16(group) << 16;

		for (const size_t end = place + read_little_endian_32(group + 2); place < end;
		     place++)
			if (!ipv4_entry_read(input, parts, place, high, ranges->ipv4))
				return address_list_damaged(message,
							    "its IPv4 entries do not ascend");
	}
	ranges->ipv4_count = ranges->ipv4_capacity = place;
	return parts->power && !has_wide(ranges)
		       ? address_list_damaged(message,
					      "it has sizes where all entries are single addresses")
		       : STATUS_OK;
}

/* With `stored` entries stay where they are, if there are so many and all are powers of two. */
static enum status ipv4_decode(struct byte_reader *input, struct address_ranges *ranges,
			       size_t least, struct stored_ipv4 *stored, struct message *message)
{
	struct ipv4_parts parts = {0};
	enum status status = ipv4_parts_take(input, &parts, message);

	if (status == STATUS_OK)
		status = groups_check(&parts, message);
	if (status != STATUS_OK)
		return status;
	if (stored && parts.count >= least && all_are_powers(&parts))
		return stored_take(&parts, stored, message);
	return entries_read(input, &parts, ranges, message);
}

/* Reads the first address of an entry into *address, which has the one before. */
static bool ipv6_first_read(struct byte_reader *input, uint8_t address[static 16])
{
	const uint8_t *shares = byte_reader_take(input, 1);
	uint8_t read[16] = {0};
	const uint8_t *between;
	unsigned shared;
	unsigned zeros;

	if (!shares || (*shares >> 4) + (*shares & 15) > 15)
		return false;
	shared = *shares >> 4;
	between = byte_reader_take(input, 16U - shared - (*shares & 15));
	if (!between)
		return false;
	memcpy(read, address, shared);
	memcpy(read + shared, between, 16U - shared - (*shares & 15));
	address_shares(address, read, &shared, &zeros);
	memcpy(address, read, 16);
	return (shared << 4 | zeros) == *shares;
}

static bool ipv6_entry_read(struct byte_reader *input, uint8_t address[static 16],
			    struct ipv6_range *range)
{
	const uint8_t *power;
	const uint8_t *last;

	if (!ipv6_first_read(input, address) || !(power = byte_reader_take(input, 1)))
		return false;
	range->first = number_read(address);
	if (*power != SIZE_ODD) {
		range->last = *power <= 128 ? range_end(range->first, *power) : 0;
		return range->last >= range->first && *power <= 128;
	}
	last = byte_reader_take(input, 16);
	if (!last)
		return false;
	range->last = number_read(last);
	return range->last > range->first && range_power(range->first, range->last) == SIZE_ODD;
}

static enum status ipv6_decode(struct byte_reader *input, struct address_ranges *ranges,
			       struct message *message)
{
	enum { ENTRY_MIN = 3 };
	const uint8_t *head = byte_reader_take(input, 4);
	uint8_t address[16] = {0};
	size_t count;

	if (!head || read_little_endian_32(head) > ADDRESS_LIST_MAX ||
	    read_little_endian_32(head) > input->left / ENTRY_MIN)
		return address_list_damaged(message, "its IPv6 entries end too early");
	count = read_little_endian_32(head);
	ranges->ipv6 = malloc((count + 1) * sizeof(*ranges->ipv6));
	if (!ranges->ipv6)
		return message_out_of_memory(message);
	for (size_t i = 0; i < count; i++) {
		struct ipv6_range *range = &ranges->ipv6[i];

		if (!ipv6_entry_read(input, address, range) ||
		    (i && (range->first < range[-1].first ||
			   (range->first == range[-1].first && range->last <= range[-1].last))))
			return address_list_damaged(message, "its IPv6 entries do not ascend");
	}
	ranges->ipv6_count = ranges->ipv6_capacity = count;
	return STATUS_OK;
}

static enum status list_decode(const uint8_t *bytes, size_t size, size_t least,
			       struct address_list *list, struct stored_ipv4 *stored,
			       struct message *message)
{
	struct byte_reader input = byte_reader_of(bytes, size);
	const uint8_t *format = byte_reader_take(&input, 1);
	enum status status = STATUS_OK;

	*list = (struct address_list){0};
	if (!format || *format != FORMAT)
		return address_list_damaged(message, "it has no format that is known");
	status = ipv4_decode(&input, &list->in, least, stored, message);
	if (status == STATUS_OK)
		status = ipv6_decode(&input, &list->in, message);
	if (status == STATUS_OK)
		status = ipv4_decode(&input, &list->out, 0, NULL, message);
	if (status == STATUS_OK)
		status = ipv6_decode(&input, &list->out, message);
	if (status == STATUS_OK && input.left)
		status = address_list_damaged(message, "there are bytes behind its end");
	return status;
}

enum status address_list_decode(const uint8_t *bytes, size_t size, struct address_list *list,
				struct message *message)
{
	return list_decode(bytes, size, 0, list, NULL, message);
}

enum status address_list_decode_large(const uint8_t *bytes, size_t size, size_t least,
				      struct address_list *list, struct stored_ipv4 *stored,
				      struct message *message)
{
	enum status status;

	*stored = (struct stored_ipv4){0};
	status = list_decode(bytes, size, least, list, stored, message);
	/* What is excluded has to be taken out, and what overlaps much is better joined first. */
	if (status != STATUS_OK || stored->count == 0 ||
	    (list->out.ipv4_count + list->out.ipv6_count == 0 &&
	     stored->places < (uint64_t)3 * stored->count))
		return status;
	*stored = (struct stored_ipv4){0};
	address_list_free(list);
	return address_list_decode(bytes, size, list, message);
}
