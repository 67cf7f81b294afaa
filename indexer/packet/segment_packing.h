/*
 * A segment's headers as the bytes that connbits_header keeps, so that a new
 * filter needs no row of the log. For IPv4 and then IPv6, all integers
 * little-endian:
 *   32 bits  the number of headers, 0 to 65536; nothing follows where it is 0
 *   8 bits   1 if the container is a list of runs, else 0
 *   16 bits  the size of the container
 *   the lower 16 bits of the row ids as a Roaring container
 *   the protocol of every header, 8 bits each
 *   the body of every header: addresses and ports as they stand in it, 12 bytes
 *   (IPv4) or 36 (IPv6). ICMP type and code stand in the source port's place,
 *   and a 1 behind them says that they are known.
 * Whatever the protocols and bodies are, what they make is a proper header:
 * everything else in it follows from them.
 */
#ifndef CONNBITS_PACKET_SEGMENT_PACKING_H
#define CONNBITS_PACKET_SEGMENT_PACKING_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "segment.h"

/*
 * Packs the headers of segment. On success the caller frees *bytes with free;
 * they are the same for the same headers.
 */
enum status segment_packing_encode(const struct segment *segment, const struct kernels *kernels,
				   uint8_t **bytes, size_t *size, struct message *message);

/*
 * Unpacks size bytes of the segment with this number, which come from
 * anywhere: whatever is wrong with them is STATUS_FAILED, and the segment then
 * is not to be used. Of its outcomes only the headers are counted.
 */
enum status segment_packing_decode(const uint8_t *bytes, size_t size, int64_t number,
				   struct segment *segment, struct message *message);

#endif
