#include "instant.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 63, SECONDS_A_DAY = 86400, BASIC_DATE = 8 /* characters */ };

#define MICROSECONDS INT64_C(1000000) /* in a second */

/* Bytes of a text that are not yet read. */
struct rest {
	const char *at;
	const char *end;
};

static bool whole_number(int64_t value, int64_t *microseconds)
{
	const uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	if (magnitude < UINT64_C(100000000000))
		*microseconds = value * MICROSECONDS;
	else if (magnitude < UINT64_C(100000000000000))
		*microseconds = value * 1000;
	else if (magnitude < UINT64_C(100000000000000000))
		*microseconds = value;
	else
		*microseconds = instant_floor(value, 1000);
	return true;
}

static bool real_number(double value, int64_t *microseconds)
{
	const double magnitude = value < 0 ? -value : value;
	const double scale = magnitude < 1e11	? 1e6
			     : magnitude < 1e14 ? 1e3
			     : magnitude < 1e17 ? 1
						: 1e-3;

	/* NaN is no magnitude. */
	if (!(magnitude < 9e18))
		return false;
	*microseconds = (int64_t)(magnitude * scale + 0.5);
	if (value < 0)
		*microseconds = -*microseconds;
	return true;
}

static bool is_digit(const struct rest *rest)
{
	return rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9';
}

/* True and the next byte passed if it is one of these. */
static bool pass(struct rest *rest, const char *bytes)
{
	if (rest->at >= rest->end || *rest->at == '\0' || !strchr(bytes, *rest->at))
		return false;
	rest->at++;
	return true;
}

/* True and the next bytes passed if they are this word. */
static bool pass_word(struct rest *rest, const char *word)
{
	const size_t length = strlen(word);

	if ((size_t)(rest->end - rest->at) < length || memcmp(rest->at, word, length) != 0)
		return false;
	rest->at += length;
	return true;
}

static size_t pass_digits(struct rest *rest)
{
	const char *const start = rest->at;

	while (is_digit(rest))
		rest->at++;
	return (size_t)(rest->at - start);
}

/* Exactly so many digits, as a number of at most limit. */
static bool digits(struct rest *rest, int count, int limit, int *value)
{
	*value = 0;
	for (int i = 0; i < count; i++) {
		if (!is_digit(rest))
			return false;
		*value = *value * 10 + (*rest->at++ - '0');
	}
	return *value <= limit;
}

/* A number in decimal digits, with or without sign, fraction and exponent. */
static bool is_number(struct rest rest, bool *whole)
{
	size_t count;

	pass(&rest, "+-");
	count = pass_digits(&rest);
	*whole = rest.at == rest.end;
	if (pass(&rest, "."))
		count += pass_digits(&rest);
	if (count == 0)
		return false;
	if (pass(&rest, "eE")) {
		pass(&rest, "+-");
		if (pass_digits(&rest) == 0)
			return false;
	}
	return rest.at == rest.end;
}

static bool text_number(const struct rest *rest, bool whole, int64_t *microseconds)
{
	const size_t length = (size_t)(rest->end - rest->at);
	char text[NUMBER_TEXT_MAX + 1];

	if (length > NUMBER_TEXT_MAX)
		return false;
	memcpy(text, rest->at, length);
	text[length] = '\0';
	if (whole) {
		const long long value = strtoll(text, NULL, 10);

		/* Both ends stand for what is beyond 64 bits, too. */
		return value != INT64_MAX && value != INT64_MIN &&
		       whole_number(value, microseconds);
	}
	return real_number(strtod(text, NULL), microseconds);
}

/* Days since 1970-01-01 in the Gregorian calendar, which it goes on with before its time. */
static int64_t days_of(int year, int month, int day)
{
	const int64_t shifted = month > 2 ? year : year - 1; /* a year begins in March */
	const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719468;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* 2023-11-14, 2023/11/14 as SiLK and Argus have it, or 20231114; *extended says which. */
static bool read_date(struct rest *rest, bool *extended, int64_t *days)
{
	int year;
	int month;
	int day;
	bool slash;

	/* Year 0 has a first of March in it but no first of January for days_of. */
	if (!digits(rest, 4, 9999, &year) || year == 0)
		return false;
	slash = pass(rest, "/");
	*extended = slash || pass(rest, "-");
	if (!digits(rest, 2, 12, &month) || month == 0 ||
	    (*extended && !pass(rest, slash ? "/" : "-")) || !digits(rest, 2, 31, &day) ||
	    day == 0 || day > days_in(year, month))
		return false;
	*days = days_of(year, month, day);
	return true;
}

/* .25 or ,25 of a second; digits behind the sixth are left out. */
static bool read_fraction(struct rest *rest, int64_t *microseconds)
{
	int64_t unit = MICROSECONDS / 10;

	*microseconds = 0;
	if (!pass(rest, ".,"))
		return true;
	if (!is_digit(rest))
		return false;
	for (; is_digit(rest); rest->at++, unit /= 10)
		*microseconds += (*rest->at - '0') * unit;
	return true;
}

/* 22:13, 22:13:20, 22:13:20.25, or without colons. A leap second is the next one. */
static bool read_clock(struct rest *rest, bool extended, int64_t *microseconds)
{
	int hour;
	int minute;
	int second = 0;
	int64_t fraction = 0;

	if (!digits(rest, 2, 23, &hour) || (extended && !pass(rest, ":")) ||
	    !digits(rest, 2, 59, &minute))
		return false;
	if ((extended ? pass(rest, ":") : is_digit(rest)) &&
	    (!digits(rest, 2, 60, &second) || !read_fraction(rest, &fraction)))
		return false;
	*microseconds = (hour * 3600 + minute * 60 + second) * MICROSECONDS + fraction;
	return true;
}

/* Behind an offset Go puts the zone's name, and what its monotonic clock says. */
static void pass_go(struct rest *rest)
{
	struct rest name = *rest;

	if (pass(&name, " ") && !(name.end - name.at >= 2 && memcmp(name.at, "m=", 2) == 0)) {
		while (name.at < name.end && *name.at != ' ')
			name.at++;
		*rest = name;
	}
	if (pass_word(rest, " m=+") || pass_word(rest, " m=-")) {
		pass_digits(rest);
		pass(rest, ".");
		pass_digits(rest);
	}
}

/* Z, UTC, +01:00, +0100, +01, or nothing, which is UTC. */
static bool read_zone(struct rest *rest, int64_t *microseconds)
{
	int64_t sign;
	int hour;
	int minute = 0;
	int second = 0;

	*microseconds = 0;
	if (pass_word(rest, "Z") || pass_word(rest, "z") || pass_word(rest, "UTC") ||
	    pass_word(rest, "GMT") || rest->at == rest->end)
		return true;
	sign = *rest->at == '-' ? -1 : 1;
	if (!pass(rest, "+-") || !digits(rest, 2, 23, &hour))
		return false;
	if ((pass(rest, ":") || is_digit(rest)) && !digits(rest, 2, 59, &minute))
		return false;
	/* Places had offsets of seconds before they had zones, and Python prints them. */
	if (pass(rest, ":") && !digits(rest, 2, 59, &second))
		return false;
	*microseconds = sign * MICROSECONDS * (hour * 3600 + minute * 60 + second);
	pass_go(rest);
	return true;
}

static bool text_date(struct rest rest, int64_t *microseconds)
{
	bool extended;
	int64_t days;
	int64_t clock = 0;
	int64_t offset = 0;

	if (!read_date(&rest, &extended, &days))
		return false;
	if (pass(&rest, "Tt ")) {
		if (!read_clock(&rest, extended, &clock))
			return false;
		pass(&rest, " ");
		if (!read_zone(&rest, &offset))
			return false;
	}
	*microseconds = days * SECONDS_A_DAY * MICROSECONDS + clock - offset;
	return rest.at == rest.end;
}

static bool read_text(struct rest rest, int64_t *microseconds)
{
	bool whole;

	while (pass(&rest, " "))
		;
	while (rest.end > rest.at && rest.end[-1] == ' ')
		rest.end--;
	/* 20231114 in seconds would be a day of 1970. */
	if (rest.end - rest.at == BASIC_DATE && text_date(rest, microseconds))
		return true;
	return is_number(rest, &whole) ? text_number(&rest, whole, microseconds)
				       : text_date(rest, microseconds);
}

bool instant_read(const struct field *field, int64_t *microseconds)
{
	switch (field->kind) {
	case FIELD_INTEGER:
		return whole_number(field->integer, microseconds);
	case FIELD_REAL:
		return real_number(field->real, microseconds);
	case FIELD_TEXT:
		return field->length > 0 &&
		       read_text((struct rest){field->text, field->text + field->length},
				 microseconds);
	default:
		return false;
	}
}
