#include "unit.h"

#include <pcap/pcap.h>
#include <pthread.h>
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
	const struct program_bounds bounds = {.seconds = 0.5};
	struct program program;
	struct message message;
	clock_t start = clock();

	(void)state;
	assert_int_equal(program_compile_bounded(text, &bounds, &program, &message), STATUS_USAGE);
	assert_non_null(strstr(message.text, "split it"));
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
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

/* An IPv6 row whose protocol has no ports ends before them, where the optimiser would not look. */
static void a_program_depends_on_no_length_of_its_text(void **state)
{
	static const size_t lengths[] = {1, 500, 600, 2100, 20000};
	const struct connection connection = {.version = 6, .protocol = 44};
	uint8_t header[HEADER_IPV6_SIZE];
	const size_t captured = header_build(&connection, header);
	char *text = malloc(PROGRAM_EXPRESSION_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct program program;
		struct message message;

		sprintf(text, "(tcp or not tcp) and not portrange 1-2%*s", (int)lengths[i], "");
		assert_int_equal(program_compile(text, &program, &message), STATUS_OK);
		assert_false(program_matches(&program, header, header_wire_length(header),
					     (uint32_t)captured));
		program_free(&program);
	}
	free(text);
}

/* libpcap's own, by the package's library, is what the copy inside has to make. */
static void a_program_is_libpcaps_own(void **state)
{
	uint64_t seed = 61;

	(void)state;
	for (size_t round = 0; round < random_rounds(2000); round++) {
		pcap_t *pcap = pcap_open_dead(DLT_RAW, 65535);
		struct bpf_program expected;
		struct program program;
		struct message message;
		char text[512];
		bool compiles;

		pcap_grammar_any_expression(&seed, text, sizeof(text));
		compiles = pcap_compile(pcap, &expected, text, 0, 0) == 0;
		if ((program_compile(text, &program, &message) == STATUS_OK) != compiles)
			fail_msg("%s: %s", text, compiles ? message.text : pcap_geterr(pcap));
		if (!compiles) {
			assert_string_equal(message.text, pcap_geterr(pcap));
		} else {
			assert_int_equal(program.length, expected.bf_len);
			assert_memory_equal(program.instructions, expected.bf_insns,
					    expected.bf_len * sizeof(*expected.bf_insns));
			pcap_freecode(&expected);
		}
		program_free(&program);
		pcap_close(pcap);
	}
}

static bool asked_often(void *context)
{
	return ++*(int *)context > 3;
}

static void a_compile_is_ended_where_it_is_asked_to(void **state)
{
	char *text = or_list("port %u%03u", 3500);
	int questions = 0;
	const struct stop stop = {.asked = asked_often, .context = &questions};
	const struct program_bounds bounds = {.stop = &stop};
	struct program program;
	struct message message;
	clock_t start = clock();

	(void)state;
	assert_int_equal(program_compile_bounded(text, &bounds, &program, &message), STATUS_FAILED);
	assert_int_equal(message.code, MESSAGE_CODE_INTERRUPT);
	assert_in_range(questions, 4, 40);
	assert_true(clock() - start < CLOCKS_PER_SEC);
	program_free(&program);
	free(text);
}

static void a_compile_takes_no_more_memory_than_it_may(void **state)
{
	char *text = or_list("host 10.0.%u.%u", 1000);
	struct program program;
	struct message message;

	(void)state;
	for (size_t bytes = 1; bytes < 1 << 22; bytes = bytes * 3 + 1) {
		const struct program_bounds bounds = {.bytes = bytes};

		assert_int_equal(program_compile_bounded(text, &bounds, &program, &message),
				 STATUS_FAILED);
		assert_int_equal(message.code, MESSAGE_CODE_NOMEM);
		assert_null(program.instructions);
	}
	free(text);
}

#if defined(__SANITIZE_ADDRESS__)
#define SMALL_STACK (1 << 20)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SMALL_STACK (1 << 20)
#endif
#endif
#ifndef SMALL_STACK
#define SMALL_STACK (48 << 10)
#endif

static void *compiled_by_length(void *context)
{
	for (size_t length = 60; length < 700; length += 20) {
		char text[720] = "net 1";
		struct program program;
		struct message message;
		size_t used = strlen(text);

		for (int i = 2; used + 8 < length; i++)
			used += (size_t)sprintf(text + used, " or %d", i);
		*(bool *)context &= program_compile(text, &program, &message) == STATUS_OK;
		program_free(&program);
	}
	return NULL;
}

/* libpcap's generator calls itself for every block of a program. */
static void a_host_with_a_small_stack_can_compile(void **state)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool compiled = true;

	(void)state;
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
	assert_int_equal(pthread_create(&thread, &attributes, compiled_by_length, &compiled), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
	assert_true(compiled);
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
		cmocka_unit_test(a_program_depends_on_no_length_of_its_text),
		cmocka_unit_test(a_program_is_libpcaps_own),
		cmocka_unit_test(a_compile_is_ended_where_it_is_asked_to),
		cmocka_unit_test(a_compile_takes_no_more_memory_than_it_may),
		cmocka_unit_test(a_host_with_a_small_stack_can_compile),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
