#include "protocol.h"

/* The transports that every log may name. */
static const struct transport {
	const char *name;
	uint8_t protocol;
} transports[] = {
	{"tcp", PROTOCOL_TCP},	 {"udp", PROTOCOL_UDP},		{"tls", PROTOCOL_TCP},
	{"dtls", PROTOCOL_UDP},	 {"icmp", PROTOCOL_ICMP},	{"icmp6", PROTOCOL_ICMP6},
	{"sctp", PROTOCOL_SCTP}, {"ipv6-icmp", PROTOCOL_ICMP6},
};

/*
 * And those that other tools name: IANA's Assigned Internet Protocol Numbers as
 * protocols(5) spells them, and OpenSnitch's and pmacct's own spellings.
 */
static const struct transport more_transports[] = {
	{"hopopt", 0},	  {"ip", 0},	      {"igmp", 2},	   {"ggp", 3},
	{"ipencap", 4},	  {"st", 5},	      {"tcp6", 6},	   {"egp", 8},
	{"igp", 9},	  {"pup", 12},	      {"udp6", 17},	   {"hmp", 20},
	{"idp", 22},	  {"xns-idp", 22},    {"rdp", 27},	   {"iso-tp4", 29},
	{"dccp", 33},	  {"xtp", 36},	      {"ddp", 37},	   {"idpr-cmtp", 38},
	{"ipv6", 41},	  {"ipv6-route", 43}, {"ipv6-frag", 44},   {"idrp", 45},
	{"rsvp", 46},	  {"gre", 47},	      {"esp", 50},	   {"ah", 51},
	{"skip", 57},	  {"icmpv6", 58},     {"ipv6-nonxt", 59},  {"ipv6-opts", 60},
	{"rspf", 73},	  {"vmtp", 81},	      {"eigrp", 88},	   {"ospf", 89},
	{"ospfigp", 89},  {"ax.25", 93},      {"ipip", 94},	   {"etherip", 97},
	{"encap", 98},	  {"pim", 103},	      {"ipcomp", 108},	   {"vrrp", 112},
	{"l2tp", 115},	  {"isis", 124},      {"sctp6", 132},	   {"fc", 133},
	{"udplite", 136}, {"udplite6", 136},  {"mpls-in-ip", 137}, {"manet", 138},
	{"hip", 139},	  {"shim6", 140},     {"wesp", 141},	   {"rohc", 142},
};

bool protocol_of_transport(const struct field *field, bool any_case, uint8_t *protocol)
{
	unsigned number;

	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
		if (any_case ? field_is_word(field, transports[i].name)
			     : field_equals(field, transports[i].name)) {
			*protocol = transports[i].protocol;
			return true;
		}
	}
	for (size_t i = 0; any_case && i < sizeof(more_transports) / sizeof(*more_transports);
	     i++) {
		if (field_is_word(field, more_transports[i].name)) {
			*protocol = more_transports[i].protocol;
			return true;
		}
	}
	if (!field_number(field, UINT8_MAX, &number))
		return false;
	*protocol = (uint8_t)number;
	return true;
}

bool protocol_find(const char *text, size_t length, uint8_t *protocol)
{
	const struct field field = {.kind = FIELD_TEXT, .text = text, .length = length};

	return protocol_of_transport(&field, true, protocol);
}

const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ICMP:
		return "icmp";
	case PROTOCOL_TCP:
		return "tcp";
	case PROTOCOL_UDP:
		return "udp";
	case PROTOCOL_ICMP6:
		return "icmp6";
	case PROTOCOL_SCTP:
		return "sctp";
	default:
		return NULL;
	}
}
