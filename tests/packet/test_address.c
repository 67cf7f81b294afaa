#include "unit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "packet/address.h"
#include "random.h"

enum { TEXT_MAX = 64 };

static bool parses(const char *text, struct address *address)
{
	return address_parse(text, strlen(text), address);
}

static void assert_address(const char *text, int version, const char *canonical)
{
	struct address address;
	char shown[INET6_ADDRSTRLEN];

	assert_true(parses(text, &address));
	assert_int_equal(address.version, version);
	inet_ntop(version == 4 ? AF_INET : AF_INET6, address.bytes, shown, sizeof(shown));
	assert_string_equal(shown, canonical);
}

static void dotted_text_is_ipv4(void **state)
{
	(void)state;
	assert_address("192.0.2.1", 4, "192.0.2.1");
	assert_address("0.0.0.0", 4, "0.0.0.0");
	assert_address("255.255.255.255", 4, "255.255.255.255");
}

static void a_mapped_address_is_ipv4_in_every_notation(void **state)
{
	(void)state;
	assert_address("::ffff:192.0.2.1", 4, "192.0.2.1");
	assert_address("::FFFF:192.0.2.1", 4, "192.0.2.1");
	assert_address("::ffff:c000:201", 4, "192.0.2.1");
	assert_address("0:0:0:0:0:ffff:192.0.2.1", 4, "192.0.2.1");
	assert_address("::ffff:192.0.2.1%eth0", 4, "192.0.2.1");
	assert_address("::192.0.2.1", 6, "::192.0.2.1");
}

static void a_zone_is_dropped_from_ipv6_only(void **state)
{
	struct address address;

	(void)state;
	assert_address("fe80::1%eth0", 6, "fe80::1");
	assert_address("fe80::1%1", 6, "fe80::1");
	assert_false(parses("fe80::1%", &address));
	assert_false(parses("192.0.2.1%eth0", &address));
	assert_false(parses("%eth0", &address));
}

static void empty_text_is_no_version(void **state)
{
	struct address address;

	(void)state;
	assert_true(parses("", &address));
	assert_int_equal(address.version, 0);
}

static void what_only_looks_like_an_address_is_refused(void **state)
{
	static const char *const texts[] = {"256.1.1.1",
					    "1.2.3",
					    "1.2.3.4.5",
					    "01.2.3.4",
					    "1.2.3.04",
					    "1.2.3.4 ",
					    " 1.2.3.4",
					    "1..2.3",
					    "1.2.3.",
					    ".1.2.3",
					    "0x1.2.3.4",
					    "1.2.3.4a",
					    "localhost",
					    "12345::",
					    ":1::2",
					    "1:2",
					    "1::2::3",
					    ":::",
					    ":",
					    "1:2:3:4:5:6:7:8:9",
					    "1:2:3:4:5:6:7:8::",
					    "::g",
					    "1:2:3:4:5:6:7:",
					    "::1.2.3",
					    "::1.2.3.256",
					    "1:2:3:4:5:6:7:1.2.3.4",
					    "::1.2.3.4:5",
					    "-1.2.3.4"};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (parses(texts[i], &address))
			fail_msg("'%s' was taken for an address", texts[i]);
}

static void a_zero_byte_inside_is_refused(void **state)
{
	struct address address;

	(void)state;
	assert_false(address_parse("1.2.3.4\0x", 9, &address));
	assert_false(address_parse("::1\0", 4, &address));
}

static void random_text(uint64_t *seed, char *text)
{
	static const char alphabet[] = "0123456789abcdefABCDEF:::....%gx -";
	size_t length = random_below(seed, 46);

	for (size_t i = 0; i < length; i++)
		text[i] = alphabet[random_below(seed, sizeof(alphabet) - 1)];
	text[length] = '\0';
}

static void random_valid(uint64_t *seed, char *text)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = random_below(seed, 3) ? (uint8_t)random_next(seed) : 0;
	if (random_below(seed, 4) == 0)
		memset(bytes, 0, random_below(seed, 13));
	inet_ntop(random_below(seed, 2) ? AF_INET : AF_INET6, bytes, text, TEXT_MAX);
}

static void mutate(uint64_t *seed, char *text)
{
	static const char alphabet[] = "0123456789abcdef:.%";
	size_t length = strlen(text);
	size_t at = random_below(seed, (unsigned)length + 1);

	switch (random_below(seed, 3)) {
	case 0:
		if (at < length)
			text[at] = alphabet[random_below(seed, sizeof(alphabet) - 1)];
		break;
	case 1:
		memmove(text + at + 1, text + at, length - at + 1);
		text[at] = alphabet[random_below(seed, sizeof(alphabet) - 1)];
		break;
	default:
		if (at < length)
			memmove(text + at, text + at + 1, length - at);
	}
}

static void assert_like_inet_pton(const char *text)
{
	uint8_t ours[16] = {0};
	uint8_t theirs[16] = {0};
	bool ok = address_parse_ipv4(text, strlen(text), ours);

	if (ok != (inet_pton(AF_INET, text, theirs) == 1) || (ok && memcmp(ours, theirs, 4) != 0))
		fail_msg("IPv4 '%s': inet_pton disagrees", text);
	memset(ours, 0, sizeof(ours));
	memset(theirs, 0, sizeof(theirs));
	ok = address_parse_ipv6(text, strlen(text), ours);
	if (ok != (inet_pton(AF_INET6, text, theirs) == 1) ||
	    (ok && memcmp(ours, theirs, sizeof(ours)) != 0))
		fail_msg("IPv6 '%s': inet_pton disagrees", text);
}

static void every_random_or_mutated_text_parses_as_inet_pton_says(void **state)
{
	uint64_t seed = 2;
	size_t rounds = random_rounds(1000000);
	char text[TEXT_MAX + 8];

	(void)state;
	for (size_t i = 0; i < rounds; i++) {
		random_text(&seed, text);
		assert_like_inet_pton(text);
		random_valid(&seed, text);
		assert_like_inet_pton(text);
		for (unsigned j = random_below(&seed, 3); j < 3; j++)
			mutate(&seed, text);
		assert_like_inet_pton(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dotted_text_is_ipv4),
		cmocka_unit_test(a_mapped_address_is_ipv4_in_every_notation),
		cmocka_unit_test(a_zone_is_dropped_from_ipv6_only),
		cmocka_unit_test(empty_text_is_no_version),
		cmocka_unit_test(what_only_looks_like_an_address_is_refused),
		cmocka_unit_test(a_zero_byte_inside_is_refused),
		cmocka_unit_test(every_random_or_mutated_text_parses_as_inet_pton_says),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
