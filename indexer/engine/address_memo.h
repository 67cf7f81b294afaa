/*
 * What up to eight sets answered about IPv4 addresses: logs have the same ones in segment after
 * segment. An address has one place, where a later one takes it.
 */
#ifndef CONNBITS_ENGINE_ADDRESS_MEMO_H
#define CONNBITS_ENGINE_ADDRESS_MEMO_H

#include <stddef.h>
#include <stdint.h>

struct address_memo;

/* NULL without memory. Free with address_memo_free. */
struct address_memo *address_memo_new(void);

/*
 * Writes the answers that are known of count addresses, and the places of the others, ascending,
 * to unknown. Returns how many those are.
 */
size_t address_memo_recall(const struct address_memo *memo, const uint32_t *numbers, size_t count,
			   uint8_t *answers, uint32_t *unknown);

/* Keeps the answers about the addresses at count places. */
void address_memo_keep(struct address_memo *memo, const uint32_t *numbers, const uint8_t *answers,
		       const uint32_t *places, size_t count);

void address_memo_free(struct address_memo *memo);

#endif
