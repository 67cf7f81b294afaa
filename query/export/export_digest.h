/*
 * SHA-256 (FIPS 180-4) as hexadecimal text: of a file as sha256sum and ClickHouse's SHA256() say
 * it, and shortened to 128 bits of a bitmap, to tell whether it is still the one that was shipped.
 */
#ifndef CONNBITS_EXPORT_EXPORT_DIGEST_H
#define CONNBITS_EXPORT_EXPORT_DIGEST_H

#include <sha2.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DIGEST_HEX_SIZE = SHA256_DIGEST_STRING_LENGTH, DIGEST_SHORT_SIZE = 33 };

/* The digest of what was added, with its end. */
static inline void export_digest_end(SHA2_CTX *state, char hex[static DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[SHA256_DIGEST_LENGTH];

	SHA256Final(bytes, state);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * sizeof(bytes)] = '\0';
}

/* The first 128 bits of the digest of what was added. */
static inline void export_digest_end_short(SHA2_CTX *state, char hex[static DIGEST_SHORT_SIZE])
{
	char whole[DIGEST_HEX_SIZE];

	export_digest_end(state, whole);
	memcpy(hex, whole, DIGEST_SHORT_SIZE - 1);
	hex[DIGEST_SHORT_SIZE - 1] = '\0';
}

static inline void export_digest_short(const uint8_t *bytes, size_t size,
				       char hex[static DIGEST_SHORT_SIZE])
{
	SHA2_CTX state;

	SHA256Init(&state);
	SHA256Update(&state, bytes, size);
	export_digest_end_short(&state, hex);
}

#endif
