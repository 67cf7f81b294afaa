#include "time_text.h"

#include <stdio.h>
#include <string.h>

#include "packet/instant.h"

enum {
	DATE_LENGTH = 10, /* 2026-11-27 */
	COUNT_DIGITS = 7, /* of days, hours or minutes ago */
	TEXT_MAX = 80,
};

/* True and *text behind it for text that has this shape: 9 stands for a digit. */
static bool pass_shape(const char **text, const char *end, const char *shape)
{
	const char *next = *text;

	for (; *shape; shape++, next++) {
		if (next == end)
			return false;
		if (*shape == '9' ? *next < '0' || *next > '9' : *next != *shape)
			return false;
	}
	*text = next;
	return true;
}

static void pass_fraction(const char **text, const char *end)
{
	const char *next = *text;

	if (!pass_shape(&next, end, ".9"))
		return;
	while (pass_shape(&next, end, "9"))
		;
	*text = next;
}

/* Back from now: a count and a unit. */
static bool read_back(const char *text, const char *end, int64_t *microseconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}};
	const char *next = text + 1;
	int64_t count = 0;

	for (; next < end && *next >= '0' && *next <= '9'; next++) {
		if (next - text > COUNT_DIGITS)
			return false;
		count = count * 10 + (*next - '0');
	}
	if (next == text + 1 || end - next != 1)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (*next != units[i].letter)
			continue;
		*microseconds = count * units[i].seconds * 1000000;
		return true;
	}
	return false;
}

/* Says where clock and zone end; a date alone has neither. */
static bool date_has_shape(const char *text, const char *end, const char **clock_end)
{
	const char *next = text;

	if (!pass_shape(&next, end, "9999-99-99"))
		return false;
	if (pass_shape(&next, end, "T99:99") || pass_shape(&next, end, "t99:99"))
		if (pass_shape(&next, end, ":99"))
			pass_fraction(&next, end);
	*clock_end = next;
	return next == end ||
	       ((pass_shape(&next, end, "Z") || pass_shape(&next, end, "z") ||
		 pass_shape(&next, end, "+99:99") || pass_shape(&next, end, "-99:99")) &&
		next == end);
}

bool time_text_read(const char *text, size_t length, int64_t *microseconds, bool *back)
{
	const char *const end = text + length;
	const char *clock_end;
	char whole[TEXT_MAX];
	int size;
	struct field field = {.kind = FIELD_TEXT, .text = whole};

	*back = length > 0 && *text == '-';
	if (*back)
		return read_back(text, end, microseconds);
	if (length >= TEXT_MAX / 2 || !date_has_shape(text, end, &clock_end))
		return false;
	/* A zone stands behind a clock. */
	size = snprintf(whole, sizeof(whole), "%.*s%s%.*s", (int)(clock_end - text), text,
			clock_end - text == DATE_LENGTH ? "T00:00" : "", (int)(end - clock_end),
			clock_end);
	field.length = (size_t)size;
	return instant_read(&field, microseconds);
}
