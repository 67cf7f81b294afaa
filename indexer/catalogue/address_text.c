#include "address_text.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* An address as it is written: an IPv4-mapped one is IPv6. */
static bool plain_read(const char *text, size_t length, struct address *address)
{
	*address = (struct address){0};
	if (address_parse_ipv4(text, length, address->bytes))
		address->version = 4;
	else if (address_parse_ipv6(text, length, address->bytes))
		address->version = 6;
	return address->version != 0;
}

/* What lies within the IPv4-mapped addresses is IPv4. */
static void mapped_take(struct address_entry *entry)
{
	const address_number mapped = (address_number)0xffff << 32;

	if (entry->version != 6 || entry->first >> 32 != mapped >> 32 ||
	    entry->last >> 32 != mapped >> 32)
		return;
	entry->version = 4;
	entry->first &= UINT32_MAX;
	entry->last &= UINT32_MAX;
}

static bool bits_read(const char *text, size_t length, unsigned most, unsigned *bits)
{
	*bits = 0;
	if (length == 0 || length > 3 || (length > 1 && *text == '0'))
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)(text[i] - '0') > 9)
			return false;
		*bits = *bits * 10 + (unsigned char)(text[i] - '0');
	}
	return *bits <= most;
}

static void prefix_take(const struct address *address, unsigned bits, struct address_entry *entry)
{
	const unsigned width = address->version == 4 ? 32 : 128;
	const address_number host =
		bits == 0 ? (address->version == 4 ? UINT32_MAX : ~(address_number)0)
			  : ((address_number)1 << (width - bits)) - 1;

	entry->version = address->version;
	entry->first = address_to_number(address) & ~host;
	entry->last = entry->first | host;
}

static const char *range_read(const char *text, const char *dash, const char *end,
			      struct address_entry *entry)
{
	const char *behind = dash + 1;
	struct address first;
	struct address last;

	while (dash > text && is_blank(dash[-1]))
		dash--;
	while (behind < end && is_blank(*behind))
		behind++;
	if (!plain_read(text, (size_t)(dash - text), &first) ||
	    !plain_read(behind, (size_t)(end - behind), &last))
		return "no range of two addresses";
	if (first.version != last.version)
		return "a range from one address family to the other";
	entry->version = first.version;
	entry->first = address_to_number(&first);
	entry->last = address_to_number(&last);
	return entry->first > entry->last ? "the range ends before it begins" : NULL;
}

const char *address_text_read(const char *text, size_t length, unsigned single,
			      unsigned ipv6_single, struct address_entry *entry)
{
	const char *end = text + length;
	const char *slash = memchr(text, '/', length);
	const char *dash = memchr(text, '-', length);
	struct address address;
	unsigned bits;

	if (dash && !slash) {
		const char *wrong = range_read(text, dash, end, entry);

		if (!wrong)
			mapped_take(entry);
		return wrong;
	}
	if (!plain_read(text, (size_t)((slash ? slash : end) - text), &address))
		return "no IP address";
	bits = address.version == 4 ? single : ipv6_single;
	if (slash && !bits_read(slash + 1, (size_t)(end - slash - 1),
				address.version == 4 ? 32 : 128, &bits))
		return address.version == 4 ? "the prefix is no number from 0 to 32"
					    : "the prefix is no number from 0 to 128";
	prefix_take(&address, bits, entry);
	mapped_take(entry);
	return NULL;
}
