/*
 * libpcap's optimiser beside its plain programs: which of its mistakes are
 * told, on random expressions of hosts, networks, ports and nesting, and on
 * those that libpcap's own issues know.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "condition/program_difference.h"
#include "filter/soundness.h"
#include "packet/header.h"
#include "pcap_grammar.h"
#include "random.h"

enum { TEXT_MAX = 512, PACKETS = 200, PACKET_MAX = 512 };

/* So few hosts and ports that terms of an expression have something to do with each other. */
static void random_term(uint64_t *seed, char *text)
{
	static const char *const terms[] = {"host 10.0.0.1",
					    "host 10.0.0.2",
					    "host 20.0.0.1",
					    "src host 10.0.0.1",
					    "dst host 10.0.0.2",
					    "net 10.0.0.0/8",
					    "src net 20.0.0.0/8",
					    "port 53",
					    "port 445",
					    "src port 53",
					    "dst port 445",
					    "portrange 50-60",
					    "tcp",
					    "udp",
					    "icmp",
					    "ip6",
					    "ip",
					    "tcp port 445",
					    "udp dst port 53",
					    "sctp",
					    "icmp6",
					    "ip proto 47",
					    "net 2001:db8::/32"};

	strcat(text, terms[random_below(seed, sizeof(terms) / sizeof(*terms))]);
}

static void random_nested(uint64_t *seed, unsigned depth, char *text)
{
	if (random_below(seed, 4) == 0)
		strcat(text, "not ");
	if (depth == 0 || random_below(seed, 3) == 0) {
		random_term(seed, text);
		return;
	}
	strcat(text, "(");
	random_nested(seed, depth - 1, text);
	for (unsigned i = 0; i <= random_below(seed, 2); i++) {
		strcat(text, random_below(seed, 2) ? " and " : " or ");
		random_nested(seed, depth - 1, text);
	}
	strcat(text, ")");
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

/* A packet that ends nowhere early: zeros follow, as far as any load may go. */
static bool packets_differ(uint64_t *seed, const struct program *plain,
			   const struct program *optimised)
{
	for (int i = 0; i < PACKETS; i++) {
		struct connection connection;
		uint8_t packet[PACKET_MAX] = {0};
		uint32_t wire;

		random_connection(seed, &connection);
		header_build(&connection, packet);
		wire = header_wire_length(packet);
		if (program_matches(plain, packet, wire, sizeof(packet)) !=
		    program_matches(optimised, packet, wire, sizeof(packet)))
			return true;
	}
	return false;
}

/* What came of the expressions. */
struct tally {
	size_t compiled;
	size_t refused; /* by the optimiser: it finds no packet that matches */
	size_t verdicts[PROGRAMS_UNDECIDED + 1];
	size_t seen; /* differences that the packets show */
};

static void text_compare(uint64_t *seed, const char *text, struct tally *tally)
{
	struct program plain;
	struct program optimised;
	struct message message;
	enum program_difference verdict;
	bool differ;

	if (soundness_compile(text, NULL, &plain, &message) != STATUS_OK) {
		program_free(&plain);
		return;
	}
	tally->compiled++;
	if (program_compile_directly(text, true, &optimised, &message) != STATUS_OK) {
		tally->refused++;
		program_free(&plain);
		return;
	}
	assert_int_equal(program_difference_find(&plain, &optimised, &verdict, &message),
			 STATUS_OK);
	differ = packets_differ(seed, &plain, &optimised);
	tally->verdicts[verdict]++;
	tally->seen += differ;
	if (differ && verdict == PROGRAMS_AGREE)
		fail_msg("'%s': packets show a difference that was not found", text);
	if (!differ && verdict == PROGRAMS_DIFFER && getenv("CONNBITS_SHOW"))
		printf("told, and on no packet of the test: %s\n", text);
	program_free(&plain);
	program_free(&optimised);
}

static void tally_print(const char *what, const struct tally *tally)
{
	printf("%s: %zu expressions, %zu refused by the optimiser; programs agree %zu, differ %zu "
	       "(packets show %zu), undecided %zu\n",
	       what, tally->compiled, tally->refused, tally->verdicts[PROGRAMS_AGREE],
	       tally->verdicts[PROGRAMS_DIFFER], tally->seen, tally->verdicts[PROGRAMS_UNDECIDED]);
}

static void no_mistake_on_hosts_and_ports_goes_untold(void **state)
{
	uint64_t seed = 91;
	struct tally tally = {0};

	(void)state;
	for (size_t round = 0; round < random_rounds(4000); round++) {
		char text[TEXT_MAX * 8] = "";

		random_nested(&seed, 3, text);
		text_compare(&seed, text, &tally);
	}
	tally_print("hosts, networks, ports", &tally);
	assert_true(tally.compiled > 100);
	/* The optimiser does make mistakes among so many, and each of them is told. */
	assert_true(tally.verdicts[PROGRAMS_DIFFER] >= tally.seen);
}

static void no_mistake_on_arithmetic_goes_untold(void **state)
{
	uint64_t seed = 92;
	struct tally tally = {0};

	(void)state;
	for (size_t round = 0; round < random_rounds(2000); round++) {
		char text[TEXT_MAX];

		pcap_grammar_expression(&seed, text, sizeof(text));
		text_compare(&seed, text, &tally);
	}
	tally_print("the whole grammar", &tally);
	assert_true(tally.compiled > 100);
}

static enum program_difference difference_of(const char *text)
{
	struct program plain;
	struct program optimised;
	struct message message;
	enum program_difference difference;

	assert_int_equal(soundness_compile(text, NULL, &plain, &message), STATUS_OK);
	assert_int_equal(program_compile_directly(text, true, &optimised, &message), STATUS_OK);
	assert_int_equal(program_difference_find(&plain, &optimised, &difference, &message),
			 STATUS_OK);
	program_free(&plain);
	program_free(&optimised);
	return difference;
}

/* Fixed in later versions of libpcap: where the two agree there is nothing to tell. */
static void known_mistakes_of_libpcap_are_told(void **state)
{
	static const struct {
		const char *text;
		int issue;
	} cases[] = {
		{"host 192.168.1.1 and not ((host 1.2.3.4 or host 5.6.7.8) and icmp) and not (host "
		 "5.6.7.8 or host 192.168.1.1)",
		 945},
		{"(1 = 0) || (2147483648 / 4294967295 = 0) and (0 & 4294967295 = 0)", 437},
		{"tcp[0:2] <= tcp[2:2] and src or dst port 22", 0},
	};
	uint64_t seed = 93;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tally tally = {0};

		text_compare(&seed, cases[i].text, &tally);
		if (tally.seen && tally.verdicts[PROGRAMS_DIFFER] != 1)
			fail_msg("issue %d is not told", cases[i].issue);
	}
	/* Issue 434 is about len, which no connection row holds. */
	{
		struct program program;
		struct message message;

		assert_int_equal(soundness_compile("len >= 2147483648 & 2147483648 or len < 0 | "
						   "2147483648",
						   NULL, &program, &message),
				 STATUS_USAGE);
		assert_non_null(strstr(message.text, "len"));
		program_free(&program);
	}
}

static void what_is_only_written_otherwise_is_no_difference(void **state)
{
	(void)state;
	assert_int_equal(difference_of("tcp dst port 445 and src net 10.0.0.0/8"), PROGRAMS_AGREE);
	/* A column less than another is told by two formulas, which say the same. */
	assert_int_not_equal(difference_of("tcp[0:2] = tcp[2:2] or udp[0:2] = udp[2:2]"),
			     PROGRAMS_DIFFER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mistake_on_hosts_and_ports_goes_untold),
		cmocka_unit_test(no_mistake_on_arithmetic_goes_untold),
		cmocka_unit_test(known_mistakes_of_libpcap_are_told),
		cmocka_unit_test(what_is_only_written_otherwise_is_no_difference),
	};

	return cmocka_run_group_tests_name("program_difference", tests, NULL, NULL);
}
