/* What a text in parentheses may say, before SQLite is asked what it means. */
#include "unit.h"

#include <string.h>

#include "log/column_expression.h"

static void expect_refused(const char *text, const char *reason)
{
	struct message message;

	if (column_expression_check(text, &message) == STATUS_OK)
		fail_msg("%s is accepted", text);
	if (!strstr(message.text, reason))
		fail_msg("%s is refused with '%s', without '%s'", text, message.text, reason);
}

static void a_parenthesis_makes_an_expression(void **state)
{
	(void)state;
	assert_true(column_expression_is("(port)"));
	assert_false(column_expression_is("port"));
	assert_false(column_expression_is("\"(port)\""));
	assert_false(column_expression_is(NULL));
}

static void an_expression_of_a_row_is_accepted(void **state)
{
	static const char *const texts[] = {
		"(coalesce(tcp_sport, udp_sport))",
		"(data ->> '$.src_ip')",
		"(ts / 1000)",
		"(SELECT address FROM addresses WHERE id = source_id)",
		"(\"a column; with -- much in it?\")",
		"(`a)` || [b(] || 'c''(' || \"d\"\"(\")",
		"(x'00ff' || a$b)",
		"(- -1)",
		"(strftime('%s', t, 'unixepoch'))",
		"(date(t))",
		"(unixepoch(t, 'subsec'))",
		"(unixepoch(coalesce(t, substr(u, 1, 19)), 'auto', '+1 day'))",
		"(CASE WHEN t = 'now' THEN 1 ELSE 2 END)",
		"(now + localtime + \"with\")",
		"(date + time)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct message message;

		if (column_expression_check(texts[i], &message) != STATUS_OK)
			fail_msg("%s is refused: %s", texts[i], message.text);
	}
}

static void what_could_leave_its_place_is_refused(void **state)
{
	char text[COLUMN_EXPRESSION_BYTES + 2];

	(void)state;
	expect_refused("(a", "not closed");
	expect_refused("((a)", "not closed");
	expect_refused("(a), b", "closes before its end");
	expect_refused("(a) FROM t; --", "closes before its end");
	expect_refused("(a))", "closes before its end");
	expect_refused("(a; b)", "';'");
	expect_refused("(a -- b\n)", "comments");
	expect_refused("(a /* b */)", "comments");
	expect_refused("('a)", "' opens");
	expect_refused("(\"a)", "\" opens");
	expect_refused("([a)", "[ opens");
	expect_refused("((WITH a AS (SELECT 1 x) SELECT x FROM a))", "WITH");
	expect_refused("(?1)", "'?'");
	expect_refused("(:a)", "':'");
	expect_refused("(@a)", "'@'");
	expect_refused("($a)", "'$'");
	expect_refused("(\xef\xbb\xbfover)", "byte order mark");
	memset(text, '1', sizeof(text) - 1);
	text[0] = '(';
	text[sizeof(text) - 1] = '\0';
	expect_refused(text, "more than");
}

static void what_is_another_for_the_same_row_is_refused(void **state)
{
	static const char *const texts[] = {
		"(date('now'))",
		"(julianday('NOW'))",
		"(datetime(t, 'localtime'))",
		"(time(t, 'utc'))",
		"(strftime('%s', 'now'))",
		"(strftime('%s', t, 'unixepoch', 'localtime'))",
		"(1 + unixepoch('subsec'))",
		"(date())",
		"(date( ))",
		"(strftime('%s'))",
		"(DateTime ( ) )",
		"(date(t, modifier))",
		"(date(t, ('local' || 'time')))",
		"(date(max(1, date('now'))))",
		"(unixepoch(*))",
		"(julianday(ALL))",
		"(date(distinct t))",
		"(sum(a) OVER ())",
		"(\"date\"('now'))",
		"([date]('now'))",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect_refused(texts[i], "");
}

static void what_may_read_other_rows_is_known(void **state)
{
	(void)state;
	assert_true(column_expression_reads_rows("(SELECT a FROM b)"));
	assert_true(column_expression_reads_rows("(1 + (select a FROM b))"));
	assert_true(column_expression_reads_rows("(a IN b)"));
	assert_true(column_expression_reads_rows("(a IN \"b\")"));
	assert_false(column_expression_reads_rows("(a IN (1, 2))"));
	assert_false(column_expression_reads_rows("('SELECT' || \"select\")"));
	assert_false(column_expression_reads_rows("(coalesce(a, selected))"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parenthesis_makes_an_expression),
		cmocka_unit_test(an_expression_of_a_row_is_accepted),
		cmocka_unit_test(what_could_leave_its_place_is_refused),
		cmocka_unit_test(what_is_another_for_the_same_row_is_refused),
		cmocka_unit_test(what_may_read_other_rows_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
