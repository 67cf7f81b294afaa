/* Numbers of text logs: exactly those that the text says, or else the text. */
#include "unit.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "text/text_value.h"

static void a_decimal_is_the_double_nearest_to_it(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t round = 0; round < random_rounds(200000); round++) {
		char text[64];
		size_t size = 0;
		double real;

		if (random_below(&seed, 2))
			text[size++] = '-';
		for (uint32_t digits = 1 + random_below(&seed, 20); digits; digits--)
			text[size++] = (char)('0' + random_below(&seed, 10));
		if (random_below(&seed, 4)) {
			text[size++] = '.';
			for (uint32_t digits = 1 + random_below(&seed, 12); digits; digits--)
				text[size++] = (char)('0' + random_below(&seed, 10));
		}
		if (random_below(&seed, 10) == 0)
			size += (size_t)snprintf(text + size, sizeof(text) - size, "e%d",
						 (int)random_below(&seed, 40) - 20);
		text[size] = '\0';
		assert_true(text_real(text, size, &real));
		assert_memory_equal(&real, &(double){strtod(text, NULL)}, sizeof(real));
	}
}

static void an_integer_is_taken_if_it_fits(void **state)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t integer;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"007", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775807", true, -INT64_MAX},
		{"9223372036854775808", false, 0},
		{"9999999999999999999", false, 0},
		{"12345678901234567890", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"+1", false, 0},
		{"1.0", false, 0},
		{"1e3", false, 0},
		{" 1", false, 0},
	};
	int64_t integer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(text_integer(cases[i].text, strlen(cases[i].text), &integer),
				 cases[i].fits);
		if (cases[i].fits)
			assert_int_equal(integer, cases[i].integer);
	}
}

static void text_that_a_number_would_not_give_back_stays_text(void **state)
{
	static const char *const texts[] = {"007",
					    "+1",
					    "1.",
					    ".5",
					    "1e5",
					    "0x10",
					    "00.5",
					    "-",
					    "1.2.3",
					    "1,5",
					    "12345678901234567890",
					    "0.12345678901234567"};
	static const char *const numbers[] = {"0", "-1", "0.5", "-0.000", "1700000000.123456",
					      "10"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(value_of_number(texts[i], strlen(texts[i])).kind, VALUE_TEXT);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		assert_int_not_equal(value_of_number(numbers[i], strlen(numbers[i])).kind,
				     VALUE_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_decimal_is_the_double_nearest_to_it),
		cmocka_unit_test(an_integer_is_taken_if_it_fits),
		cmocka_unit_test(text_that_a_number_would_not_give_back_stays_text),
	};

	return cmocka_run_group_tests_name("text_value", tests, NULL, NULL);
}
