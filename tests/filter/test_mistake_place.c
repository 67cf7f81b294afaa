/* The word that a filter's mistake is about is found, though libpcap does not say where it is. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "filter/mistake_place.h"
#include "filter/soundness.h"
#include "pcap_grammar.h"
#include "random.h"

/* The place of the mistake is marked with a '^' in front of it. */
static void expect(const char *marked)
{
	const char *mark = strchr(marked, '^');
	char expression[600];
	struct program program;
	struct message message;
	size_t place = 0;
	bool found;

	snprintf(expression, sizeof(expression), "%.*s%s", (int)(mark - marked), marked, mark + 1);
	assert_int_equal(soundness_compile(expression, NULL, &program, &message), STATUS_USAGE);
	program_free(&program);
	found = mistake_place_find(expression, &message, &place);
	if (!found || place != (size_t)(mark - marked))
		fail_msg("'%s': %s at %zu", marked, found ? "found" : "not found", place);
}

static void a_word_that_is_none_is_the_place(void **state)
{
	(void)state;
	expect("tcp ^prt 445");
	expect("tcp dst port ^htttp or udp");
	expect("port 80 and port ^ort");
	expect("host ^10.0.0.300");
}

static void a_word_that_does_not_go_on_is_the_place(void **state)
{
	(void)state;
	expect("tcp dst port 3 or ^or udp");
	expect("tcp port 3 ^udp");
	expect("tcp and ^) or ip");
	expect("(tcp and port 3^");
	expect("src portrange 5 ^5");
	expect("not tcp dst port 5 and ^and udp");
	expect("((tcp or udp) and ^) icmp");
}

static void bytes_that_no_row_holds_are_the_place(void **state)
{
	(void)state;
	expect("tcp and ^tcp[13] = 2");
	expect("host 10.0.0.1 and ^ip[2:2] > 100");
}

/* A place that is a guess would be worse than none. */
static void what_is_written_otherwise_has_no_place(void **state)
{
	static const char *const expressions[] = {"tcp and tcp[tcpflags] & tcp-syn != 0",
						  "udp and greater 100"};

	(void)state;
	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		struct program program;
		struct message message;
		size_t place;

		assert_int_equal(soundness_compile(expressions[i], NULL, &program, &message),
				 STATUS_USAGE);
		program_free(&program);
		assert_false(mistake_place_find(expressions[i], &message, &place));
	}
}

/* Behind a filter that compiles a second "and" is always the mistake. */
static void any_filter_may_stand_before_it(void **state)
{
	uint64_t seed = 9;
	size_t found = 0;

	(void)state;
	for (size_t round = 0; round < 300; round++) {
		char expression[400];
		char broken[450];
		struct program program;
		struct message message;
		bool compiles;
		size_t place;

		pcap_grammar_expression(&seed, expression, sizeof(expression));
		compiles = program_compile(expression, &program, &message) == STATUS_OK;
		program_free(&program);
		if (!compiles)
			continue;
		snprintf(broken, sizeof(broken), "(%s) and and ip", expression);
		assert_int_equal(program_compile(broken, &program, &message), STATUS_USAGE);
		program_free(&program);
		if (!mistake_place_find(broken, &message, &place))
			continue;
		found += place == strlen(broken) - strlen("and ip");
		assert_true(place <= strlen(broken));
	}
	assert_true(found > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_that_is_none_is_the_place),
		cmocka_unit_test(a_word_that_does_not_go_on_is_the_place),
		cmocka_unit_test(bytes_that_no_row_holds_are_the_place),
		cmocka_unit_test(what_is_written_otherwise_has_no_place),
		cmocka_unit_test(any_filter_may_stand_before_it),
	};

	return cmocka_run_group_tests_name("mistake_place", tests, NULL, NULL);
}
