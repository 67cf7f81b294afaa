#include "address_memo.h"

#include <stdlib.h>

enum { PLACE_BITS = 16, TAG_BITS = 32 - PLACE_BITS, KNOWN = 1 << TAG_BITS, WAYS = 2 };

/*
 * By the upper bits of an address that was multiplied by an odd number: its lower bits, which with
 * the place say which address it is, KNOWN, and below them eight answers. A place has two
 * addresses, the later one first.
 */
struct address_memo {
	uint32_t items[1 << PLACE_BITS][WAYS];
};

struct address_memo *address_memo_new(void)
{
	return calloc(1, sizeof(struct address_memo));
}

void address_memo_free(struct address_memo *memo)
{
	free(memo);
}

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static uint32_t mixed(uint32_t number)
{
	return number * 0x9e3779b1U;
}

size_t address_memo_recall(const struct address_memo *memo, const uint32_t *numbers, size_t count,
			   uint8_t *answers, uint32_t *unknown)
{
	size_t missing = 0;

	for (size_t i = 0; i < count; i++) {
		const uint32_t hash = mixed(numbers[i]);
		const uint32_t *items = memo->items[hash >> TAG_BITS];
		const uint32_t tag = KNOWN | (hash & (KNOWN - 1));
		const uint32_t item = items[0] >> 8 == tag ? items[0] : items[1];

		answers[i] = (uint8_t)item;
		unknown[missing] = (uint32_t)i;
		missing += item >> 8 != tag;
	}
	return missing;
}

void address_memo_keep(struct address_memo *memo, const uint32_t *numbers, const uint8_t *answers,
		       const uint32_t *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t hash = mixed(numbers[places[i]]);

		uint32_t *items = memo->items[hash >> TAG_BITS];

		items[1] = items[0];
		items[0] = (KNOWN | (hash & (KNOWN - 1))) << 8 | answers[places[i]];
	}
}
