#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "packet/connection.h"
#include "random.h"

enum { ROWS = 4000 };

static struct field text_field(const char *text)
{
	return (struct field){.kind = FIELD_TEXT, .text = text, .length = strlen(text)};
}

/* Words that are known, and some that differ from them in little. */
static struct field word_random(uint64_t *seed)
{
	static const char *const words[] = {
		"tcp",	  "udp",       "TCP",	  "tls",      "sctp",	 "icmp",
		"icmp6",  "ipv6-icmp", "17",	  "6",	      "256",	 "",
		"tcp ",	  "tc",	       "tcpx",	  "accept",   "connect", "listen",
		"reject", "pending",   "inbound", "outbound", "in",	 "out",
		"0",	  "1",	       "true",	  "accepted", "accepte", "longer than a word",
		"\tcp",	  "t",	       "\0\0\0"};
	static const char zeros[2];

	/* Zeros are bytes like others. */
	if (random_below(seed, 32) == 0)
		return (struct field){
			.kind = FIELD_TEXT, .text = zeros, .length = random_below(seed, 3)};
	return text_field(words[random_below(seed, sizeof(words) / sizeof(*words))]);
}

/* One of few hosts, or any, in text that lives as long as the row. */
static struct field host_random(uint64_t *seed, char text[static 64])
{
	static const char *const shapes[] = {"10.0.%u.%u",
					     "192.0.2.%u%u",
					     "2001:db8::%x:%x",
					     "::ffff:10.0.%u.%u",
					     "fe80::%u%%eth%u",
					     "host%u-%u",
					     "2001:DB8:0:0::%x%x",
					     "2001:0db8:0000:0000:0000:0000:00%02x:00%02x",
					     "%.0u%.0u"};
	const unsigned range = random_below(seed, 2) ? 3 : 300;
	const unsigned first = random_below(seed, range);
	const unsigned second = random_below(seed, range);
	struct field field;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, 64, shapes[random_below(seed, 9)], first, second);
#pragma GCC diagnostic pop
	field = text_field(text);
	if (random_below(seed, 20) == 0)
		field.kind = FIELD_BLOB;
	return field;
}

static struct field value_random(uint64_t *seed)
{
	switch (random_below(seed, 6)) {
	case 0:
		return (struct field){.kind = FIELD_NULL};
	case 1:
		return (struct field){.kind = FIELD_REAL, .real = (double)random_below(seed, 300)};
	case 2:
		return word_random(seed);
	default:
		return (struct field){.kind = FIELD_INTEGER,
				      .integer = (int64_t)random_below(seed, 70000) - 100};
	}
}

/* What makes a header, mostly. */
static struct field usual_value(uint64_t *seed, int role, enum direction_encoding encoding,
				char text[static 64])
{
	static const char *const transports[] = {"tcp", "udp", "icmp", "tls"};
	static const char *const directions[DIRECTION_ENCODINGS][2] = {
		[DIRECTION_FIXED] = {"", ""},	       [DIRECTION_TYPE] = {"accept", "connect"},
		[DIRECTION_WORD] = {"in", "outbound"}, [DIRECTION_INBOUND] = {"0", "1"},
		[DIRECTION_OUTBOUND] = {"true", "0"},
	};

	if (role == ROLE_TYPE)
		return text_field(directions[encoding][random_below(seed, 2)]);
	if (role == ROLE_TRANSPORT)
		return text_field(transports[random_below(seed, 4)]);
	if (role == ROLE_SOURCE_HOST || role == ROLE_DESTINATION_HOST)
		return host_random(seed, text);
	if (role == ROLE_SOURCE_PORT || role == ROLE_DESTINATION_PORT)
		return (struct field){.kind = FIELD_INTEGER,
				      .integer = (int64_t)random_below(seed, 66000)};
	return (struct field){.kind = FIELD_NULL};
}

static void row_random(uint64_t *seed, enum direction_encoding encoding,
		       struct field fields[ROLE_COUNT], char texts[ROLE_COUNT][64])
{
	for (int role = 0; role < ROLE_COUNT; role++)
		fields[role] = random_below(seed, 24)
				       ? usual_value(seed, role, encoding, texts[role])
				       : value_random(seed);
}

static struct reading reading_random(uint64_t *seed)
{
	return (struct reading){
		.hosts = (enum host_encoding)random_below(seed, HOST_ENCODINGS),
		.direction = (enum direction_encoding)random_below(seed, DIRECTION_ENCODINGS),
		.any_case = random_below(seed, 2),
		.icmp = (enum icmp_encoding)random_below(seed, ICMP_ENCODINGS),
		.icmp_family = random_below(seed, 2),
	};
}

static void connections_equal(const struct connection *a, const struct connection *b)
{
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->protocol, b->protocol);
	assert_memory_equal(a->source, b->source, sizeof(a->source));
	assert_memory_equal(a->destination, b->destination, sizeof(a->destination));
	assert_int_equal(a->source_port, b->source_port);
	assert_int_equal(a->destination_port, b->destination_port);
	assert_int_equal(a->has_icmp, b->has_icmp);
	if (a->has_icmp) {
		assert_int_equal(a->icmp_type, b->icmp_type);
		assert_int_equal(a->icmp_code, b->icmp_code);
	}
}

static void a_row_reads_the_same_whatever_came_before_it(void **state)
{
	uint64_t seed = 5;
	const size_t rounds = random_rounds(40);
	size_t headers = 0;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		const struct reading reading = reading_random(&seed);
		struct connection_memo *memo = connection_memo_new();

		assert_non_null(memo);
		for (size_t row = 0; row < ROWS; row++) {
			struct field fields[ROLE_COUNT];
			char texts[ROLE_COUNT][64];
			struct connection next;
			struct connection alone;
			enum outcome outcome;

			row_random(&seed, reading.direction, fields, texts);
			outcome = connection_read(fields, &reading, &alone);
			assert_int_equal(connection_read_next(memo, fields, &reading, &next),
					 outcome);
			headers += outcome == OUTCOME_HEADER;
			if (outcome == OUTCOME_HEADER)
				connections_equal(&next, &alone);
		}
		connection_memo_free(memo);
	}
	/* Or else too little was compared. */
	assert_true(headers > rounds * ROWS / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_reads_the_same_whatever_came_before_it),
	};

	return cmocka_run_group_tests_name("connection_memo", tests, NULL, NULL);
}
