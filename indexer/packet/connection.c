#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "connection_memo.h"
#include "ipv4_text.h"
#include "protocol.h"

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

/* What memo has for a short text that is no protocol, or no word for a direction. */
enum { MEMO_NONE = 256 };

static bool transport_read(struct connection_memo *memo, const struct field *transport,
			   bool any_case, uint8_t *protocol)
{
	const bool fits = memo && memo_word_fits(transport);
	struct memo_word *word = NULL;
	bool known = false;
	uint64_t key = 0;
	bool found;

	if (fits) {
		key = short_text_word(transport->text, transport->length);
		word = memo_word_find(memo->transports, transport, key, &known);
	}
	if (known) {
		*protocol = (uint8_t)word->value;
		return word->value != MEMO_NONE;
	}
	found = protocol_of_transport(transport, any_case, protocol);
	if (word)
		memo_word_keep(word, transport, key, found ? *protocol : MEMO_NONE);
	return found;
}

static enum direction direction_next(struct connection_memo *memo, const struct field *type,
				     enum direction_encoding encoding)
{
	const bool fits = memo && encoding != DIRECTION_FIXED && memo_word_fits(type);
	struct memo_word *word = NULL;
	enum direction direction;
	bool known = false;
	uint64_t key = 0;

	if (fits) {
		key = short_text_word(type->text, type->length);
		word = memo_word_find(memo->directions, type, key, &known);
	}
	if (known)
		return (enum direction)word->value;
	direction = direction_read(type, encoding);
	if (word)
		memo_word_keep(word, type, key, (uint16_t)direction);
	return direction;
}

/* Whether a field may be a dotted address. */
static inline bool is_dotted_long(const struct field *field)
{
	return field->kind == FIELD_TEXT && field->length - 1 < IPV4_TEXT_MAX;
}

/* Reads a dotted address of these words, or knows it from before. */
static bool dotted_look_up(struct memo_end_hosts *known, const struct field *text,
			   const uint64_t words[static 2], uint8_t out[static 4])
{
	struct memo_dotted *host =
		&known->dotted[memo_place(words[0] ^ words[1], MEMO_DOTTED_BITS)];

	if (host->length == text->length && host->words[0] == words[0] &&
	    host->words[1] == words[1]) {
		memcpy(out, host->bytes, 4);
		memo_end_hit(known);
		return true;
	}
	if (!ipv4_text_read(text->text, words[0], words[1], text->length, out))
		return false;
	*host = (struct memo_dotted){.words = {words[0], words[1]}, .length = text->length};
	memcpy(host->bytes, out, 4);
	memo_end_missed(known);
	return true;
}

/* Text that is_dotted_long: quick to read, and quicker to look up among few. */
static inline bool dotted_read(struct memo_end_hosts *known, const struct field *text,
			       uint8_t out[static 4])
{
	uint64_t words[2];

	short_text_words(text->text, text->length, words);
	/* An end that is any host is not worth it. */
	if (!known || !memo_end_is_useful(known))
		return ipv4_text_read(text->text, words[0], words[1], text->length, out);
	return dotted_look_up(known, text, words, out);
}

static bool text_address(struct connection_memo *memo, enum memo_end end, const struct field *text,
			 struct address *address)
{
	struct memo_host *known;

	if (is_dotted_long(text) &&
	    dotted_read(memo ? &memo->ends[end] : NULL, text, address->bytes)) {
		address->version = 4;
		return true;
	}
	known = memo ? memo_host_find(memo, text) : NULL;
	if (known && memo_host_is(known, text)) {
		*address = known->address;
		return true;
	}
	if (!address_parse(text->text, text->length, address))
		return false;
	if (known)
		memo_host_keep(known, text, address);
	return true;
}

/* The row's protocol: one number for all rows, a number of its own, or a transport's name. */
static bool protocol_read(struct connection_memo *memo,
			  const struct field fields[static ROLE_COUNT],
			  const struct reading *reading, uint8_t *protocol)
{
	unsigned number;

	if (reading->has_protocol) {
		*protocol = reading->protocol;
		return true;
	}
	if (field_is_empty(&fields[ROLE_PROTOCOL]))
		return transport_read(memo, &fields[ROLE_TRANSPORT], reading->any_case, protocol);
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
				     .text = negative ? field->text + 1 : field->text,
				     .length = field->length - negative};
	unsigned value;

	if (!field_number(&digits, UINT32_MAX, &value))
		return false;
	*number = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* A whole number that a column of real numbers holds. */
static bool real_integer(double real, int64_t *number)
{
	if (!(real >= INT32_MIN && real <= UINT32_MAX))
		return false;
	*number = (int64_t)real;
	return (double)*number == real;
}

static bool host_read(struct connection_memo *memo, enum memo_end end, const struct field *field,
		      enum host_encoding encoding, struct address *address)
{
	const bool is_integer = encoding == HOST_INTEGER || encoding == HOST_NETWORK;
	int64_t number;

	switch (field->kind) {
	case FIELD_NULL:
		*address = (struct address){.version = 0};
		return true;
	case FIELD_TEXT:
		if (is_integer && text_integer(field, &number))
			return integer_address(number, encoding == HOST_NETWORK, address);
		return text_address(memo, end, field, address);
	case FIELD_INTEGER:
		return is_integer &&
		       integer_address(field->integer, encoding == HOST_NETWORK, address);
	case FIELD_REAL:
		return is_integer && real_integer(field->real, &number) &&
		       integer_address(number, encoding == HOST_NETWORK, address);
	case FIELD_BLOB:
		return encoding != HOST_TEXT && blob_address(field, address);
	default:
		return false;
	}
}

/* A host of two columns is what the second has, if that has anything. */
static bool pair_read(struct connection_memo *memo, enum memo_end end, const struct field *host,
		      const struct field *host6, const struct reading *reading,
		      struct address *address)
{
	if (host6->kind == FIELD_NULL ||
	    ((host6->kind == FIELD_TEXT || host6->kind == FIELD_BLOB) && host6->length == 0))
		return host_read(memo, end, host, reading->hosts, address);
	return host_read(memo, end, host6, HOST_BLOB, address);
}

/* As many bytes as were just written: a longer load would wait for them. */
static void bytes_copy(const struct address *address, uint8_t out[static 16])
{
	if (address->version == 6) {
		memcpy(out, address->bytes, 16);
		return;
	}
	memcpy(out, address->bytes, 4);
	memset(out + 4, 0, 12);
}

/* The usual row, of two dotted addresses. False, and nothing said, where it is another. */
static inline bool dotted_pair_read(struct connection_memo *memo,
				    const struct field fields[static ROLE_COUNT], bool backward,
				    struct connection *out)
{
	if (!is_dotted_long(&fields[ROLE_SOURCE_HOST]) ||
	    !is_dotted_long(&fields[ROLE_DESTINATION_HOST]) ||
	    fields[ROLE_SOURCE_HOST6].kind != FIELD_NULL ||
	    fields[ROLE_DESTINATION_HOST6].kind != FIELD_NULL ||
	    !dotted_read(memo ? &memo->ends[MEMO_FIRST] : NULL, &fields[ROLE_SOURCE_HOST],
			 backward ? out->destination : out->source) ||
	    !dotted_read(memo ? &memo->ends[MEMO_SECOND] : NULL, &fields[ROLE_DESTINATION_HOST],
			 backward ? out->source : out->destination))
		return false;
	out->version = 4;
	memset(out->source + 4, 0, 12);
	memset(out->destination + 4, 0, 12);
	return true;
}

static enum outcome hosts_read(struct connection_memo *memo,
			       const struct field fields[static ROLE_COUNT],
			       const struct reading *reading, bool backward, struct connection *out)
{
	struct address from;
	struct address to;

	if (reading->hosts == HOST_TEXT && dotted_pair_read(memo, fields, backward, out))
		return OUTCOME_HEADER;
	if (!pair_read(memo, MEMO_FIRST, &fields[ROLE_SOURCE_HOST], &fields[ROLE_SOURCE_HOST6],
		       reading, backward ? &to : &from) ||
	    !pair_read(memo, MEMO_SECOND, &fields[ROLE_DESTINATION_HOST],
		       &fields[ROLE_DESTINATION_HOST6], reading, backward ? &from : &to))
		return OUTCOME_ADDRESS;
	if (from.version && to.version && from.version != to.version)
		return OUTCOME_FAMILY;
	out->version = from.version ? from.version : to.version;
	if (out->version == 0)
		out->version = 4;
	bytes_copy(&from, out->source);
	bytes_copy(&to, out->destination);
	return OUTCOME_HEADER;
}

static bool port_of_any_read(const struct field *field, uint16_t *port)
{
	unsigned number = 0;

	if (!field_is_empty(field) && !field_number(field, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

static inline bool port_read(const struct field *field, uint16_t *port)
{
	if (field->kind != FIELD_INTEGER || (uint64_t)field->integer > UINT16_MAX)
		return port_of_any_read(field, port);
	*port = (uint16_t)field->integer;
	return true;
}

static void icmp_set(struct connection *out, unsigned type, unsigned code)
{
	out->has_icmp = true;
	out->icmp_type = (uint8_t)type;
	out->icmp_code = (uint8_t)code;
}

/* Type and code count only together and only where both are there. */
static bool icmp_read(const struct field *type, const struct field *code, struct connection *out)
{
	unsigned type_number;
	unsigned code_number;

	if (field_is_empty(type) || field_is_empty(code))
		return true;
	if (!field_number(type, UINT8_MAX, &type_number) ||
	    !field_number(code, UINT8_MAX, &code_number))
		return false;
	icmp_set(out, type_number, code_number);
	return true;
}

/*
 * The types for which Zeek looks for an answer (src/packet_analysis/protocol/icmp
 * in Zeek's sources): echo, timestamp, information, router and mask of ICMP (RFC
 * 792, 950, 1256); echo, router, neighbour, listener, node information and home
 * agent of ICMPv6 (RFC 4443, 4861, 2710, 4620, 6275).
 */
static bool zeek_has_counterpart(uint8_t protocol, unsigned type)
{
	static const uint8_t icmp[] = {0, 8, 9, 10, 13, 14, 15, 16, 17, 18};
	static const uint8_t icmp6[] = {128, 129, 130, 131, 133, 134, 135, 136, 139, 140, 144, 145};
	const bool six = protocol == PROTOCOL_ICMP6;

	return memchr(six ? icmp6 : icmp, (int)type, six ? sizeof(icmp6) : sizeof(icmp)) != NULL;
}

static bool zeek_icmp_read(const struct field *type, const struct field *answer,
			   struct connection *out)
{
	if (!icmp_read(type, answer, out))
		return false;
	if (out->has_icmp && zeek_has_counterpart(out->protocol, out->icmp_type))
		out->icmp_code = 0;
	return true;
}

static bool netflow_icmp_read(const struct field *port, struct connection *out)
{
	unsigned number;

	if (field_is_empty(port))
		return true;
	if (!field_number(port, UINT16_MAX, &number))
		return false;
	icmp_set(out, number >> 8, number & 0xff);
	return true;
}

static bool icmp_find(const struct field fields[static ROLE_COUNT], enum icmp_encoding encoding,
		      struct connection *out)
{
	switch (encoding) {
	case ICMP_PORTS:
		return icmp_read(&fields[ROLE_SOURCE_PORT], &fields[ROLE_DESTINATION_PORT], out);
	case ICMP_ZEEK:
		return zeek_icmp_read(&fields[ROLE_SOURCE_PORT], &fields[ROLE_DESTINATION_PORT],
				      out);
	case ICMP_NETFLOW:
		return netflow_icmp_read(&fields[ROLE_DESTINATION_PORT], out);
	default:
		return icmp_read(&fields[ROLE_ICMP_TYPE], &fields[ROLE_ICMP_CODE], out);
	}
}

/* What stands behind the IP header. Of a protocol without ports nothing is judged. */
static bool ports_read(const struct field fields[static ROLE_COUNT], const struct reading *reading,
		       bool backward, struct connection *out)
{
	const struct field *source = &fields[backward ? ROLE_DESTINATION_PORT : ROLE_SOURCE_PORT];
	const struct field *destination =
		&fields[backward ? ROLE_SOURCE_PORT : ROLE_DESTINATION_PORT];

	out->has_icmp = false;
	out->source_port = 0;
	out->destination_port = 0;
	if (protocol_is_icmp(out->protocol))
		return icmp_find(fields, reading->icmp, out);
	if (!protocol_has_ports(out->protocol))
		return true;
	return port_read(source, &out->source_port) &&
	       port_read(destination, &out->destination_port);
}

struct connection_memo *connection_memo_new(void)
{
	return calloc(1, sizeof(struct connection_memo));
}

void connection_memo_free(struct connection_memo *memo)
{
	free(memo);
}

enum outcome connection_read(const struct field fields[static ROLE_COUNT],
			     const struct reading *reading, struct connection *out)
{
	return connection_read_next(NULL, fields, reading, out);
}

enum outcome connection_read_next(struct connection_memo *memo,
				  const struct field fields[static ROLE_COUNT],
				  const struct reading *reading, struct connection *out)
{
	const enum direction direction =
		direction_next(memo, &fields[ROLE_TYPE], reading->direction);
	const bool backward = direction == DIRECTION_BACKWARD;
	enum outcome outcome;

	if (direction == DIRECTION_NONE)
		return OUTCOME_LISTEN;
	if (direction == DIRECTION_UNKNOWN)
		return OUTCOME_TYPE;
	if (!protocol_read(memo, fields, reading, &out->protocol))
		return OUTCOME_TRANSPORT;
	outcome = hosts_read(memo, fields, reading, backward, out);
	if (outcome != OUTCOME_HEADER)
		return outcome;
	if (reading->icmp_family && out->version == 6 && out->protocol == PROTOCOL_ICMP)
		out->protocol = PROTOCOL_ICMP6;
	return ports_read(fields, reading, backward, out) ? OUTCOME_HEADER : OUTCOME_PORT;
}
