#include "unit.h"

#include <netdb.h>
#include <stdbool.h>
#include <string.h>

#include "packet/connection.h"
#include "packet/header.h"
#include "packet/protocol.h"

static struct field text_field(const char *text)
{
	return (struct field){.kind = FIELD_TEXT, .text = text, .length = strlen(text)};
}

static struct field integer_field(int64_t integer)
{
	return (struct field){.kind = FIELD_INTEGER, .integer = integer};
}

/* An accepted TCP connection from 198.51.100.9:4711 to 192.0.2.1:445. */
static void fill(struct field fields[ROLE_COUNT])
{
	memset(fields, 0, ROLE_COUNT * sizeof(*fields));
	fields[ROLE_TYPE] = text_field("accept");
	fields[ROLE_TRANSPORT] = text_field("tcp");
	fields[ROLE_SOURCE_HOST] = text_field("192.0.2.1");
	fields[ROLE_DESTINATION_HOST] = text_field("198.51.100.9");
	fields[ROLE_SOURCE_PORT] = integer_field(445);
	fields[ROLE_DESTINATION_PORT] = integer_field(4711);
}

static const struct reading dionaea = {.direction = DIRECTION_TYPE};
static const struct reading plain = {0};

static enum outcome outcome_with(enum role role, struct field field, struct connection *connection)
{
	struct field fields[ROLE_COUNT];

	fill(fields);
	fields[role] = field;
	return connection_read(fields, &dionaea, connection);
}

static void accept_reject_and_pending_come_from_the_remote_host(void **state)
{
	static const char *const types[] = {"accept", "reject", "pending"};
	struct connection connection;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(outcome_with(ROLE_TYPE, text_field(types[i]), &connection),
				 OUTCOME_HEADER);
		assert_int_equal(connection.source_port, 4711);
		assert_int_equal(connection.destination_port, 445);
		assert_int_equal(connection.source[0], 198);
		assert_int_equal(connection.destination[0], 192);
	}
}

static void connect_goes_to_the_remote_host(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(outcome_with(ROLE_TYPE, text_field("connect"), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.source_port, 445);
	assert_int_equal(connection.destination[0], 198);
}

static void a_listening_socket_is_no_connection_whatever_else_it_says(void **state)
{
	struct field fields[ROLE_COUNT];
	struct connection connection;

	(void)state;
	fill(fields);
	fields[ROLE_TYPE] = text_field("listen");
	fields[ROLE_TRANSPORT] = text_field("carrier pigeon");
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_LISTEN);
}

static void an_unknown_type_is_skipped(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(outcome_with(ROLE_TYPE, text_field("Accept"), &connection), OUTCOME_TYPE);
	assert_int_equal(outcome_with(ROLE_TYPE, text_field(""), &connection), OUTCOME_TYPE);
	assert_int_equal(outcome_with(ROLE_TYPE, (struct field){0}, &connection), OUTCOME_TYPE);
	assert_int_equal(outcome_with(ROLE_TYPE, integer_field(1), &connection), OUTCOME_TYPE);
}

static void a_log_without_types_goes_from_source_to_destination(void **state)
{
	struct field fields[ROLE_COUNT];
	struct connection connection;

	(void)state;
	fill(fields);
	fields[ROLE_TYPE] = (struct field){0};
	assert_int_equal(connection_read(fields, &plain, &connection), OUTCOME_HEADER);
	assert_int_equal(connection.source[0], 192);
}

static void transports_are_names_or_protocol_numbers(void **state)
{
	static const struct {
		const char *text;
		int protocol; /* -1: skipped */
	} cases[] = {{"tcp", 6},    {"tls", 6},	       {"udp", 17},
		     {"dtls", 17},  {"sctp", 132},     {"icmp", 1},
		     {"icmp6", 58}, {"ipv6-icmp", 58}, {"0", 0},
		     {"255", 255},  {"47", 47},	       {"256", -1},
		     {"-1", -1},    {"TCP", -1},       {"", -1},
		     {"6 ", -1},    {"unix", -1},      {"99999999999999999999", -1}};
	struct connection connection;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum outcome outcome =
			outcome_with(ROLE_TRANSPORT, text_field(cases[i].text), &connection);

		assert_int_equal(outcome,
				 cases[i].protocol < 0 ? OUTCOME_TRANSPORT : OUTCOME_HEADER);
		if (outcome == OUTCOME_HEADER)
			assert_int_equal(connection.protocol, cases[i].protocol);
	}
	assert_int_equal(outcome_with(ROLE_TRANSPORT, integer_field(17), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.protocol, 17);
	assert_int_equal(outcome_with(ROLE_TRANSPORT, integer_field(256), &connection),
			 OUTCOME_TRANSPORT);
}

static void a_missing_host_is_the_unspecified_one_of_the_other_family(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(outcome_with(ROLE_DESTINATION_HOST, (struct field){0}, &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.version, 4);
	assert_int_equal(connection.source[0], 0);
	assert_int_equal(outcome_with(ROLE_DESTINATION_HOST, text_field(""), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(outcome_with(ROLE_DESTINATION_HOST, text_field("::1"), &connection),
			 OUTCOME_FAMILY);
	assert_int_equal(outcome_with(ROLE_DESTINATION_HOST, text_field("::"), &connection),
			 OUTCOME_FAMILY);
	assert_int_equal(
		outcome_with(ROLE_DESTINATION_HOST, text_field("::ffff:1.2.3.4"), &connection),
		OUTCOME_HEADER);
	assert_int_equal(connection.version, 4);
}

static void a_host_that_is_no_address_is_skipped(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(outcome_with(ROLE_SOURCE_HOST, text_field("example.org"), &connection),
			 OUTCOME_ADDRESS);
	assert_int_equal(outcome_with(ROLE_SOURCE_HOST, integer_field(16909060), &connection),
			 OUTCOME_ADDRESS);
}

static void ports_are_numbers_from_0_to_65535(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT, text_field("65535"), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.destination_port, 65535);
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT, (struct field){0}, &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.destination_port, 0);
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT, text_field("65536"), &connection),
			 OUTCOME_PORT);
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT, text_field("0x1bd"), &connection),
			 OUTCOME_PORT);
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT, integer_field(-1), &connection),
			 OUTCOME_PORT);
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT,
				      (struct field){.kind = FIELD_REAL, .real = 443.5},
				      &connection),
			 OUTCOME_PORT);
}

static void a_whole_number_is_one_in_every_storage_class(void **state)
{
	static const struct field whole[] = {{.kind = FIELD_INTEGER, .integer = 443},
					     {.kind = FIELD_REAL, .real = 443.0},
					     {.kind = FIELD_TEXT, .text = "443", .length = 3},
					     {.kind = FIELD_TEXT, .text = "443.0", .length = 5},
					     {.kind = FIELD_TEXT, .text = "0443.", .length = 5}};
	static const struct field none[] = {
		{.kind = FIELD_REAL, .real = 443.5},
		{.kind = FIELD_REAL, .real = -1.0},
		{.kind = FIELD_REAL, .real = 65536.0},
		{.kind = FIELD_TEXT, .text = "443.5", .length = 5},
		{.kind = FIELD_TEXT, .text = ".0", .length = 2},
		{.kind = FIELD_TEXT, .text = "443.0.", .length = 6},
		{.kind = FIELD_TEXT, .text = "4.43e2", .length = 6},
		{.kind = FIELD_TEXT, .text = " 443", .length = 4},
		{.kind = FIELD_BLOB, .text = "443", .length = 3},
		{.kind = FIELD_TEXT, .text = "99999999999999999999", .length = 20}};
	struct connection connection;

	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		assert_int_equal(outcome_with(ROLE_SOURCE_PORT, whole[i], &connection),
				 OUTCOME_HEADER);
		assert_int_equal(connection.destination_port, 443);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(outcome_with(ROLE_SOURCE_PORT, none[i], &connection),
				 OUTCOME_PORT);
	assert_int_equal(outcome_with(ROLE_TRANSPORT,
				      (struct field){.kind = FIELD_REAL, .real = 17.0},
				      &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.protocol, 17);
}

static void empty_text_is_no_port(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(outcome_with(ROLE_SOURCE_PORT, text_field(""), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(connection.destination_port, 0);
}

static void a_protocol_without_ports_does_not_judge_them(void **state)
{
	static const char *const transports[] = {"47", "icmp", "58", "0"};
	static const char *const ports[] = {"", "-", "99999", "unknown"};

	(void)state;
	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++)
		for (size_t j = 0; j < sizeof(ports) / sizeof(*ports); j++) {
			struct field fields[ROLE_COUNT];
			struct connection connection;

			fill(fields);
			fields[ROLE_TRANSPORT] = text_field(transports[i]);
			fields[ROLE_SOURCE_PORT] = text_field(ports[j]);
			assert_int_equal(connection_read(fields, &dionaea, &connection),
					 OUTCOME_HEADER);
			assert_int_equal(connection.source_port, 0);
			assert_int_equal(connection.destination_port, 0);
		}
}

/* Of Zeek's ports of ICMP the second is a code only where there is no answer to wait for. */
static void zeeks_icmp_has_the_type_of_the_answer(void **state)
{
	static const struct {
		uint8_t version, type, second, code;
	} cases[] = {{4, 8, 0, 0},     {4, 0, 8, 0},	 {4, 13, 14, 0},   {4, 17, 18, 0},
		     {4, 10, 9, 0},    {4, 3, 3, 3},	 {4, 11, 1, 1},	   {4, 5, 0, 0},
		     {6, 128, 129, 0}, {6, 135, 136, 0}, {6, 130, 131, 0}, {6, 139, 140, 0},
		     {6, 145, 144, 0}, {6, 1, 4, 4},	 {6, 3, 1, 1},	   {6, 143, 0, 0}};
	const struct reading zeek = {.icmp = ICMP_ZEEK, .icmp_family = true};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct field fields[ROLE_COUNT];
		struct connection connection;

		fill(fields);
		fields[ROLE_SOURCE_HOST] =
			text_field(cases[i].version == 4 ? "192.0.2.1" : "2001:db8::1");
		fields[ROLE_DESTINATION_HOST] =
			text_field(cases[i].version == 4 ? "192.0.2.2" : "2001:db8::2");
		fields[ROLE_TRANSPORT] = text_field("icmp");
		fields[ROLE_SOURCE_PORT] = integer_field(cases[i].type);
		fields[ROLE_DESTINATION_PORT] = integer_field(cases[i].second);
		assert_int_equal(connection_read(fields, &zeek, &connection), OUTCOME_HEADER);
		assert_true(connection.has_icmp);
		assert_int_equal(connection.icmp_type, cases[i].type);
		assert_int_equal(connection.icmp_code, cases[i].code);
	}
}

static void netflows_icmp_is_in_the_destination_port(void **state)
{
	const struct reading netflow = {.icmp = ICMP_NETFLOW};
	struct field fields[ROLE_COUNT];
	struct connection connection;

	(void)state;
	fill(fields);
	fields[ROLE_TRANSPORT] = text_field("icmp");
	fields[ROLE_SOURCE_PORT] = integer_field(0);
	fields[ROLE_DESTINATION_PORT] = integer_field(3 * 256 + 13);
	assert_int_equal(connection_read(fields, &netflow, &connection), OUTCOME_HEADER);
	assert_true(connection.has_icmp);
	assert_int_equal(connection.icmp_type, 3);
	assert_int_equal(connection.icmp_code, 13);
	fields[ROLE_DESTINATION_PORT] = text_field("");
	assert_int_equal(connection_read(fields, &netflow, &connection), OUTCOME_HEADER);
	assert_false(connection.has_icmp);
	fields[ROLE_DESTINATION_PORT] = integer_field(65536);
	assert_int_equal(connection_read(fields, &netflow, &connection), OUTCOME_PORT);
}

static void the_ipv4_header_is_24_bytes_with_a_correct_checksum(void **state)
{
	static const uint8_t expected[24] = {0x45, 0, 0,    40,	  0,	0,    0,    0,
					     64,   6, 0x91, 0xb8, 198,	51,   100,  9,
					     192,  0, 2,    1,	  0x12, 0x67, 0x01, 0xbd};
	struct field fields[ROLE_COUNT];
	struct connection connection;
	uint8_t header[HEADER_IPV4_SIZE];
	unsigned sum = 0;

	(void)state;
	fill(fields);
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_HEADER);
	assert_int_equal(header_build(&connection, header), 24);
	/* A correct header sums to 0xffff (RFC 1071). */
	for (size_t i = 0; i < 20; i += 2)
		sum += (unsigned)header[i] << 8 | header[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	for (size_t i = 0; i < sizeof(expected); i++)
		if (i != 10 && i != 11)
			assert_int_equal(header[i], expected[i]);
	assert_int_equal(header_wire_length(header), 40);
}

static void the_ipv6_header_is_44_bytes(void **state)
{
	struct field fields[ROLE_COUNT];
	struct connection connection;
	uint8_t header[HEADER_IPV6_SIZE];

	(void)state;
	fill(fields);
	fields[ROLE_SOURCE_HOST] = text_field("2001:db8::1");
	fields[ROLE_DESTINATION_HOST] = text_field("2001:db8::2");
	fields[ROLE_TRANSPORT] = text_field("udp");
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_HEADER);
	assert_int_equal(header_build(&connection, header), 44);
	assert_int_equal(header[0], 0x60);
	assert_int_equal(header[6], 17);
	assert_int_equal(header[7], 64);
	assert_int_equal(header[23], 2);
	assert_int_equal(header[39], 1);
	assert_int_equal(header[42] << 8 | header[43], 445);
	assert_int_equal(header_wire_length(header), 48);
}

static void a_protocol_without_ports_ends_behind_the_ip_header(void **state)
{
	struct connection connection;
	uint8_t header[HEADER_IPV4_SIZE];

	(void)state;
	assert_int_equal(outcome_with(ROLE_TRANSPORT, text_field("47"), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(header_build(&connection, header), 20);
	assert_int_equal(outcome_with(ROLE_TRANSPORT, text_field("icmp"), &connection),
			 OUTCOME_HEADER);
	assert_int_equal(header_build(&connection, header), 20);
}

static void icmp_has_type_and_code_where_the_log_has_both(void **state)
{
	struct field fields[ROLE_COUNT];
	struct connection connection;
	uint8_t header[HEADER_IPV4_SIZE];

	(void)state;
	fill(fields);
	fields[ROLE_TRANSPORT] = text_field("icmp");
	fields[ROLE_ICMP_TYPE] = integer_field(3);
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_HEADER);
	assert_int_equal(header_build(&connection, header), 20);
	fields[ROLE_ICMP_CODE] = text_field("13");
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_HEADER);
	assert_int_equal(header_build(&connection, header), 22);
	assert_int_equal(header[20], 3);
	assert_int_equal(header[21], 13);
	fields[ROLE_ICMP_CODE] = integer_field(256);
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_PORT);
	fields[ROLE_TRANSPORT] = text_field("tcp");
	assert_int_equal(connection_read(fields, &dionaea, &connection), OUTCOME_HEADER);
}

static enum outcome host_outcome(enum host_encoding hosts, struct field host,
				 struct connection *connection)
{
	const struct reading reading = {.hosts = hosts};
	struct field fields[ROLE_COUNT];

	fill(fields);
	fields[ROLE_SOURCE_HOST] = host;
	return connection_read(fields, &reading, connection);
}

static void hosts_are_read_as_they_are_encoded(void **state)
{
	static const struct {
		enum host_encoding hosts;
		int64_t number;
		uint8_t bytes[4]; /* all 0: no address */
	} cases[] = {
		{HOST_INTEGER, 167772161, {10, 0, 0, 1}},
		{HOST_INTEGER, 3405803976, {203, 0, 113, 200}},
		{HOST_INTEGER, 3405803976 - (INT64_C(1) << 32), {203, 0, 113, 200}},
		{HOST_INTEGER, INT64_C(1) << 32, {0}},
		{HOST_INTEGER, -(INT64_C(1) << 31) - 1, {0}},
		{HOST_NETWORK, 16777226, {10, 0, 0, 1}},
		{HOST_NETWORK, 3362848971, {203, 0, 113, 200}},
		{HOST_NETWORK, 3362848971 - (INT64_C(1) << 32), {203, 0, 113, 200}},
		{HOST_TEXT, 167772161, {0}},
		{HOST_BLOB, 167772161, {0}},
	};
	struct connection connection;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const bool is_address = cases[i].bytes[0] != 0;

		assert_int_equal(
			host_outcome(cases[i].hosts, integer_field(cases[i].number), &connection),
			is_address ? OUTCOME_HEADER : OUTCOME_ADDRESS);
		if (is_address)
			assert_memory_equal(connection.source, cases[i].bytes, 4);
	}
	for (int hosts = 0; hosts < HOST_ENCODINGS; hosts++) {
		assert_int_equal(host_outcome((enum host_encoding)hosts, text_field("192.0.2.77"),
					      &connection),
				 OUTCOME_HEADER);
		assert_int_equal(connection.source[3], 77);
		assert_int_equal(
			host_outcome((enum host_encoding)hosts, text_field("x"), &connection),
			OUTCOME_ADDRESS);
	}
	assert_int_equal(host_outcome(HOST_INTEGER, text_field("-2"), &connection), OUTCOME_HEADER);
	assert_int_equal(connection.source[3], 254);
}

static void hosts_of_bytes_are_4_or_16(void **state)
{
	static const char bytes[16] = {10, 0, 0, 9};
	struct connection connection;

	(void)state;
	for (size_t length = 0; length <= 16; length++) {
		const struct field blob = {.kind = FIELD_BLOB, .text = bytes, .length = length};
		const enum outcome outcome = host_outcome(HOST_BLOB, blob, &connection);

		assert_int_equal(outcome, length == 0 || length == 4 ? OUTCOME_HEADER
					  : length == 16	     ? OUTCOME_FAMILY
								     : OUTCOME_ADDRESS);
		if (length == 4)
			assert_memory_equal(connection.source, bytes, 4);
		assert_int_equal(host_outcome(HOST_TEXT, blob, &connection), OUTCOME_ADDRESS);
	}
}

static void a_flag_tells_the_direction(void **state)
{
	static const struct {
		enum direction_encoding direction;
		struct field flag;
		enum outcome outcome;
		uint16_t source_port;
	} cases[] = {
		{DIRECTION_INBOUND, {.kind = FIELD_INTEGER, .integer = 0}, OUTCOME_HEADER, 445},
		{DIRECTION_INBOUND, {.kind = FIELD_INTEGER, .integer = 1}, OUTCOME_HEADER, 4711},
		{DIRECTION_OUTBOUND, {.kind = FIELD_INTEGER, .integer = 1}, OUTCOME_HEADER, 445},
		{DIRECTION_OUTBOUND,
		 {.kind = FIELD_TEXT, .text = "FALSE", .length = 5},
		 OUTCOME_HEADER,
		 4711},
		{DIRECTION_INBOUND,
		 {.kind = FIELD_TEXT, .text = "1", .length = 1},
		 OUTCOME_HEADER,
		 4711},
		{DIRECTION_INBOUND,
		 {.kind = FIELD_TEXT, .text = "yes", .length = 3},
		 OUTCOME_TYPE,
		 0},
		{DIRECTION_INBOUND, {.kind = FIELD_NULL}, OUTCOME_TYPE, 0},
		{DIRECTION_WORD,
		 {.kind = FIELD_TEXT, .text = "Inbound", .length = 7},
		 OUTCOME_HEADER,
		 4711},
		{DIRECTION_WORD,
		 {.kind = FIELD_TEXT, .text = "accept", .length = 6},
		 OUTCOME_TYPE,
		 0},
		{DIRECTION_TYPE, {.kind = FIELD_TEXT, .text = "in", .length = 2}, OUTCOME_TYPE, 0},
	};
	struct field fields[ROLE_COUNT];
	struct connection connection;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct reading reading = {.direction = cases[i].direction};

		fill(fields);
		fields[ROLE_TYPE] = cases[i].flag;
		assert_int_equal(connection_read(fields, &reading, &connection), cases[i].outcome);
		if (cases[i].outcome == OUTCOME_HEADER)
			assert_int_equal(connection.source_port, cases[i].source_port);
	}
}

static void more_names_of_transports_count_only_where_they_may(void **state)
{
	static const struct {
		const char *name;
		int protocol;
	} names[] = {{"TCP", 6}, {"Gre", 47}, {"tcp6", 6}, {"icmpv6", 58}, {"ospf", 89}};
	const struct reading any_case = {.any_case = true};
	struct field fields[ROLE_COUNT];
	struct connection connection;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		fill(fields);
		fields[ROLE_TRANSPORT] = text_field(names[i].name);
		assert_int_equal(connection_read(fields, &plain, &connection), OUTCOME_TRANSPORT);
		assert_int_equal(connection_read(fields, &any_case, &connection), OUTCOME_HEADER);
		assert_int_equal(connection.protocol, names[i].protocol);
	}
}

static void names_of_protocols_are_those_of_the_system(void **state)
{
	static const char *const of_pmacct[] = {
		"ip",	     "icmp", "igmp",   "ggp", "ipencap", "tcp", "egp",	"igp",
		"udp",	     "idp",  "ipv6",   "gre", "esp",	 "ah",	"ospf", "ipip",
		"ipv6-icmp", "isis", "hopopt", "pim", "vrrp",	 "sctp"};
	struct protoent *entry;
	uint8_t protocol;
	size_t known = 0;

	(void)state;
	setprotoent(1);
	while ((entry = getprotoent())) {
		if (!protocol_find(entry->p_name, strlen(entry->p_name), &protocol))
			continue;
		known++;
		assert_int_equal(protocol, entry->p_proto);
	}
	endprotoent();
	/* Where the system has a list at all. */
	assert_true(known == 0 || known > 30);
	for (size_t i = 0; i < sizeof(of_pmacct) / sizeof(*of_pmacct); i++)
		assert_true(protocol_find(of_pmacct[i], strlen(of_pmacct[i]), &protocol));
	assert_false(protocol_find("pigeon", 6, &protocol));
	assert_true(protocol_find("255", 3, &protocol));
	assert_false(protocol_find("256", 3, &protocol));
}

static void icmp_between_ipv6_hosts_is_icmpv6_with_its_type_in_the_ports(void **state)
{
	const struct reading reading = {.icmp = ICMP_PORTS, .icmp_family = true};
	struct field fields[ROLE_COUNT];
	struct connection connection;

	(void)state;
	fill(fields);
	fields[ROLE_TRANSPORT] = text_field("icmp");
	fields[ROLE_SOURCE_PORT] = integer_field(128);
	fields[ROLE_DESTINATION_PORT] = integer_field(0);
	assert_int_equal(connection_read(fields, &reading, &connection), OUTCOME_HEADER);
	assert_int_equal(connection.protocol, PROTOCOL_ICMP);
	assert_int_equal(connection.icmp_type, 128);
	assert_int_equal(connection.source_port, 0);
	fields[ROLE_SOURCE_HOST] = text_field("2001:db8::1");
	fields[ROLE_DESTINATION_HOST] = text_field("2001:db8::2");
	assert_int_equal(connection_read(fields, &reading, &connection), OUTCOME_HEADER);
	assert_int_equal(connection.protocol, PROTOCOL_ICMP6);
	fields[ROLE_SOURCE_PORT] = integer_field(256);
	assert_int_equal(connection_read(fields, &reading, &connection), OUTCOME_PORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_reject_and_pending_come_from_the_remote_host),
		cmocka_unit_test(connect_goes_to_the_remote_host),
		cmocka_unit_test(a_listening_socket_is_no_connection_whatever_else_it_says),
		cmocka_unit_test(an_unknown_type_is_skipped),
		cmocka_unit_test(a_log_without_types_goes_from_source_to_destination),
		cmocka_unit_test(transports_are_names_or_protocol_numbers),
		cmocka_unit_test(a_missing_host_is_the_unspecified_one_of_the_other_family),
		cmocka_unit_test(a_host_that_is_no_address_is_skipped),
		cmocka_unit_test(ports_are_numbers_from_0_to_65535),
		cmocka_unit_test(a_whole_number_is_one_in_every_storage_class),
		cmocka_unit_test(empty_text_is_no_port),
		cmocka_unit_test(a_protocol_without_ports_does_not_judge_them),
		cmocka_unit_test(zeeks_icmp_has_the_type_of_the_answer),
		cmocka_unit_test(netflows_icmp_is_in_the_destination_port),
		cmocka_unit_test(the_ipv4_header_is_24_bytes_with_a_correct_checksum),
		cmocka_unit_test(the_ipv6_header_is_44_bytes),
		cmocka_unit_test(a_protocol_without_ports_ends_behind_the_ip_header),
		cmocka_unit_test(icmp_has_type_and_code_where_the_log_has_both),
		cmocka_unit_test(hosts_are_read_as_they_are_encoded),
		cmocka_unit_test(hosts_of_bytes_are_4_or_16),
		cmocka_unit_test(a_flag_tells_the_direction),
		cmocka_unit_test(more_names_of_transports_count_only_where_they_may),
		cmocka_unit_test(names_of_protocols_are_those_of_the_system),
		cmocka_unit_test(icmp_between_ipv6_hosts_is_icmpv6_with_its_type_in_the_ports),
	};

	return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
