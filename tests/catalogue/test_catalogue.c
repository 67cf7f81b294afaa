#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "random.h"

struct parsed {
	struct catalogue catalogue;
	struct diagnostics diagnostics;
};

static void parse_bytes(struct parsed *parsed, const char *text, size_t length)
{
	struct message message;

	memset(parsed, 0, sizeof(*parsed));
	assert_int_equal(catalogue_parse(NULL, text, length, &parsed->catalogue,
					 &parsed->diagnostics, &message),
			 STATUS_OK);
	diagnostics_sort(&parsed->diagnostics);
}

static void parse(struct parsed *parsed, const char *text)
{
	parse_bytes(parsed, text, strlen(text));
}

static void parsed_free(struct parsed *parsed)
{
	catalogue_free(&parsed->catalogue);
	diagnostics_free(&parsed->diagnostics);
}

static void assert_mistake(const char *text, size_t line, const char *part)
{
	struct parsed parsed;

	parse(&parsed, text);
	assert_int_equal(parsed.diagnostics.count, 1);
	assert_int_equal(parsed.diagnostics.items[0].line, line);
	if (!strstr(parsed.diagnostics.items[0].message.text, part))
		fail_msg("'%s' does not speak of '%s'", parsed.diagnostics.items[0].message.text,
			 part);
	parsed_free(&parsed);
}

static void a_filter_has_a_name_an_expression_and_a_description(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed,
	      "# comment\r\n; comment\r\n\r\n[filter smb]\r\nexpression = tcp dst port 445\r\n"
	      "description=SMB over TCP\r\n[ filter  x.y-z_1 ]\nexpression=udp");
	assert_true(diagnostics_empty(&parsed.diagnostics));
	assert_int_equal(parsed.catalogue.count, 2);
	assert_string_equal(parsed.catalogue.filters[0].name, "smb");
	assert_string_equal(parsed.catalogue.filters[0].expression, "tcp dst port 445");
	assert_string_equal(parsed.catalogue.filters[0].description, "SMB over TCP");
	assert_int_equal(parsed.catalogue.filters[0].line, 4);
	assert_string_equal(parsed.catalogue.filters[1].name, "x.y-z_1");
	assert_string_equal(parsed.catalogue.filters[1].description, "");
	parsed_free(&parsed);
}

static void an_indented_line_continues_the_value(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "[filter a]\nexpression = net 10.0.0.0/8\n\tor net 172.16.0.0/12\n"
		       "# between\n\n  # indented\n\t; too\n   or net 192.168.0.0/16\n"
		       "description =\n  # first\n  later = here # not one\n");
	assert_true(diagnostics_empty(&parsed.diagnostics));
	assert_string_equal(parsed.catalogue.filters[0].expression,
			    "net 10.0.0.0/8 or net 172.16.0.0/12 or net 192.168.0.0/16");
	assert_string_equal(parsed.catalogue.filters[0].description, "later = here # not one");
	parsed_free(&parsed);
}

static void a_line_of_almost_64_kib_is_read_whole(void **state)
{
	enum { LENGTH = 65000 };
	char *text = malloc(LENGTH + 64);
	struct parsed parsed;
	size_t head = (size_t)sprintf(text, "[filter a]\nexpression = ");

	(void)state;
	memset(text + head, 'x', LENGTH);
	text[head + LENGTH] = '\0';
	parse(&parsed, text);
	assert_true(diagnostics_empty(&parsed.diagnostics));
	assert_int_equal(strlen(parsed.catalogue.filters[0].expression), LENGTH);
	parsed_free(&parsed);
	free(text);
}

static void a_longer_line_or_value_is_a_mistake(void **state)
{
	enum { LENGTH = 70000 };
	char *text = malloc(2 * LENGTH + 64);
	struct parsed parsed;
	size_t head = (size_t)sprintf(text, "[filter a]\nexpression = ip\n ");

	(void)state;
	memset(text + head, 'x', LENGTH);
	text[head + LENGTH] = '\0';
	assert_mistake(text, 3, "longer than");
	/* Two lines that are short enough make one value that is not. */
	text[head + 40000] = '\n';
	text[head + 40001] = ' ';
	assert_mistake(text, 2, "longer than");
	parse(&parsed, text);
	parsed_free(&parsed);
	free(text);
}

static void every_mistake_has_its_line(void **state)
{
	(void)state;
	assert_mistake("[filter a]\nexpression = ip\n[filter a]\nexpression = ip", 3, "line 1");
	assert_mistake("[filter a]\nexpression = ip\ncolour = red\n", 3, "unknown key 'colour'");
	assert_mistake("[filter a]\nexpression =\n", 2, "empty");
	assert_mistake("[filter a]\ndescription = x\n", 1, "neither an expression nor rows");
	assert_mistake("[filter a]\nexpression = ip\nexpression = ip6\n", 3, "second");
	assert_mistake("[filter a\nexpression = ip\n[filter a]\nexpression = ip", 1, "']'");
	assert_mistake("[filters a]\n[filter a]\nexpression = ip", 1, "unknown section");
	assert_mistake("expression = ip\n[filter a]\nexpression = ip", 1, "before the first");
	assert_mistake("[filter a]\nexpression = ip\nnonsense\n", 3, "key = value");
	assert_mistake("[filter 9a]\nexpression = ip\n", 1, "cannot name");
	assert_mistake("[filter]\nexpression = ip\n", 1, "cannot name");
	assert_mistake("[filter and]\nexpression = ip\n", 1, "cannot name");
	assert_mistake("[filter a b]\nexpression = ip\n", 1, "cannot name");
	assert_mistake("[filter @all]\nexpression = ip\n", 1, "cannot name");
}

static void a_file_without_filters_is_a_mistake(void **state)
{
	(void)state;
	assert_mistake("", 1, "no [filter NAME]");
	assert_mistake("# nothing\n; here\n", 2, "no [filter NAME]");
}

static void all_mistakes_come_in_one_go_in_order(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "x\n[filter a]\n[filter b]\nfoo = 1\nexpression = \n[nosuch]\n[filter a]\n"
		       "expression = ip");
	assert_int_equal(parsed.diagnostics.count, 6);
	for (size_t i = 1; i < parsed.diagnostics.count; i++)
		assert_true(parsed.diagnostics.items[i - 1].line <=
			    parsed.diagnostics.items[i].line);
	parsed_free(&parsed);
}

static void a_zero_byte_is_a_mistake(void **state)
{
	static const char text[] = "[filter a]\nexpression = ip\0 or tcp\n";
	struct parsed parsed;

	(void)state;
	parse_bytes(&parsed, text, sizeof(text) - 1);
	assert_false(diagnostics_empty(&parsed.diagnostics));
	parsed_free(&parsed);
}

static void a_source_names_the_columns(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "[source]\ntable = conn\nsource_host = orig h\nsource_port = p\n"
		       "destination_host = rh\ndestination_port = rp\nprotocol = proto\n"
		       "icmp_type = t\nicmp_code = c\n[filter a]\nexpression = ip\n");
	assert_true(diagnostics_empty(&parsed.diagnostics));
	assert_string_equal(parsed.catalogue.source.table, "conn");
	assert_string_equal(parsed.catalogue.source.columns[ROLE_SOURCE_HOST], "orig h");
	assert_string_equal(parsed.catalogue.source.columns[ROLE_TRANSPORT], "proto");
	assert_false(parsed.catalogue.source.directed);
	parsed_free(&parsed);
	parse(&parsed, "[source]\ntable = c\nlocal_host = l\nlocal_port = lp\nremote_host = r\n"
		       "remote_port = rp\ntransport = t\ntype = y\n[filter a]\nexpression = ip\n");
	assert_true(diagnostics_empty(&parsed.diagnostics));
	assert_true(parsed.catalogue.source.directed);
	parsed_free(&parsed);
}

static void a_source_that_says_too_little_or_too_much_is_a_mistake(void **state)
{
	(void)state;
	assert_mistake(
		"[source]\ntable = c\nsource_host = a\nsource_port = b\ndestination_host = c\n"
		"destination_port = d\n[filter a]\nexpression = ip\n",
		1, "no 'transport'");
	assert_mistake("[source]\ntable = c\nlocal_host = a\nlocal_port = b\nremote_host = c\n"
		       "remote_port = d\ntransport = t\n[filter a]\nexpression = ip\n",
		       1, "needs 'type'");
	assert_mistake(
		"[source]\ntable = c\nsource_host = a\nsource_port = b\ndestination_host = c\n"
		"destination_port = d\ntransport = t\ntype = x\n[filter a]\nexpression = ip\n",
		8, "local_host");
	assert_mistake(
		"[source]\ntable = c\nsource_host = a\nsource_port = b\ndestination_host = c\n"
		"destination_port = d\ntransport = t\nprotocol = x\n[filter a]\nexpression = ip\n",
		8, "twice");
	assert_mistake(
		"[source]\ntable = c\nsource_host = a\nsource_port = b\ndestination_host = c\n"
		"destination_port = d\ntransport = t\nremote_port = x\n[filter a]\nexpression = "
		"ip\n",
		8, "twice");
	assert_mistake(
		"[source]\ntable = c\nsource_host = a\nsource_port = b\ndestination_host = c\n"
		"destination_port = d\ntransport = t\nicmp_type = x\n[filter a]\nexpression = ip\n",
		1, "icmp_code");
}

static void no_bytes_crash_the_parser(void **state)
{
	static const char *const pieces[] = {
		"[filter ",	"[source]",  "a",	    "]",    "\n", "\r\n", " ",	   "\t",
		"expression",	"=",	     "description", "#",    ";",  "[",	  "table", "\xff",
		"\xef\xbb\xbf", "transport", "ip",	    "\n\n "};
	uint64_t seed = 5;
	size_t rounds = random_rounds(20000);
	char text[512];

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		struct parsed parsed;
		size_t length = 0;

		while (length < 400 && random_below(&seed, 40)) {
			const char *piece =
				pieces[random_below(&seed, sizeof(pieces) / sizeof(*pieces))];

			memcpy(text + length, piece, strlen(piece));
			length += strlen(piece);
		}
		parse_bytes(&parsed, text, length);
		parsed_free(&parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_has_a_name_an_expression_and_a_description),
		cmocka_unit_test(an_indented_line_continues_the_value),
		cmocka_unit_test(a_line_of_almost_64_kib_is_read_whole),
		cmocka_unit_test(a_longer_line_or_value_is_a_mistake),
		cmocka_unit_test(every_mistake_has_its_line),
		cmocka_unit_test(a_file_without_filters_is_a_mistake),
		cmocka_unit_test(all_mistakes_come_in_one_go_in_order),
		cmocka_unit_test(a_zero_byte_is_a_mistake),
		cmocka_unit_test(a_source_names_the_columns),
		cmocka_unit_test(a_source_that_says_too_little_or_too_much_is_a_mistake),
		cmocka_unit_test(no_bytes_crash_the_parser),
	};

	return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
