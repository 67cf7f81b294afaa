/*
 * Address lists as an index stores them. All integers little-endian:
 *    8 bits  1
 *   of the entries, and then of the excluded ones:
 *     32 bits  IPv4 entries
 *     32 bits  groups of those whose first addresses share their upper 16 bits
 *      8 bits  1 where some are no single address, else 0
 *     of each group the 16 bits, and 32 bits how many it has
 *     of each entry the lower 16 bits of its first address
 *     where some are no single address, of each entry a byte: n where it has 2^n
 *     addresses, 0 to 32, or 255 and
 *     of each with 255: 32 bits its last address
 *     32 bits  IPv6 entries, and of each one:
 *        8 bits  how many bytes its first address shares with the one before, times 16,
 *                and how many zero bytes end it, which are less than 16 together
 *        the bytes between
 *        8 bits  n as above, 0 to 128, or 255 and 16 bytes its last address
 * Entries ascend by first and last address. A list has one form.
 */
#ifndef CONNBITS_PACKET_ADDRESS_LIST_BYTES_H
#define CONNBITS_PACKET_ADDRESS_LIST_BYTES_H

#include "address_list.h"
#include "base/little_endian.h"
#include "base/message.h"

enum { ADDRESS_GROUP_SIZE = 6 };

/* Writes a settled list. On success the caller frees *bytes with free. */
enum status address_list_encode(const struct address_list *list, uint8_t **bytes, size_t *size,
				struct message *message);

/*
 * Reads bytes that come from anywhere. The caller frees *list, which need not be
 * initialised, with address_list_free whatever is returned.
 */
enum status address_list_decode(const uint8_t *bytes, size_t size, struct address_list *list,
				struct message *message);

/* The failure of bytes that are not as they were made; says what is wrong with them. */
enum status address_list_damaged(struct message *message, const char *what);

/* IPv4 entries of a list as they lie in its bytes: whoever walks them checks that they ascend. */
struct stored_ipv4 {
	size_t count; /* 0 where they were read into the list */
	size_t groups;
	const uint8_t *group;
	const uint8_t *low;
	const uint8_t *power; /* NULL where all are single addresses; none is 255 */
	uint64_t places; /* at most so many blocks of 2^16 addresses are touched, summed up by entry
			  */
};

/*
 * The same, but where the list has `least` IPv4 entries or more, excludes nothing, and every
 * entry has a power of two of addresses, these are left in the bytes as *stored.
 */
enum status address_list_decode_large(const uint8_t *bytes, size_t size, size_t least,
				      struct address_list *list, struct stored_ipv4 *stored,
				      struct message *message);

/* The upper 16 bits that the addresses of a group share, and how many they are. */
static inline uint32_t stored_ipv4_group(const struct stored_ipv4 *stored, size_t group)
{
	return read_little_endian_16(stored->group + group * ADDRESS_GROUP_SIZE);
}

static inline uint32_t stored_ipv4_count(const struct stored_ipv4 *stored, size_t group)
{
	return read_little_endian_32(stored->group + group * ADDRESS_GROUP_SIZE + 2);
}

/*
 * The entry at a place of a group with these upper bits; *before is 0 ahead of the first one, and
 * kept from one entry to the next. False where it does not follow the one before.
 */
static inline bool stored_ipv4_next(const struct stored_ipv4 *stored, uint32_t high, size_t place,
				    uint64_t *before, struct ipv4_range *range)
{
	const unsigned power = stored->power ? stored->power[place] : 0;
	const uint64_t first = high | read_little_endian_16(stored->low + 2 * place);
	const uint64_t last = first + (UINT64_C(1) << (power & 63)) - 1;
	const uint64_t entry = (first << 32 | (last & UINT32_MAX)) + 1;
	const bool right = power <= 32 && last <= UINT32_MAX && (entry > *before || entry == 0);

	*range = (struct ipv4_range){(uint32_t)first, (uint32_t)last};
	*before = entry;
	return right;
}

#endif
