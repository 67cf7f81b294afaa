/*
 * A time as an expression has it:
 *
 *   2026-11-27, 2026-11-27T18:30, 2026-11-27T18:30:05.25   UTC
 *   2026-11-27T18:30Z, 2026-11-27T18:30+01:00, 2026-11-27+01:00
 *   -7d, -12h, -30m                                        days, hours, minutes ago
 */
#ifndef CONNBITS_EXPRESSION_TIME_TEXT_H
#define CONNBITS_EXPRESSION_TIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends a message that says that something is no time. */
#define TIME_TEXT_EXPECTED                                                                         \
	"expected 2026-11-27, 2026-11-27T18:30:05Z or, back from now, -7d, -12h, -30m"

/*
 * False for what is no time. Else *microseconds since 1970-01-01 00:00 UTC, digits behind
 * the sixth of a second left out; or where *back says so, how many microseconds it goes back
 * from now.
 */
bool time_text_read(const char *text, size_t length, int64_t *microseconds, bool *back);

#endif
