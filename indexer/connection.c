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

/* A whole number from 0 to limit, as an integer or as decimal digits and nothing else. */
static bool field_number(const struct field *field, unsigned limit, unsigned *value)
{
	if (field->kind == FIELD_INTEGER) {
		if (field->integer < 0 || field->integer > (int64_t)limit)
			return false;
		*value = (unsigned)field->integer;
		return true;
	}
	if (field->kind != FIELD_TEXT || field->length == 0)
		return false;
	*value = 0;
	for (size_t i = 0; i < field->length; i++) {
		unsigned digit = (unsigned char)field->text[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		*value = *value * 10 + digit;
		if (*value > limit)
			return false;
	}
	return true;
}

enum direction { DIRECTION_FORWARD, DIRECTION_BACKWARD, DIRECTION_NONE, DIRECTION_UNKNOWN };

static enum direction direction_read(const struct field *type)
{
	if (field_equals(type, "accept") || field_equals(type, "reject") ||
	    field_equals(type, "pending"))
		return DIRECTION_BACKWARD;
	if (field_equals(type, "connect"))
		return DIRECTION_FORWARD;
	if (field_equals(type, "listen"))
		return DIRECTION_NONE;
	return DIRECTION_UNKNOWN;
}

static bool transport_read(const struct field *field, uint8_t *protocol)
{
	static const struct {
		const char *name;
		uint8_t protocol;
	} transports[] = {
		{"tcp", PROTOCOL_TCP},	 {"udp", PROTOCOL_UDP},		{"tls", PROTOCOL_TCP},
		{"dtls", PROTOCOL_UDP},	 {"icmp", PROTOCOL_ICMP},	{"icmp6", PROTOCOL_ICMP6},
		{"sctp", PROTOCOL_SCTP}, {"ipv6-icmp", PROTOCOL_ICMP6},
	};
	unsigned number;

	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
		if (field_equals(field, transports[i].name)) {
			*protocol = transports[i].protocol;
			return true;
		}
	}
	if (!field_number(field, UINT8_MAX, &number))
		return false;
	*protocol = (uint8_t)number;
	return true;
}

static bool host_read(const struct field *field, struct address *address)
{
	if (field->kind == FIELD_NULL)
		return address_parse("", 0, address);
	return field->kind == FIELD_TEXT && address_parse(field->text, field->length, address);
}

static enum outcome hosts_read(const struct field *source, const struct field *destination,
			       struct connection *out)
{
	struct address from;
	struct address to;

	if (!host_read(source, &from) || !host_read(destination, &to))
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

	out->has_icmp = false;
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

enum outcome connection_read(const struct field fields[static ROLE_COUNT], bool directed,
			     struct connection *out)
{
	enum direction direction =
		directed ? direction_read(&fields[ROLE_TYPE]) : DIRECTION_FORWARD;
	bool backward = direction == DIRECTION_BACKWARD;
	enum outcome outcome;

	if (direction == DIRECTION_NONE)
		return OUTCOME_LISTEN;
	if (direction == DIRECTION_UNKNOWN)
		return OUTCOME_TYPE;
	if (!transport_read(&fields[ROLE_TRANSPORT], &out->protocol))
		return OUTCOME_TRANSPORT;
	outcome = hosts_read(&fields[backward ? ROLE_DESTINATION_HOST : ROLE_SOURCE_HOST],
			     &fields[backward ? ROLE_SOURCE_HOST : ROLE_DESTINATION_HOST], out);
	if (outcome != OUTCOME_HEADER)
		return outcome;
	if (!port_read(&fields[backward ? ROLE_DESTINATION_PORT : ROLE_SOURCE_PORT],
		       &out->source_port) ||
	    !port_read(&fields[backward ? ROLE_SOURCE_PORT : ROLE_DESTINATION_PORT],
		       &out->destination_port) ||
	    !icmp_read(&fields[ROLE_ICMP_TYPE], &fields[ROLE_ICMP_CODE], out))
		return OUTCOME_PORT;
	return OUTCOME_HEADER;
}
