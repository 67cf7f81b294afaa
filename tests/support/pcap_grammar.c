#include "pcap_grammar.h"

#include <stdbool.h>
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

/* Asks for bytes that a row holds or does not. */
static void unsound_primitive(uint64_t *seed, char *out, size_t size)
{
	switch (random_below(seed, 4)) {
	case 0:
		snprintf(out, size, "%s[%u:%u] %s 0x%x", PICK(seed, "ip", "ip6"),
			 random_below(seed, 44), 1U << random_below(seed, 3),
			 PICK(seed, "=", ">", "<", "!="), random_below(seed, 65536));
		break;
	case 1:
		snprintf(out, size, "%s[%u] & 0x%x %s %u", PICK(seed, "ip", "ip6", "tcp", "udp"),
			 random_below(seed, 24), random_below(seed, 256),
			 PICK(seed, "=", "!=", ">"), random_below(seed, 64));
		break;
	case 2:
		snprintf(out, size, "%s %u", PICK(seed, "greater", "less"), random_below(seed, 80));
		break;
	default:
		snprintf(out, size, "%s",
			 PICK(seed, "tcp[tcpflags] & tcp-syn != 0", "ip[6:2] & 0x1fff = 0",
			      "ip[0] & 0xf = 5", "icmp[icmptype] = icmp-echo", "ip[6] & 0x20 = 0",
			      "icmp6[4] = 1", "tcp[2:2] = tcp[0:2]"));
	}
}

/* Arithmetic on what a row holds. */
static void arithmetic(uint64_t *seed, char *out, size_t size)
{
	static const char *const pairs[][2] = {
		{"ip[12:4]", "ip[16:4]"},   {"ip[14:2]", "ip[18]"},	{"tcp[0:2]", "tcp[2:2]"},
		{"udp[0:2]", "udp[3]"},	    {"sctp[2:2]", "sctp[0:2]"}, {"ip6[8:4]", "ip6[24:4]"},
		{"ip6[22:2]", "ip6[38:2]"}, {"icmp[0:2]", "icmp[1]"},	{"ip[9]", "ip[12]"},
	};
	const size_t pair = random_below(seed, sizeof(pairs) / sizeof(*pairs));
	const char *const first = pairs[pair][0];
	const char *const second = pairs[pair][1];
	const char *const comparison = PICK(seed, "=", ">", "<", "!=", ">=", "<=");

	switch (random_below(seed, 6)) {
	case 0:
		snprintf(out, size, "%s >> %u %s %u", first, random_below(seed, 32), comparison,
			 random_below(seed, 64));
		break;
	case 1:
		snprintf(out, size, "(%s << %u) >> %u %s %u", first, random_below(seed, 16),
			 random_below(seed, 32), comparison, random_below(seed, 64));
		break;
	case 2:
		snprintf(out, size, "%s & 0x%x %s %s", first, (unsigned)random_next(seed),
			 comparison, second);
		break;
	case 3:
		snprintf(out, size, "%s %s %u %s 0x%x", first,
			 PICK(seed, "+", "-", "*", "/", "%", "|", "^"), 1 + random_below(seed, 300),
			 comparison, random_below(seed, 70000));
		break;
	case 4:
		snprintf(out, size, "%s - %s %s %u", first, second, comparison,
			 random_below(seed, 300));
		break;
	default:
		snprintf(out, size, "%s %s %s", first, comparison, second);
	}
}

static void primitive(uint64_t *seed, char *out, size_t size)
{
	const char *direction = PICK(seed, "", "", "src ", "dst ", "src or dst ", "src and dst ");
	const char *transport = PICK(seed, "", "", "tcp ", "udp ", "sctp ");
	const unsigned a = random_below(seed, 4) * 10;
	const unsigned port = random_port(seed);

	switch (random_below(seed, 14)) {
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
		snprintf(out, size, "%s[%u:%u] %s 0x%x", PICK(seed, "tcp", "udp", "sctp"),
			 random_below(seed, 2) * 2, 1 + random_below(seed, 2),
			 PICK(seed, "=", ">", "<", "!="), random_below(seed, 65536));
		break;
	case 10:
		snprintf(out, size, "ip[%u] & 0x%x %s %u", 12 + random_below(seed, 8),
			 random_below(seed, 256), PICK(seed, "=", "!=", ">"),
			 random_below(seed, 64));
		break;
	case 11:
	case 12:
		arithmetic(seed, out, size);
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

static void expression(uint64_t *seed, char *out, size_t size, bool sound)
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
		if (sound || random_below(seed, 2))
			primitive(seed, term, sizeof(term));
		else
			unsound_primitive(seed, term, sizeof(term));
		length = append(out, size, length, term);
		if (open > 0 && random_below(seed, 2)) {
			length = append(out, size, length, ")");
			open--;
		}
	}
	while (open-- > 0)
		length = append(out, size, length, ")");
}

void pcap_grammar_expression(uint64_t *seed, char *out, size_t size)
{
	expression(seed, out, size, true);
}

void pcap_grammar_any_expression(uint64_t *seed, char *out, size_t size)
{
	expression(seed, out, size, false);
}
