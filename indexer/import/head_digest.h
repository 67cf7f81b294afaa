/*
 * A few bytes by which the beginning of a file is known again. Not for whoever wants two
 * files to have the same one.
 */
#ifndef CONNBITS_IMPORT_HEAD_DIGEST_H
#define CONNBITS_IMPORT_HEAD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { HEAD_DIGEST_SIZE = 16 };

void head_digest(const char *bytes, size_t size, uint8_t digest[static HEAD_DIGEST_SIZE]);

/* The digest of what a digest is of with more bytes behind; the first one is all 0. */
void head_digest_go_on(uint8_t digest[static HEAD_DIGEST_SIZE], const char *bytes, size_t size);

#endif
