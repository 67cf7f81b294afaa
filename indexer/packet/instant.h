/*
 * The time of a row, however its log writes it.
 *
 *   1700000000, 1700000000.25, '1700000000'   seconds since 1970; by their magnitude
 *   1700000000250, ...                        milli-, micro- or nanoseconds
 *   '2023-11-14', '2023-11-14 22:13:20.25', '2023-11-14T22:13:20Z',
 *   '2023-11-14T23:13+01:00', '20231114T221320Z', '20231114'
 *   '2023-11-14 23:13:20.25 +0100 CET m=+0.5' as Go prints it
 *   '2023/11/14T22:13:20.250' as SiLK and Argus print it
 *
 * A date without a zone is UTC, as it is to SQLite's date functions.
 * Source: ISO 8601, RFC 3339; Go's time.Time.String.
 */
#ifndef CONNBITS_PACKET_INSTANT_H
#define CONNBITS_PACKET_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "reading.h"

/* Where a time would stand in microseconds: there is none. No time is this number. */
#define INSTANT_NONE INT64_MIN

/* value / unit rounded down, also of what lies before 1970; unit is 1 or more. */
static inline int64_t instant_floor(int64_t value, int64_t unit)
{
	return value / unit - (value % unit < 0);
}

/*
 * True and *microseconds since 1970-01-01 00:00 UTC, rounded down where the log
 * has nanoseconds; false for what is no time. Numbers are seconds below 10^11,
 * milliseconds below 10^14, microseconds below 10^17, and else nanoseconds,
 * whatever their sign.
 */
bool instant_read(const struct field *field, int64_t *microseconds);

#endif
