#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "filter/program.h"
#include "packet/header.h"

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
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
