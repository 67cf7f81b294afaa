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

/* IPv4 entries that are all single addresses, as they lie in the bytes of a list. */
struct address_hosts {
	size_t count;
	size_t groups;
	const uint8_t *group;
	const uint8_t *low;
};

/*
 * The same, but where the list excludes nothing and has single IPv4 addresses alone, `least` of
 * them or more, they are left in the bytes as *hosts; else its count is 0.
 */
enum status address_list_decode_hosts(const uint8_t *bytes, size_t size, size_t least,
				      struct address_list *list, struct address_hosts *hosts,
				      struct message *message);

/* The upper 16 bits that the addresses of a group share, and how many they are. */
static inline uint32_t address_hosts_group(const struct address_hosts *hosts, size_t group)
{
	return read_little_endian_16(hosts->group + group * ADDRESS_GROUP_SIZE);
}

static inline uint32_t address_hosts_count(const struct address_hosts *hosts, size_t group)
{
	return read_little_endian_32(hosts->group + group * ADDRESS_GROUP_SIZE + 2);
}

/* The lower 16 bits of an address. */
static inline uint16_t address_hosts_low(const struct address_hosts *hosts, size_t place)
{
	return read_little_endian_16(hosts->low + 2 * place);
}

#endif
