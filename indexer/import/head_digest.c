#include "head_digest.h"

#include "base/little_endian.h"

/* FNV-1a, 64 bits (RFC 9923), from two different beginnings. */
void head_digest(const char *bytes, size_t size, uint8_t digest[static HEAD_DIGEST_SIZE])
{
	uint64_t first = UINT64_C(0xcbf29ce484222325);
	uint64_t second = UINT64_C(0x9ae16a3b2f90404f);

	for (size_t i = 0; i < size; i++) {
		first = (first ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
		second = (second ^ (uint8_t)bytes[i] ^ 0x5a) * UINT64_C(0x100000001b3);
		second ^= second >> 32;
	}
	write_little_endian_64(digest, first);
	write_little_endian_64(digest + 8, second);
}
