/* Address sets against their entries one by one: asked, stored and read again, compared. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "packet/address_list.h"
#include "packet/address_list_bytes.h"
#include "packet/address_set.h"
#include "random.h"

enum { ASKED = 400 };

/* Few different addresses at the ends of what there is, or anywhere. */
static address_number random_address(uint64_t *seed, uint8_t version, bool near)
{
	const address_number all = version == 4 ? UINT32_MAX : ~(address_number)0;
	address_number number = (address_number)random_next(seed) << 64 | random_next(seed);

	if (near)
		number = (number & 0x3f) + (random_below(seed, 2) ? 0xfff0 : 0);
	if (near && random_below(seed, 4) == 0)
		number = all - number;
	return number & all;
}

static void random_entry(uint64_t *seed, struct address_ranges *ranges, uint8_t version, bool near)
{
	const address_number all = version == 4 ? UINT32_MAX : ~(address_number)0;
	const address_number first = random_address(seed, version, near);
	address_number last = first;

	if (random_below(seed, 3) == 0)
		last = first |
		       (((address_number)1 << random_below(seed, version == 4 ? 32 : 127)) - 1);
	else if (random_below(seed, 3) == 0)
		last = first + random_below(seed, 100);
	if (last < first || last > all)
		last = all;
	assert_true(address_ranges_add(ranges, version, first, last));
}

static void random_list(uint64_t *seed, struct address_list *list, bool near)
{
	*list = (struct address_list){0};
	for (unsigned left = random_below(seed, 30); left > 0; left--)
		random_entry(seed, &list->in, random_below(seed, 2) ? 4 : 6, near);
	for (unsigned left = random_below(seed, 2) ? 0 : random_below(seed, 6); left > 0; left--)
		random_entry(seed, &list->out, random_below(seed, 2) ? 4 : 6, near);
	address_list_settle(list);
}

static bool ranges_have(const struct address_ranges *ranges, uint8_t version, address_number number)
{
	for (size_t i = 0; version == 4 && i < ranges->ipv4_count; i++)
		if (ranges->ipv4[i].first <= number && number <= ranges->ipv4[i].last)
			return true;
	for (size_t i = 0; version == 6 && i < ranges->ipv6_count; i++)
		if (ranges->ipv6[i].first <= number && number <= ranges->ipv6[i].last)
			return true;
	return false;
}

static bool list_has(const struct address_list *list, uint8_t version, address_number number)
{
	return ranges_have(&list->in, version, number) && !ranges_have(&list->out, version, number);
}

static int compare_numbers(const void *a, const void *b)
{
	const address_number x = *(const address_number *)a;
	const address_number y = *(const address_number *)b;

	return (x > y) - (x < y);
}

/* Asks a set for ascending addresses, those of entries and random ones. */
static void set_check(uint64_t *seed, const struct address_list *list,
		      const struct address_set *set, uint8_t version, bool near)
{
	address_number numbers[ASKED];
	uint32_t ipv4[ASKED];
	uint8_t ipv6[ASKED][16];
	uint8_t has[ASKED];
	size_t found = 0;
	size_t said;

	for (size_t i = 0; i < ASKED; i++)
		numbers[i] = random_address(seed, version, near);
	for (size_t i = 0; version == 4 && i < list->in.ipv4_count && i < ASKED / 2; i++) {
		numbers[2 * i] = list->in.ipv4[i].first;
		numbers[2 * i + 1] = list->in.ipv4[i].last;
	}
	for (size_t i = 0; version == 6 && i < list->in.ipv6_count && i < ASKED / 2; i++) {
		numbers[2 * i] = list->in.ipv6[i].first;
		numbers[2 * i + 1] = list->in.ipv6[i].last;
	}
	qsort(numbers, ASKED, sizeof(*numbers), compare_numbers);
	for (size_t i = 0; i < ASKED; i++) {
		ipv4[i] = (uint32_t)numbers[i];
		for (size_t j = 0; j < 16; j++)
			ipv6[i][j] = (uint8_t)(numbers[i] >> (120 - 8 * j));
	}
	said = version == 4 ? address_set_has_ipv4(set, ipv4, ASKED, has)
			    : address_set_has_ipv6(set, (const uint8_t(*)[16])ipv6, ASKED, has);
	for (size_t i = 0; i < ASKED; i++) {
		assert_int_equal(has[i], list_has(list, version, numbers[i]));
		found += has[i];
	}
	assert_int_equal(said, found);
}

/* The set of a list, which stays. */
static struct address_set *set_of(const struct address_list *list)
{
	struct address_list copy;
	struct address_set *set;
	struct message message;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(address_list_encode(list, &bytes, &size, &message), STATUS_OK);
	assert_int_equal(address_list_decode(bytes, size, &copy, &message), STATUS_OK);
	assert_int_equal(address_set_make(&copy, &set, &message), STATUS_OK);
	address_list_free(&copy);
	free(bytes);
	return set;
}

static void a_set_has_what_its_entries_have(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (size_t round = 0; round < random_rounds(3000); round++) {
		const bool near = random_below(&seed, 3) > 0;
		struct address_list list;
		struct address_set *set;

		random_list(&seed, &list, near);
		set = set_of(&list);
		set_check(&seed, &list, set, 4, near);
		set_check(&seed, &list, set, 6, near);
		address_set_free(set);
		address_list_free(&list);
	}
}

/* A list of many IPv4 entries, from which on they lie in groups. */
static void large_list(uint64_t *seed, struct address_list *list, size_t count, bool wide, bool out)
{
	*list = (struct address_list){0};
	for (size_t i = 0; i < count; i++) {
		const address_number first = random_address(seed, 4, false);
		address_number last = first;

		if (wide && random_below(seed, 8) == 0)
			last += random_below(seed, 1U << random_below(seed, 20));
		assert_true(address_ranges_add(out && random_below(seed, 50) == 0 ? &list->out
										  : &list->in,
					       4, first, last > UINT32_MAX ? UINT32_MAX : last));
	}
	address_list_settle(list);
}

static bool ranges_same(const struct address_ranges *a, const struct address_ranges *b)
{
	bool same = a->ipv4_count == b->ipv4_count && a->ipv6_count == b->ipv6_count;

	for (size_t i = 0; same && i < a->ipv4_count; i++)
		same = a->ipv4[i].first == b->ipv4[i].first && a->ipv4[i].last == b->ipv4[i].last;
	for (size_t i = 0; same && i < a->ipv6_count; i++)
		same = a->ipv6[i].first == b->ipv6[i].first && a->ipv6[i].last == b->ipv6[i].last;
	return same;
}

/* Both ways to a set, from a list and from its bytes, give the same answers. */
static void ways_compare(uint64_t *seed, const struct address_list *list)
{
	struct address_list read;
	struct address_set *made;
	struct address_set *stored;
	struct message message;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(address_list_encode(list, &bytes, &size, &message), STATUS_OK);
	assert_int_equal(address_list_decode(bytes, size, &read, &message), STATUS_OK);
	assert_true(ranges_same(&list->in, &read.in) && ranges_same(&list->out, &read.out));
	made = set_of(list);
	assert_int_equal(address_set_read(bytes, size, &stored, &message), STATUS_OK);
	for (size_t i = 0; i < 40; i++) {
		uint32_t numbers[64];
		uint8_t by_list[64];
		uint8_t by_bytes[64];
		const size_t from = random_below(seed, (unsigned)list->in.ipv4_count - 64);

		for (size_t j = 0; j < 64; j++) {
			const struct ipv4_range *range = &list->in.ipv4[from + j];

			numbers[j] = i % 2 ? range->first : range->last;
			if (i % 4 == 3 && numbers[j] < UINT32_MAX)
				numbers[j]++;
			if (j && numbers[j] < numbers[j - 1])
				numbers[j] = numbers[j - 1];
		}
		assert_int_equal(address_set_has_ipv4(made, numbers, 64, by_list),
				 address_set_has_ipv4(stored, numbers, 64, by_bytes));
		assert_memory_equal(by_list, by_bytes, 64);
		for (size_t j = 0; j < 64 && i < 8; j++)
			assert_int_equal(by_list[j], list_has(list, 4, numbers[j]));
	}
	address_set_free(made);
	address_set_free(stored);
	address_list_free(&read);
	free(bytes);
}

static void many_entries_are_as_few(void **state)
{
	uint64_t seed = 6;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct address_list list;

		large_list(&seed, &list, 200000, kind & 1, kind & 2);
		ways_compare(&seed, &list);
		address_list_free(&list);
	}
}

static void a_million_entries_take_no_more_than_eight_bytes_each(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		for (size_t count = 1000; count <= 1000000; count *= 10) {
			struct address_list list;
			struct address_set *set;

			large_list(&seed, &list, count, false, false);
			for (size_t i = 0; wide && i < list.in.ipv4_count; i++) {
				list.in.ipv4[i].first &= 0xffffff00;
				list.in.ipv4[i].last = list.in.ipv4[i].first | 0xff;
			}
			address_list_settle(&list);
			set = set_of(&list);
			assert_true(address_set_size(set) <= 8 * list.in.ipv4_count + 200);
			address_set_free(set);
			address_list_free(&list);
		}
	}
}

static void a_list_is_the_same_again_from_its_bytes(void **state)
{
	uint64_t seed = 8;
	struct message message;

	(void)state;
	for (size_t round = 0; round < random_rounds(3000); round++) {
		struct address_list list;
		struct address_list read;
		uint8_t *bytes;
		size_t size;

		random_list(&seed, &list, random_below(&seed, 2));
		assert_int_equal(address_list_encode(&list, &bytes, &size, &message), STATUS_OK);
		assert_int_equal(address_list_decode(bytes, size, &read, &message), STATUS_OK);
		assert_true(ranges_same(&list.in, &read.in) && ranges_same(&list.out, &read.out));
		address_list_free(&read);
		/* Bytes that are cut are none. */
		assert_int_equal(address_list_decode(bytes, random_below(&seed, (unsigned)size),
						     &read, &message),
				 STATUS_FAILED);
		address_list_free(&read);
		address_list_free(&list);
		free(bytes);
	}
}

static void what_came_and_went_is_counted(void **state)
{
	struct address_list before = {0};
	struct address_list after = {0};
	uint64_t came;
	uint64_t went;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		assert_true(address_ranges_add(&before.in, 4, i, i));
		assert_true(address_ranges_add(&after.in, 4, i + 3, i + 3));
	}
	assert_true(address_ranges_add(&after.out, 6, 1, 2));
	address_list_settle(&before);
	address_list_settle(&after);
	address_list_compare(&before, &after, &came, &went);
	assert_int_equal(came, 4);
	assert_int_equal(went, 3);
	address_list_free(&before);
	address_list_free(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_has_what_its_entries_have),
		cmocka_unit_test(many_entries_are_as_few),
		cmocka_unit_test(a_million_entries_take_no_more_than_eight_bytes_each),
		cmocka_unit_test(a_list_is_the_same_again_from_its_bytes),
		cmocka_unit_test(what_came_and_went_is_counted),
	};

	return cmocka_run_group_tests_name("address_set", tests, NULL, NULL);
}
