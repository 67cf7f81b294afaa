/*
 * JSON text (RFC 8259) on a stream. Text that is not UTF-8 comes out as JSON
 * all the same: every bad byte becomes U+FFFD.
 */
#ifndef CONNBITS_BASE_JSON_H
#define CONNBITS_BASE_JSON_H

#include <stddef.h>
#include <stdio.h>

/* Writes length bytes as a JSON string with its quotes. */
void json_write_text(FILE *stream, const char *text, size_t length);

/* The same for a C string. */
void json_write_string(FILE *stream, const char *text);

/*
 * The length of the valid UTF-8 sequence (RFC 3629) at text, 1 to 4 bytes, or
 * 0 if there is none within left bytes.
 */
size_t json_utf8_sequence(const unsigned char *text, size_t left);

#endif
