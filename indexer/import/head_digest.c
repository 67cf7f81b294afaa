#include "head_digest.h"

#include "base/little_endian.h"

/* FNV-1a, 64 bits (RFC 9923), from two different beginnings. */
static void digest_from(uint64_t first, uint64_t second, const char *bytes, size_t size,
			uint8_t digest[static HEAD_DIGEST_SIZE])
{
	for (size_t i = 0; i < size; i++) {
		first = (first ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
		second = (second ^ (uint8_t)bytes[i] ^ 0x5a) * UINT64_C(0x100000001b3);
		second ^= second >> 32;
	}
	write_little_endian_64(digest, first);
	write_little_endian_64(digest + 8, second);
}

void head_digest(const char *bytes, size_t size, uint8_t digest[static HEAD_DIGEST_SIZE])
{
	digest_from(UINT64_C(0xcbf29ce484222325), UINT64_C(0x9ae16a3b2f90404f), bytes, size,
		    digest);
}

void head_digest_go_on(uint8_t digest[static HEAD_DIGEST_SIZE], const char *bytes, size_t size)
{
	digest_from(read_little_endian_64(digest) ^ UINT64_C(0xcbf29ce484222325),
		    read_little_endian_64(digest + 8) ^ UINT64_C(0x9ae16a3b2f90404f), bytes, size,
		    digest);
}
