#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expression/expression.h"
#include "random.h"

/* The steps in postfix notation: "a b & !". */
static void assert_postfix(const char *text, const char *expected)
{
	struct expression expression;
	struct message message;
	char out[256] = "";

	if (expression_parse(text, &expression, &message) != STATUS_OK)
		fail_msg("'%s': %s", text, message.text);
	for (size_t i = 0; i < expression.step_count; i++) {
		static const char *const words[] = {
			[EXPRESSION_NOT] = "!", [EXPRESSION_AND] = "&", [EXPRESSION_OR] = "|"};
		const struct expression_step *step = &expression.steps[i];

		strcat(out, i > 0 ? " " : "");
		strcat(out, step->kind == EXPRESSION_NAME ? expression.names[step->name].text
							  : words[step->kind]);
	}
	assert_string_equal(out, expected);
	expression_free(&expression);
}

/* The message's caret stands `at` characters behind the shown text's start. */
static void assert_error(const char *text, const char *part, size_t at)
{
	struct expression expression;
	struct message message;
	const char *last;

	assert_int_equal(expression_parse(text, &expression, &message), STATUS_USAGE);
	if (!strstr(message.text, part))
		fail_msg("'%s' does not speak of '%s'", message.text, part);
	last = strrchr(message.text, '\n');
	assert_non_null(last);
	assert_int_equal(strlen(last + 1), at + 3);
}

static void operators_have_two_spellings(void **state)
{
	(void)state;
	assert_postfix("a and b", "a b &");
	assert_postfix("a&&b&&c", "a b & c &");
	assert_postfix("a OR b || c", "a b | c |");
	assert_postfix("not a", "a !");
	assert_postfix("!a", "a !");
	assert_postfix("! ! a", "a ! !");
}

static void not_binds_closest_and_parentheses_group(void **state)
{
	(void)state;
	assert_postfix("not a and b", "a ! b &");
	assert_postfix("smb and not (rfc1918 or bogon)", "smb rfc1918 bogon | ! &");
	assert_postfix("((a))", "a");
	assert_postfix("@all and not @skipped", "@all @skipped ! &");
	assert_postfix("not-a and a.b_c-d", "not-a a.b_c-d &");
}

static void a_name_that_comes_twice_is_kept_once(void **state)
{
	struct expression expression;
	struct message message;

	(void)state;
	assert_int_equal(expression_parse("a and (b or a)", &expression, &message), STATUS_OK);
	assert_int_equal(expression.name_count, 2);
	assert_int_equal(expression.depth, 3);
	expression_free(&expression);
}

static void an_error_points_at_its_place(void **state)
{
	(void)state;
	assert_error("a and b or c", "parentheses", 8);
	assert_error("a or b and c", "parentheses", 7);
	assert_error("a b", "expected and, or", 2);
	assert_error("a and", "expected the name", 5);
	assert_error("(a or b", "not closed", 0);
	assert_error("a)", "never opened", 1);
	assert_error("a & b", "single '&'", 2);
	assert_error("a | b", "single '|'", 2);
	assert_error("@nothing", "@all", 0);
	assert_error("a and 5", "expected the name", 6);
	assert_error("()", "expected the name", 1);
	assert_error("a and {tcp", "brace is not closed", 6);
	assert_error("{tcp and {udp}}", "brace is not closed", 0);
	assert_error("{ }", "no filter between", 0);
	assert_error("a }", "expected the name", 2);
}

static void a_filter_in_braces_is_an_operand(void **state)
{
	struct expression expression;
	struct message message;

	(void)state;
	assert_postfix("{tcp}", "tcp");
	assert_postfix("smb and not {src net 10.0.0.0/8}", "smb src net 10.0.0.0/8 ! &");
	assert_postfix("{tcp or udp} or {tcp or udp}", "tcp or udp tcp or udp |");
	/* A name and a filter of the same text are two things. */
	assert_int_equal(expression_parse("tcp or {tcp} or {tcp}", &expression, &message),
			 STATUS_OK);
	assert_int_equal(expression.name_count, 2);
	assert_int_equal(expression.names[0].leaf, LEAF_STORED);
	assert_int_equal(expression.names[1].leaf, LEAF_PCAP);
	expression_free(&expression);
}

static void src_dst_and_host_are_words_ahead_of_in_and_a_name(void **state)
{
	struct expression expression;
	struct message message;

	(void)state;
	assert_postfix("src in drop", "drop");
	assert_postfix("smb and not DST In my-set.1", "smb my-set.1 ! &");
	assert_postfix("host in a or b", "a a | b |");
	assert_postfix("not host\tin\na", "a a | !");
	assert_postfix("src and in", "src in &");
	assert_postfix("host or (in and dst)", "host in dst & |");
	assert_postfix("src-in and in", "src-in in &");
	assert_error("src in", "name of an address set behind 'in'", 4);
	assert_error("a and dst in {tcp}", "name of an address set behind 'in'", 10);
	assert_error("src in and a", "name of an address set behind 'in'", 4);
	assert_error("source in a", "expected and, or", 7);
	assert_error("src in a b", "expected and, or", 9);
	assert_error("srcin a", "expected and, or", 6);
	/* A filter, and either end of a set of its name, are three things, each kept once. */
	assert_int_equal(expression_parse("a or src in a or host in a", &expression, &message),
			 STATUS_OK);
	assert_int_equal(expression.name_count, 3);
	assert_int_equal(expression.names[0].leaf, LEAF_STORED);
	assert_int_equal(expression.names[1].leaf, LEAF_SOURCE_IN);
	assert_int_equal(expression.names[2].leaf, LEAF_DESTINATION_IN);
	assert_int_equal(expression.names[1].at, 12);
	expression_free(&expression);
}

static void since_and_before_are_words_ahead_of_a_time(void **state)
{
	struct expression expression;
	struct message message;

	(void)state;
	assert_postfix("since 2026-11-27", "2026-11-27");
	assert_postfix("a and not BEFORE -7d", "a -7d ! &");
	assert_postfix("(since\n2026-11-27T18:30:05.5+01:00) or b",
		       "2026-11-27T18:30:05.5+01:00 b |");
	assert_postfix("since and before", "since before &");
	assert_postfix("since-1 or not before", "since-1 before ! |");
	assert_error("since 2026-13-01", "no time", 6);
	assert_error("a and before  7d", "no time", 14);
	assert_error("since 2026-11-27 2026-11-28", "a T stands", 16);
	assert_error("since 2026-11-27  5", "expected the name", 18);
	assert_error("since before -7d", "no time", 6);
	assert_error("a and since yesterday", "no time", 12);
	assert_error("a and sinc yesterday", "expected and, or", 11);
	/* A name, and the same word before a time. */
	assert_int_equal(
		expression_parse(
			"since or since 2026-11-27 or before 2026-11-27 or since 2026-11-27",
			&expression, &message),
		STATUS_OK);
	assert_int_equal(expression.name_count, 3);
	assert_int_equal(expression.names[0].leaf, LEAF_STORED);
	assert_int_equal(expression.names[1].leaf, LEAF_SINCE);
	assert_int_equal(expression.names[2].leaf, LEAF_BEFORE);
	assert_int_equal(expression.names[2].time, INT64_C(1795737600000000));
	assert_false(expression.names[2].back);
	expression_free(&expression);
}

static void an_expression_is_narrowed_down_to_a_time(void **state)
{
	struct expression expression;
	struct message message;

	(void)state;
	assert_int_equal(expression_parse("a or b", &expression, &message), STATUS_OK);
	assert_int_equal(expression_narrow(&expression, LEAF_SINCE, "-12h", &message), STATUS_OK);
	assert_int_equal(expression_narrow(&expression, LEAF_BEFORE, "2026", &message),
			 STATUS_USAGE);
	assert_int_equal(expression.step_count, 5);
	assert_int_equal(expression.steps[4].kind, EXPRESSION_AND);
	assert_int_equal(expression.names[2].time, INT64_C(12) * 3600 * 1000000);
	assert_true(expression.names[2].back);
	assert_int_equal(expression.depth, 2);
	expression_free(&expression);
}

static void an_empty_expression_is_an_error(void **state)
{
	struct expression expression;
	struct message message;

	(void)state;
	assert_int_equal(expression_parse("", &expression, &message), STATUS_USAGE);
	assert_int_equal(expression_parse("  \n", &expression, &message), STATUS_USAGE);
}

static void a_place_far_into_a_long_text_is_shown_with_what_is_around_it(void **state)
{
	char text[2001];
	struct expression expression;
	struct message message;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text + 1000, " ? ", 3);
	assert_int_equal(expression_parse(text, &expression, &message), STATUS_USAGE);
	assert_non_null(strstr(message.text, "aaa ? aaa"));
	assert_true(strlen(message.text) < 300);
}

static void nesting_and_names_are_bounded(void **state)
{
	char *text = malloc(EXPRESSION_MAX + 2);
	struct expression expression;
	struct message message;
	size_t length = 0;

	(void)state;
	memset(text, '(', EXPRESSION_MAX);
	text[EXPRESSION_MAX] = '\0';
	assert_int_equal(expression_parse(text, &expression, &message), STATUS_USAGE);
	memset(text, '!', EXPRESSION_MAX);
	assert_int_equal(expression_parse(text, &expression, &message), STATUS_USAGE);
	memset(text, 'a', EXPRESSION_MAX + 1);
	text[EXPRESSION_MAX + 1] = '\0';
	assert_int_equal(expression_parse(text, &expression, &message), STATUS_USAGE);
	for (int i = 0; i <= EXPRESSION_NAMES_MAX; i++)
		length += (size_t)sprintf(text + length, "%sn%d", i ? " or " : "", i);
	assert_int_equal(expression_parse(text, &expression, &message), STATUS_USAGE);
	free(text);
}

static void no_text_crashes_the_parser(void **state)
{
	static const char *const pieces[] = {"a", "b ", " and ", " or ",  "not ",     "!",
					     "(", ")",	"&&",	 "||",	  "&",	      "@all",
					     "@", "{",	"}",	 "{udp}", "\xc3\xa9", "\x01"};
	uint64_t seed = 6;
	size_t rounds = random_rounds(50000);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		char text[512] = "";
		struct expression expression;
		struct message message;

		while (strlen(text) < 400 && random_below(&seed, 20))
			strcat(text, pieces[random_below(&seed, sizeof(pieces) / sizeof(*pieces))]);
		if (expression_parse(text, &expression, &message) == STATUS_OK)
			expression_free(&expression);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_have_two_spellings),
		cmocka_unit_test(not_binds_closest_and_parentheses_group),
		cmocka_unit_test(a_name_that_comes_twice_is_kept_once),
		cmocka_unit_test(an_error_points_at_its_place),
		cmocka_unit_test(a_filter_in_braces_is_an_operand),
		cmocka_unit_test(src_dst_and_host_are_words_ahead_of_in_and_a_name),
		cmocka_unit_test(since_and_before_are_words_ahead_of_a_time),
		cmocka_unit_test(an_expression_is_narrowed_down_to_a_time),
		cmocka_unit_test(an_empty_expression_is_an_error),
		cmocka_unit_test(a_place_far_into_a_long_text_is_shown_with_what_is_around_it),
		cmocka_unit_test(nesting_and_names_are_bounded),
		cmocka_unit_test(no_text_crashes_the_parser),
	};

	return cmocka_run_group_tests_name("expression", tests, NULL, NULL);
}
