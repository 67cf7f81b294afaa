#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "filter/program.h"
#include "packet/header.h"
#include "pcap_grammar.h"
#include "random.h"

static void a_program_accepts_the_rows_it_should(void **state)
{
	struct connection connection = {.version = 4, .protocol = 6, .destination_port = 445};
	uint8_t header[HEADER_IPV6_SIZE];
	struct program program;
	struct message message;
	size_t captured = header_build(&connection, header);

	(void)state;
	assert_int_equal(program_compile("tcp dst port 445", &program, &message), STATUS_OK);
	assert_true(program_matches(&program, header, 40, (uint32_t)captured));
	connection.destination_port = 446;
	header_build(&connection, header);
	assert_false(program_matches(&program, header, 40, (uint32_t)captured));
	program_free(&program);
}

static void a_load_behind_the_captured_bytes_rejects(void **state)
{
	struct connection connection = {.version = 4, .protocol = 47};
	uint8_t header[HEADER_IPV6_SIZE];
	struct program program;
	struct message message;

	(void)state;
	assert_int_equal(header_build(&connection, header), 20);
	assert_int_equal(program_compile("not ip[20] = 1", &program, &message), STATUS_OK);
	assert_false(program_matches(&program, header, 20, 20));
	program_free(&program);
}

static void an_error_is_libpcaps(void **state)
{
	struct program program;
	struct message message;

	(void)state;
	assert_int_equal(program_compile("tcp dst port 445 and", &program, &message), STATUS_USAGE);
	assert_non_null(strstr(message.text, "syntax error"));
	assert_int_equal(program_compile("port 65536", &program, &message), STATUS_USAGE);
}

static void an_expression_that_matches_nothing_is_a_program_all_the_same(void **state)
{
	struct connection connection = {.version = 4, .protocol = 6};
	uint8_t header[HEADER_IPV6_SIZE];
	struct program program;
	struct message message;
	size_t captured = header_build(&connection, header);

	(void)state;
	assert_int_equal(program_compile("tcp and udp", &program, &message), STATUS_OK);
	assert_false(program_matches(&program, header, 40, (uint32_t)captured));
	program_free(&program);
}

static char *or_list(const char *term, unsigned count)
{
	char *text = malloc((size_t)count * 32 + 1);
	size_t length = 0;

	for (unsigned i = 0; i < count; i++) {
		length += (size_t)sprintf(text + length, "%s", i ? " or " : "");
		length += (size_t)sprintf(text + length, term, i / 256 + 1, i % 256);
	}
	return text;
}

static void a_thousand_hosts_compile_within_the_bounds(void **state)
{
	char *text = or_list("host 10.0.%u.%u", 1000);
	struct connection connection = {.version = 4, .protocol = 6, .source = {10, 0, 4, 231}};
	uint8_t header[HEADER_IPV6_SIZE];
	struct program program;
	struct message message;
	size_t captured = header_build(&connection, header);

	(void)state;
	if (program_compile(text, &program, &message) != STATUS_OK)
		fail_msg("%s", message.text);
	assert_true(program_matches(&program, header, 40, (uint32_t)captured));
	connection.source[3] = 232;
	header_build(&connection, header);
	assert_false(program_matches(&program, header, 40, (uint32_t)captured));
	program_free(&program);
	free(text);
}

static void what_would_compile_for_minutes_is_refused(void **state)
{
	char *text = or_list("port %u%03u", 3500);
	struct program program;
	struct message message;
	time_t start = time(NULL);

	(void)state;
	assert_int_equal(program_compile(text, &program, &message), STATUS_USAGE);
	assert_non_null(strstr(message.text, "split it"));
	assert_true(time(NULL) - start < 120);
	free(text);
}

static void a_too_long_expression_is_refused(void **state)
{
	char *text = malloc(PROGRAM_EXPRESSION_MAX + 2);
	struct program program;
	struct message message;

	(void)state;
	memset(text, ' ', PROGRAM_EXPRESSION_MAX + 1);
	text[PROGRAM_EXPRESSION_MAX + 1] = '\0';
	assert_int_equal(program_compile(text, &program, &message), STATUS_USAGE);
	free(text);
}

static void random_connection(uint64_t *seed, struct connection *connection)
{
	static const uint8_t protocols[] = {6, 17, 132, 1, 58, 0, 43, 44, 51, 60, 2, 50};

	*connection = (struct connection){
		.version = random_below(seed, 2) ? 4 : 6,
		.protocol = random_below(seed, 4) ? protocols[random_below(seed, 12)]
						  : (uint8_t)random_next(seed),
		.has_icmp = random_below(seed, 2),
		.icmp_type = (uint8_t)random_below(seed, 16),
		.source_port = random_below(seed, 2) ? 445 : (uint16_t)random_next(seed),
		.destination_port = random_below(seed, 2) ? 53 : (uint16_t)random_next(seed),
	};
	for (size_t i = 0; i < 16; i++) {
		connection->source[i] = (uint8_t)(random_below(seed, 4) * 10);
		connection->destination[i] = (uint8_t)(random_below(seed, 4) * 10);
	}
	if (connection->version == 6 && random_below(seed, 2))
		memcpy(connection->source, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	if (connection->version == 4 && random_below(seed, 2))
		memcpy(connection->destination, "\x0a\0\0\1", 4);
}

/*
 * The optimiser drops loads whose value decides nothing, and with them the
 * rejection of packets that end before them. So the headers here are followed
 * by zeros enough that no load is out of reach, and any difference left is a
 * wrong program.
 */
static void optimised_and_unoptimised_programs_agree_on_whole_packets(void **state)
{
	uint64_t seed = 9;
	size_t rounds = random_rounds(3000);
	size_t compiled = 0;

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		char text[512];
		struct program plain;
		struct program optimised;
		struct message message;

		pcap_grammar_expression(&seed, text, sizeof(text));
		if (program_compile_directly(text, false, &plain, &message) != STATUS_OK)
			continue;
		/* The optimiser refuses what it finds to reject every packet. */
		if (program_compile_directly(text, true, &optimised, &message) != STATUS_OK) {
			program_free(&plain);
			continue;
		}
		compiled++;
		for (int i = 0; i < 50; i++) {
			struct connection connection;
			uint8_t packet[512] = {0};
			uint32_t wire;

			random_connection(&seed, &connection);
			header_build(&connection, packet);
			wire = header_wire_length(packet);
			if (program_matches(&plain, packet, wire, sizeof(packet)) !=
			    program_matches(&optimised, packet, wire, sizeof(packet)))
				fail_msg("'%s': the optimised program differs", text);
		}
		program_free(&plain);
		program_free(&optimised);
	}
	assert_true(compiled > rounds / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_accepts_the_rows_it_should),
		cmocka_unit_test(a_load_behind_the_captured_bytes_rejects),
		cmocka_unit_test(an_error_is_libpcaps),
		cmocka_unit_test(an_expression_that_matches_nothing_is_a_program_all_the_same),
		cmocka_unit_test(a_thousand_hosts_compile_within_the_bounds),
		cmocka_unit_test(what_would_compile_for_minutes_is_refused),
		cmocka_unit_test(a_too_long_expression_is_refused),
		cmocka_unit_test(optimised_and_unoptimised_programs_agree_on_whole_packets),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
