#include "soundness.h"

#include <stdio.h>

#include "abstract_run.h"
#include "packet/connection.h"
#include "packet/protocol.h"

struct field_name {
	uint32_t first; /* bytes from the start of its header */
	uint32_t last;
	const char *name;
};

static const struct field_name ipv4_fields[] = {
	{1, 1, "the type of service"}, {2, 3, "the total length"},
	{4, 5, "the identification"},  {6, 7, "the fragmentation flags"},
	{8, 8, "the time to live"},    {10, 11, "the header checksum"},
};

static const struct field_name ipv6_fields[] = {
	{0, 3, "the traffic class and flow label"},
	{4, 5, "the payload length"},
	{7, 7, "the hop limit"},
};

/* Of a table with gaps. */
static const struct field_name port_fields[] = {
	{0, 1, "the source port"},
	{2, 3, "the destination port"},
};

static const struct field_name icmp_held_fields[] = {
	{0, 0, "the ICMP type"},
	{1, 1, "the ICMP code"},
};

static const struct field_name tcp_fields[] = {
	{4, 7, "the TCP sequence number"},  {8, 11, "the TCP acknowledgement number"},
	{12, 12, "the TCP data offset"},    {13, 13, "the TCP flags"},
	{14, 15, "the TCP window"},	    {16, 17, "the TCP checksum"},
	{18, 19, "the TCP urgent pointer"},
};

static const struct field_name udp_fields[] = {
	{4, 5, "the UDP length"},
	{6, 7, "the UDP checksum"},
};

static const struct field_name sctp_fields[] = {
	{4, 7, "the SCTP verification tag"},
	{8, 11, "the SCTP checksum"},
};

static const struct field_name icmp_fields[] = {
	{2, 3, "the ICMP checksum"},
};

#define FIELDS(table) (table), sizeof(table) / sizeof(*(table))

static const char *field_find(const struct field_name *fields, size_t count, uint32_t offset,
			      uint32_t size, const char *otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (offset <= fields[i].last && offset + size > fields[i].first)
			return fields[i].name;
	return otherwise;
}

/* What other tables have; NULL for what none has. */
static const char *gap_find(const struct abstract_class *class, uint32_t offset, uint32_t size)
{
	if (!class->gaps)
		return NULL;
	return protocol_is_icmp(class->protocol)
		       ? field_find(FIELDS(icmp_held_fields), offset, size, NULL)
		       : field_find(FIELDS(port_fields), offset, size, NULL);
}

static const char *transport_find(uint8_t protocol, uint32_t offset, uint32_t size,
				  const char **header)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		*header = "tcp";
		return field_find(FIELDS(tcp_fields), offset, size, "the TCP options or payload");
	case PROTOCOL_UDP:
		*header = "udp";
		return field_find(FIELDS(udp_fields), offset, size, "the UDP payload");
	case PROTOCOL_SCTP:
		*header = "sctp";
		return field_find(FIELDS(sctp_fields), offset, size, "the SCTP chunks");
	default:
		*header = protocol == PROTOCOL_ICMP ? "icmp" : "icmp6";
		return field_find(FIELDS(icmp_fields), offset, size, "the ICMP message");
	}
}

/*
 * What a live capture on Linux knows of a packet beside its bytes, at offsets
 * from SKF_AD_OFF on (linux/filter.h).
 */
enum { ANCILLARY = 0xfffff000, ANCILLARY_PACKET_TYPE = 4, ANCILLARY_INTERFACE = 8 };

static enum status refuse_ancillary(uint32_t offset, struct message *message)
{
	const char *what = offset == ANCILLARY_PACKET_TYPE
				   ? "the packet's direction (inbound, outbound)"
			   : offset == ANCILLARY_INTERFACE ? "the interface of a capture"
							   : "what only a live capture knows";

	return message_set(message, STATUS_USAGE,
			   "the answer depends on %s, which no connection row holds", what);
}

static enum status refuse(const struct abstract_class *class,
			  const struct abstract_witness *witness, struct message *message)
{
	const uint32_t fixed = class->version == 4 ? 20 : 40;
	const char *header = class->version == 4 ? "ip" : "ip6";
	uint32_t offset = witness->offset;
	const char *gap = NULL;
	const char *name;
	char bytes[48];

	if (offset == ABSTRACT_LENGTH)
		return message_set(message, STATUS_USAGE,
				   "the answer depends on len, the packet's length, which no "
				   "connection row holds");
	if (offset == ABSTRACT_VARYING)
		return message_set(
			message, STATUS_USAGE,
			"the answer depends on bytes at an offset that the packet gives, "
			"which no connection row holds");
	if (offset >= (uint32_t)ANCILLARY)
		return refuse_ancillary(offset - (uint32_t)ANCILLARY, message);
	if (offset >= fixed) {
		offset -= fixed;
		name = transport_find(class->protocol, offset, witness->size, &header);
		gap = gap_find(class, offset, witness->size);
	} else if (class->version == 4) {
		name = field_find(FIELDS(ipv4_fields), offset, witness->size, "the IP header");
	} else {
		name = field_find(FIELDS(ipv6_fields), offset, witness->size, "the IPv6 header");
	}
	if (witness->size == 1)
		snprintf(bytes, sizeof(bytes), "%s[%u]", header, offset);
	else
		snprintf(bytes, sizeof(bytes), "%s[%u:%u]", header, offset, witness->size);
	if (gap)
		return message_set(message, STATUS_USAGE,
				   "the answer depends on %s, %s, for which the table '%.100s' "
				   "(schema %.50s) has no column",
				   bytes, gap, class->gaps->table, class->gaps->schema);
	return message_set(message, STATUS_USAGE,
			   "the answer depends on %s, %s, which no connection row holds", bytes,
			   name);
}

enum status soundness_check(const struct program *program, const struct header_gaps *gaps,
			    struct message *message)
{
	static const struct abstract_class classes[] = {
		{.version = 4, .protocol = PROTOCOL_TCP},
		{.version = 4, .protocol = PROTOCOL_UDP},
		{.version = 4, .protocol = PROTOCOL_SCTP},
		{.version = 4, .protocol = PROTOCOL_ICMP},
		{.version = 4, .protocol = PROTOCOL_ICMP6},
		{.version = 4, .other = true},
		{.version = 6, .protocol = PROTOCOL_TCP},
		{.version = 6, .protocol = PROTOCOL_UDP},
		{.version = 6, .protocol = PROTOCOL_SCTP},
		{.version = 6, .protocol = PROTOCOL_ICMP6},
		{.version = 6, .protocol = PROTOCOL_ICMP},
		{.version = 6, .other = true},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		struct abstract_result result;
		struct abstract_witness witness;
		bool found = false;
		struct abstract_class class = classes[i];
		enum status status;
		enum abstract_limit limit;

		class.gaps = gaps;
		status = abstract_run(program, &class, &result, message);
		limit = result.limit;
		if (status == STATUS_OK && limit == ABSTRACT_NO_LIMIT)
			status = abstract_witness_find(&result, &found, &witness, message);
		abstract_result_free(&result);
		if (status != STATUS_OK)
			return status;
		if (found)
			return refuse(&class, &witness, message);
		if (limit != ABSTRACT_NO_LIMIT)
			return STATUS_OK;
	}
	return STATUS_OK;
}

enum status soundness_compile(const char *expression, const struct program_bounds *bounds,
			      struct program *program, struct message *message)
{
	bool gap;

	return soundness_compile_table(expression, NULL, bounds, program, &gap, message);
}

enum status soundness_compile_table(const char *expression, const struct header_gaps *gaps,
				    const struct program_bounds *bounds, struct program *program,
				    bool *gap, struct message *message)
{
	const struct header_gaps *lacking = gaps && header_gaps_any(gaps) ? gaps : NULL;
	struct message anywhere;
	enum status status = program_compile_bounded(expression, bounds, program, message);

	*gap = false;
	if (status != STATUS_OK)
		return status;
	status = soundness_check(program, lacking, message);
	if (status != STATUS_USAGE || !lacking)
		return status;
	/* Gaps only add to what is not held: what no row of any table holds is named first. */
	status = soundness_check(program, NULL, &anywhere);
	*gap = status == STATUS_OK;
	if (*gap)
		return STATUS_USAGE;
	*message = anywhere;
	return status;
}
