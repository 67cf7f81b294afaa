#include "pcap_grammar.h"

#include <stdio.h>
#include <string.h>

#include "random.h"

static const char *pick(uint64_t *seed, const char *const *words, size_t count)
{
	return words[random_below(seed, (unsigned)count)];
}

#define PICK(seed, ...)                                                                            \
	pick(seed, (const char *const[]){__VA_ARGS__},                                             \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static unsigned random_port(uint64_t *seed)
{
	static const unsigned ports[] = {0, 22, 53, 80, 445, 1023, 5060, 65535};

	return random_below(seed, 2) ? ports[random_below(seed, 8)] : random_below(seed, 65536);
}

static void primitive(uint64_t *seed, char *out, size_t size)
{
	const char *direction = PICK(seed, "", "", "src ", "dst ", "src or dst ", "src and dst ");
	const char *transport = PICK(seed, "", "", "tcp ", "udp ", "sctp ");
	const unsigned a = random_below(seed, 4) * 10;
	const unsigned port = random_port(seed);

	switch (random_below(seed, 12)) {
	case 0:
		snprintf(out, size, "%shost 10.0.%u.%u", direction, random_below(seed, 2),
			 random_below(seed, 4));
		break;
	case 1:
		snprintf(out, size, "%snet %u.0.0.0/%u", direction, a, a ? 7 + a / 10 : 0);
		break;
	case 2:
		snprintf(out, size, "%shost 2001:db8::%x", direction, random_below(seed, 4));
		break;
	case 3:
		snprintf(out, size, "%snet 2001:db8::/%u", direction,
			 32 + random_below(seed, 4) * 32);
		break;
	case 4:
	case 5:
		snprintf(out, size, "%s%sport %u", transport, direction, port);
		break;
	case 6:
		snprintf(out, size, "%s%sportrange %u-%u", transport, direction, port,
			 port + random_below(seed, 65536 - port));
		break;
	case 7:
		snprintf(out, size, "%s",
			 PICK(seed, "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp",
			      "ah", "esp", "pim", "vrrp"));
		break;
	case 8:
		snprintf(out, size, "%sproto %u", PICK(seed, "ip ", "ip6 ", ""),
			 random_below(seed, 2) ? 6 : random_below(seed, 256));
		break;
	case 9:
		snprintf(out, size, "%s[%u:%u] %s 0x%x", PICK(seed, "ip", "tcp", "udp"),
			 random_below(seed, 4), 1 + random_below(seed, 2),
			 PICK(seed, "=", ">", "<", "!="), random_below(seed, 65536));
		break;
	case 10:
		snprintf(out, size, "ip[%u] & 0x%x %s %u", 9 + random_below(seed, 11),
			 random_below(seed, 256), PICK(seed, "=", "!=", ">"),
			 random_below(seed, 64));
		break;
	default:
		snprintf(out, size, "%s protochain %u", PICK(seed, "ip", "ip6"),
			 random_below(seed, 2) ? 6 : 17);
	}
}

static size_t append(char *out, size_t size, size_t length, const char *text)
{
	size_t more = strlen(text);

	if (length + more + 1 > size)
		return length;
	memcpy(out + length, text, more + 1);
	return length + more;
}

void pcap_grammar_expression(uint64_t *seed, char *out, size_t size)
{
	unsigned terms = 1 + random_below(seed, 5);
	unsigned open = 0;
	size_t length = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < terms; i++) {
		char term[128];

		if (i > 0)
			length =
				append(out, size, length, random_below(seed, 2) ? " and " : " or ");
		if (random_below(seed, 3) == 0)
			length = append(out, size, length, "not ");
		if (random_below(seed, 4) == 0 && i + 1 < terms) {
			length = append(out, size, length, "(");
			open++;
		}
		primitive(seed, term, sizeof(term));
		length = append(out, size, length, term);
		if (open > 0 && random_below(seed, 2)) {
			length = append(out, size, length, ")");
			open--;
		}
	}
	while (open-- > 0)
		length = append(out, size, length, ")");
}
