#include "connection.h"

#include <string.h>

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
		[OUTCOME_HEADER] = "header",   [OUTCOME_LISTEN] = "listen",
		[OUTCOME_TYPE] = "type",       [OUTCOME_TRANSPORT] = "transport",
		[OUTCOME_ADDRESS] = "address", [OUTCOME_FAMILY] = "family",
		[OUTCOME_PORT] = "port",
	};

	return names[outcome];
}

bool protocol_has_ports(uint8_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP;
}

bool protocol_is_icmp(uint8_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

static bool field_equals(const struct field *field, const char *word)
{
	return field->kind == FIELD_TEXT && field->length == strlen(word) &&
	       memcmp(field->text, word, field->length) == 0;
}

/* The same in any case of its letters (ASCII). word is in lower case. */
static bool field_is_word(const struct field *field, const char *word)
{
	if (field->kind != FIELD_TEXT || field->length != strlen(word))
		return false;
	for (size_t i = 0; i < field->length; i++) {
		const char c = field->text[i];

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[i])
			return false;
	}
	return true;
}

/* A whole number from 0 to limit, as an integer or as decimal digits and nothing else. */
static bool field_number(const struct field *field, unsigned limit, unsigned *value)
{
	uint64_t number = 0;

	if (field->kind == FIELD_INTEGER) {
		if (field->integer < 0 || field->integer > (int64_t)limit)
			return false;
		*value = (unsigned)field->integer;
		return true;
	}
	if (field->kind != FIELD_TEXT || field->length == 0)
		return false;
	for (size_t i = 0; i < field->length; i++) {
		unsigned digit = (unsigned char)field->text[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		number = number * 10 + digit;
		if (number > limit)
			return false;
	}
	*value = (unsigned)number;
	return true;
}

enum direction { FORWARD, BACKWARD, NO_CONNECTION, UNKNOWN };

static enum direction type_direction(const struct field *type)
{
	if (field_equals(type, "accept") || field_equals(type, "reject") ||
	    field_equals(type, "pending"))
		return BACKWARD;
	if (field_equals(type, "connect"))
		return FORWARD;
	if (field_equals(type, "listen"))
		return NO_CONNECTION;
	return UNKNOWN;
}

static enum direction word_direction(const struct field *word)
{
	static const struct {
		const char *word;
		enum direction direction;
	} words[] = {
		{"in", BACKWARD},      {"inbound", BACKWARD}, {"incoming", BACKWARD},
		{"ingress", BACKWARD}, {"out", FORWARD},      {"outbound", FORWARD},
		{"outgoing", FORWARD}, {"egress", FORWARD},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (field_is_word(word, words[i].word))
			return words[i].direction;
	return UNKNOWN;
}

static enum direction flag_direction(const struct field *flag, enum direction set,
				     enum direction clear)
{
	unsigned number;

	if (flag->kind == FIELD_INTEGER)
		return flag->integer ? set : clear;
	if (field_is_word(flag, "true"))
		return set;
	if (field_is_word(flag, "false"))
		return clear;
	return field_number(flag, UINT16_MAX, &number) ? (number ? set : clear) : UNKNOWN;
}

static enum direction direction_read(const struct field *field, enum direction_encoding encoding)
{
	switch (encoding) {
	case DIRECTION_TYPE:
		return type_direction(field);
	case DIRECTION_WORD:
		return word_direction(field);
	case DIRECTION_INBOUND:
		return flag_direction(field, BACKWARD, FORWARD);
	case DIRECTION_OUTBOUND:
		return flag_direction(field, FORWARD, BACKWARD);
	default:
		return FORWARD;
	}
}

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

static bool transport_read(const struct field *field, bool any_case, uint8_t *protocol)
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

	return transport_read(&field, true, protocol);
}

/* The row's protocol: one number for all rows, a number of its own, or a transport's name. */
static bool protocol_read(const struct field fields[static ROLE_COUNT],
			  const struct reading *reading, uint8_t *protocol)
{
	unsigned number;

	if (reading->has_protocol) {
		*protocol = reading->protocol;
		return true;
	}
	if (fields[ROLE_PROTOCOL].kind == FIELD_NULL)
		return transport_read(&fields[ROLE_TRANSPORT], reading->any_case, protocol);
	if (!field_number(&fields[ROLE_PROTOCOL], UINT8_MAX, &number))
		return false;
	*protocol = (uint8_t)number;
	return true;
}

static bool blob_address(const struct field *field, struct address *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *bytes = (const uint8_t *)field->text;

	*address = (struct address){0};
	if (field->length == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		address->version = 4;
		memcpy(address->bytes, bytes + sizeof(mapped), 4);
		return true;
	}
	if (field->length != 4 && field->length != 16)
		return field->length == 0;
	address->version = field->length == 4 ? 4 : 6;
	memcpy(address->bytes, bytes, field->length);
	return true;
}

static bool integer_address(int64_t number, bool network_order, struct address *address)
{
	uint32_t bits = (uint32_t)number;

	if (number < INT32_MIN || number > (int64_t)UINT32_MAX)
		return false;
	if (network_order)
		bits = bits >> 24 | (bits >> 8 & 0xff00) | (bits << 8 & 0xff0000) | bits << 24;
	*address = (struct address){.version = 4,
				    .bytes = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16),
					      (uint8_t)(bits >> 8), (uint8_t)bits}};
	return true;
}

/* A number that a column of text holds as digits, with a sign or without. */
static bool text_integer(const struct field *field, int64_t *number)
{
	const bool negative = field->length > 0 && *field->text == '-';
	const struct field digits = {.kind = FIELD_TEXT,
				     .text = field->text + negative,
				     .length = field->length - negative};
	unsigned value;

	if (!field_number(&digits, UINT32_MAX, &value))
		return false;
	*number = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool host_read(const struct field *field, enum host_encoding encoding,
		      struct address *address)
{
	const bool is_integer = encoding == HOST_INTEGER || encoding == HOST_NETWORK;
	int64_t number;

	switch (field->kind) {
	case FIELD_NULL:
		return address_parse("", 0, address);
	case FIELD_TEXT:
		if (is_integer && text_integer(field, &number))
			return integer_address(number, encoding == HOST_NETWORK, address);
		return address_parse(field->text, field->length, address);
	case FIELD_INTEGER:
		return is_integer &&
		       integer_address(field->integer, encoding == HOST_NETWORK, address);
	case FIELD_BLOB:
		return encoding != HOST_TEXT && blob_address(field, address);
	default:
		return false;
	}
}

/* A host of two columns is what the second has, if that has anything. */
static bool pair_read(const struct field *host, const struct field *host6,
		      const struct reading *reading, struct address *address)
{
	if (host6->kind == FIELD_NULL || (host6->kind != FIELD_INTEGER && host6->length == 0))
		return host_read(host, reading->hosts, address);
	return host_read(host6, HOST_BLOB, address);
}

static enum outcome hosts_read(const struct field fields[static ROLE_COUNT],
			       const struct reading *reading, bool backward, struct connection *out)
{
	struct address from;
	struct address to;

	if (!pair_read(&fields[ROLE_SOURCE_HOST], &fields[ROLE_SOURCE_HOST6], reading,
		       backward ? &to : &from) ||
	    !pair_read(&fields[ROLE_DESTINATION_HOST], &fields[ROLE_DESTINATION_HOST6], reading,
		       backward ? &from : &to))
		return OUTCOME_ADDRESS;
	if (from.version && to.version && from.version != to.version)
		return OUTCOME_FAMILY;
	out->version = from.version ? from.version : to.version;
	if (out->version == 0)
		out->version = 4;
	memcpy(out->source, from.bytes, sizeof(out->source));
	memcpy(out->destination, to.bytes, sizeof(out->destination));
	return OUTCOME_HEADER;
}

static bool port_read(const struct field *field, uint16_t *port)
{
	unsigned number = 0;

	if (field->kind != FIELD_NULL && !field_number(field, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Type and code count only together and only where both are there. */
static bool icmp_read(const struct field *type, const struct field *code, struct connection *out)
{
	unsigned type_number;
	unsigned code_number;

	if (!protocol_is_icmp(out->protocol) || type->kind == FIELD_NULL ||
	    code->kind == FIELD_NULL)
		return true;
	if (!field_number(type, UINT8_MAX, &type_number) ||
	    !field_number(code, UINT8_MAX, &code_number))
		return false;
	out->has_icmp = true;
	out->icmp_type = (uint8_t)type_number;
	out->icmp_code = (uint8_t)code_number;
	return true;
}

static bool ports_read(const struct field fields[static ROLE_COUNT], const struct reading *reading,
		       bool backward, struct connection *out)
{
	const struct field *source = &fields[backward ? ROLE_DESTINATION_PORT : ROLE_SOURCE_PORT];
	const struct field *destination =
		&fields[backward ? ROLE_SOURCE_PORT : ROLE_DESTINATION_PORT];

	out->has_icmp = false;
	out->source_port = 0;
	out->destination_port = 0;
	if (reading->icmp_ports && protocol_is_icmp(out->protocol))
		return icmp_read(&fields[ROLE_SOURCE_PORT], &fields[ROLE_DESTINATION_PORT], out);
	return port_read(source, &out->source_port) &&
	       port_read(destination, &out->destination_port) &&
	       icmp_read(&fields[ROLE_ICMP_TYPE], &fields[ROLE_ICMP_CODE], out);
}

enum outcome connection_read(const struct field fields[static ROLE_COUNT],
			     const struct reading *reading, struct connection *out)
{
	const enum direction direction = direction_read(&fields[ROLE_TYPE], reading->direction);
	const bool backward = direction == BACKWARD;
	enum outcome outcome;

	if (direction == NO_CONNECTION)
		return OUTCOME_LISTEN;
	if (direction == UNKNOWN)
		return OUTCOME_TYPE;
	if (!protocol_read(fields, reading, &out->protocol))
		return OUTCOME_TRANSPORT;
	outcome = hosts_read(fields, reading, backward, out);
	if (outcome != OUTCOME_HEADER)
		return outcome;
	if (reading->icmp_family && out->version == 6 && out->protocol == PROTOCOL_ICMP)
		out->protocol = PROTOCOL_ICMP6;
	return ports_read(fields, reading, backward, out) ? OUTCOME_HEADER : OUTCOME_PORT;
}

bool reading_same(const struct reading *a, const struct reading *b)
{
	return a->hosts == b->hosts && a->direction == b->direction && a->any_case == b->any_case &&
	       a->icmp_ports == b->icmp_ports && a->icmp_family == b->icmp_family &&
	       a->has_protocol == b->has_protocol &&
	       (!a->has_protocol || a->protocol == b->protocol);
}

const char *host_encoding_name(enum host_encoding encoding)
{
	static const char *const names[HOST_ENCODINGS] = {
		[HOST_TEXT] = "text",
		[HOST_INTEGER] = "integer",
		[HOST_NETWORK] = "network",
		[HOST_BLOB] = "blob",
	};

	return names[encoding];
}

const char *direction_encoding_name(enum direction_encoding encoding)
{
	static const char *const names[DIRECTION_ENCODINGS] = {
		[DIRECTION_FIXED] = "fixed",	   [DIRECTION_TYPE] = "type",
		[DIRECTION_WORD] = "word",	   [DIRECTION_INBOUND] = "inbound",
		[DIRECTION_OUTBOUND] = "outbound",
	};

	return names[encoding];
}

bool host_encoding_find(const char *word, enum host_encoding *encoding)
{
	for (int i = 0; i < HOST_ENCODINGS; i++)
		if (strcmp(word, host_encoding_name((enum host_encoding)i)) == 0) {
			*encoding = (enum host_encoding)i;
			return true;
		}
	return false;
}

bool direction_encoding_find(const char *word, enum direction_encoding *encoding)
{
	for (int i = 0; i < DIRECTION_ENCODINGS; i++)
		if (strcmp(word, direction_encoding_name((enum direction_encoding)i)) == 0) {
			*encoding = (enum direction_encoding)i;
			return true;
		}
	return false;
}
