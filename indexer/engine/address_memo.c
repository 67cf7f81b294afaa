#include "address_memo.h"

#include <stdlib.h>

enum { PLACES = 1 << 16, KNOWN = 1 << 16 };

/*
 * By the upper half of an address that was multiplied by an odd number: its lower half, which
 * with the place says which address it is, KNOWN, and below them eight answers.
 */
struct address_memo {
	uint32_t items[PLACES];
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
		const uint32_t item = memo->items[hash >> 16];

		answers[i] = (uint8_t)item;
		unknown[missing] = (uint32_t)i;
		missing += item >> 8 != (KNOWN | (hash & 0xffff));
	}
	return missing;
}

void address_memo_keep(struct address_memo *memo, const uint32_t *numbers, const uint8_t *answers,
		       const uint32_t *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t hash = mixed(numbers[places[i]]);

		memo->items[hash >> 16] = (KNOWN | (hash & 0xffff)) << 8 | answers[places[i]];
	}
}
