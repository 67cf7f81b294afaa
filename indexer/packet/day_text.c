#include "day_text.h"

#include <stdio.h>

enum {
	DAYS_OF_4 = 1461, /* years */
	DAYS_OF_100 = 36524,
	DAYS_OF_400 = 146097,
	DAYS_TO_1970 =
		719468, /* from 0000-03-01: a year that begins in March ends in its leap day */
};

struct date {
	int64_t year;
	unsigned month;
	unsigned day;
};

static struct date date_of(int64_t day)
{
	const int64_t since = day + DAYS_TO_1970;
	const int64_t era = since / DAYS_OF_400 - (since % DAYS_OF_400 < 0);
	const unsigned in_era = (unsigned)(since - era * DAYS_OF_400);
	const unsigned year = (in_era - in_era / (DAYS_OF_4 - 1) + in_era / DAYS_OF_100 -
			       in_era / (DAYS_OF_400 - 1)) /
			      365;
	const unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	/* The months from March on have 31, 30, 31, 30, 31 days, and again. */
	const unsigned month = (5 * in_year + 2) / 153;

	return (struct date){.year = (int64_t)year + era * 400 + (month >= 10),
			     .month = month < 10 ? month + 3 : month - 9,
			     .day = in_year - (153 * month + 2) / 5 + 1};
}

static char *digits_write(char *out, unsigned number, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		out[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return out + count;
}

size_t day_text(int64_t day, char text[static DAY_TEXT_SIZE])
{
	const struct date date = date_of(day);
	char *next = text;

	if (date.year < 0 || date.year > 9999)
		return (size_t)snprintf(text, DAY_TEXT_SIZE, "%04lld-%02u-%02u",
					(long long)date.year, date.month, date.day);
	next = digits_write(next, (unsigned)date.year, 4);
	*next++ = '-';
	next = digits_write(next, date.month, 2);
	*next++ = '-';
	next = digits_write(next, date.day, 2);
	*next = '\0';
	return (size_t)(next - text);
}
