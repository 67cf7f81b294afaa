/* A column of times read by the page that says what it is, one bit at a time. */
#ifndef CONNBITS_PLAIN_TIME_H
#define CONNBITS_PLAIN_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False for bytes that are no such column. times has room for a segment's. */
bool plain_time_read(const uint8_t *bytes, size_t size, int64_t *times, size_t *rows);

#endif
