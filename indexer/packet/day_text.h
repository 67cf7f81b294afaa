/* A day as text, YYYY-MM-DD, of the proleptic Gregorian calendar (ISO 8601). */
#ifndef CONNBITS_PACKET_DAY_TEXT_H
#define CONNBITS_PACKET_DAY_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define DAY_MICROSECONDS (INT64_C(86400) * 1000000)

enum { DAY_TEXT_SIZE = 24 };

/*
 * Writes a day that has a time in microseconds, counted since 1970-01-01, and a zero byte. Years
 * beyond 0000 to 9999 take more digits, or a minus. Returns the length.
 */
size_t day_text(int64_t day, char text[static DAY_TEXT_SIZE]);

#endif
