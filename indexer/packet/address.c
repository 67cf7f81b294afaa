#include "address.h"

#include <string.h>

#include "ipv4_text.h"

enum {
	IPV6_TEXT_MAX = 45, /* ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255 */
};

bool address_parse_ipv4(const char *text, size_t length, uint8_t out[static 4])
{
	uint64_t words[2];

	if (length > IPV4_TEXT_MAX)
		return false;
	short_text_words(text, length, words);
	return ipv4_text_read(text, words[0], words[1], length, out);
}

static int hex_digit(char c)
{
	if ((unsigned char)(c - '0') < 10)
		return c - '0';
	c = (char)(c | 0x20);
	if ((unsigned char)(c - 'a') < 6)
		return c - 'a' + 10;
	return -1;
}

/* Moves *text behind at most four hexadecimal digits; -1 if there is none, or a fifth. */
static int ipv6_group(const char **text, const char *end)
{
	const char *first = *text;
	int value = 0;
	int digit;

	while (*text < end && (digit = hex_digit(**text)) >= 0) {
		if (*text - first == 4)
			return -1;
		value = value << 4 | digit;
		(*text)++;
	}
	return *text == first ? -1 : value;
}

/* Spreads the groups behind the "::" at group gap to the end of out. */
static void ipv6_expand(uint8_t out[static 16], size_t gap, size_t filled)
{
	size_t tail = filled - gap;

	memmove(out + 16 - tail, out + gap, tail);
	memset(out + gap, 0, 16 - filled);
}

bool address_parse_ipv6(const char *text, size_t length, uint8_t out[static 16])
{
	const char *end = text + length;
	size_t filled = 0;
	size_t gap = SIZE_MAX;

	if (length < 2 || length > IPV6_TEXT_MAX)
		return false;
	if (text[0] == ':' && text[1] != ':')
		return false;
	if (text[0] == ':')
		text++;
	while (text < end) {
		const char *group = text;
		int value;

		if (*text == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = filled;
			text++;
			continue;
		}
		value = ipv6_group(&text, end);
		if (text < end && *text == '.') {
			if (filled > 12 ||
			    !address_parse_ipv4(group, (size_t)(end - group), out + filled))
				return false;
			filled += 4;
			break;
		}
		if (value < 0 || filled == 16)
			return false;
		out[filled++] = (uint8_t)(value >> 8);
		out[filled++] = (uint8_t)value;
		if (text == end)
			break;
		if (*text++ != ':' || text == end)
			return false;
	}
	if (gap == SIZE_MAX)
		return filled == 16;
	if (filled == 16)
		return false;
	ipv6_expand(out, gap, filled);
	return true;
}

bool address_parse(const char *text, size_t length, struct address *out)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	const char *zone;

	memset(out, 0, sizeof(*out));
	if (length == 0)
		return true;
	if (address_parse_ipv4(text, length, out->bytes)) {
		out->version = 4;
		return true;
	}
	zone = memchr(text, '%', length);
	if (zone) {
		if (zone + 1 == text + length)
			return false;
		length = (size_t)(zone - text);
	}
	if (!address_parse_ipv6(text, length, out->bytes))
		return false;
	out->version = 6;
	if (memcmp(out->bytes, mapped, sizeof(mapped)) == 0) {
		memcpy(out->bytes, out->bytes + 12, 4);
		memset(out->bytes + 4, 0, 12);
		out->version = 4;
	}
	return true;
}
