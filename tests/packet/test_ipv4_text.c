#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/ipv4_text.h"
#include "random.h"

/* Both ways give inet_pton's answer. The text has a heap block of its own, so that reading past it
 * is seen. */
static void compare(const char *text, size_t length)
{
	char *block = malloc(length ? length : 1);
	char terminated[IPV4_TEXT_MAX + 1] = "";
	uint64_t words[2];
	uint8_t expected[4] = {0};
	uint8_t found[4];
	bool is_address;

	assert_non_null(block);
	memcpy(block, text, length);
	memcpy(terminated, text, length);
	is_address = strlen(terminated) == length && inet_pton(AF_INET, terminated, expected) == 1;
	short_text_words(block, length, words);
	if (ipv4_text_read(block, words[0], words[1], length, found) != is_address ||
	    (is_address && memcmp(found, expected, 4) != 0))
		fail_msg("'%s'", terminated);
	if (ipv4_text_read_words(block, words[0], words[1], length, found) != is_address ||
	    (is_address && memcmp(found, expected, 4) != 0))
		fail_msg("'%s', a word at a time", terminated);
	free(block);
}

static size_t part_print(uint64_t *seed, char *out)
{
	static const char *const odd[] = {"",	 "00",	"01",	"256", "260",
					  "300", "999", "1000", "0255"};

	if (random_below(seed, 20) == 0)
		return (size_t)sprintf(out, "%s", odd[random_below(seed, 9)]);
	return (size_t)sprintf(out, "%u", random_below(seed, random_below(seed, 2) ? 256 : 12));
}

static void every_text_reads_as_inet_pton_does(void **state)
{
	uint64_t seed = 3;
	const size_t rounds = random_rounds(400000);

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		const unsigned parts = random_below(&seed, 12) ? 4 : random_below(&seed, 7);
		char text[64];
		size_t length = 0;

		for (unsigned part = 0; part < parts; part++) {
			if (part)
				text[length++] = '.';
			length += part_print(&seed, text + length);
		}
		if (length > IPV4_TEXT_MAX)
			length = IPV4_TEXT_MAX;
		for (unsigned spoilt = random_below(&seed, 8); length && spoilt > 5; spoilt--)
			text[random_below(&seed, (unsigned)length)] =
				random_below(&seed, 2) ? (char)random_next(&seed)
						       : "./0189:-\0 "[random_below(&seed, 10)];
		compare(text, length);
	}
}

/* All there is of up to five characters around those that count. */
static void every_short_text_reads_as_inet_pton_does(void **state)
{
	static const char characters[] = {'.', '0', '1', '9', '/', ':', '\0', (char)0xb0};
	char text[9];

	(void)state;
	memcpy(text, "1.2.", 4);
	for (unsigned all = 0; all < 1 << 15; all++)
		for (size_t length = 0; length <= 5; length++) {
			for (size_t i = 0; i < length; i++)
				text[4 + i] = characters[all >> (3 * i) & 7];
			compare(text, 4 + length);
			compare(text + 4, length);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_reads_as_inet_pton_does),
		cmocka_unit_test(every_short_text_reads_as_inet_pton_does),
	};

	return cmocka_run_group_tests_name("ipv4_text", tests, NULL, NULL);
}
