#include "text_value.h"

#include <stdlib.h>
#include <string.h>

enum {
	INTEGER_DIGITS = 18, /* so many always fit into 64 bits, and one more may */
	REAL_DIGITS = 15,    /* and so many come out of a double as they went in */
	REAL_LENGTH = 64,
	POWERS = 23,
};

struct import_value value_of_text(const char *text, size_t size)
{
	return (struct import_value){.kind = VALUE_TEXT, .size = (uint32_t)size, .text = text};
}

struct import_value value_of_integer(int64_t integer)
{
	return (struct import_value){.kind = VALUE_INTEGER, .integer = integer};
}

struct import_value value_of_real(double real)
{
	return (struct import_value){.kind = VALUE_REAL, .real = real};
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

bool text_integer(const char *text, size_t size, int64_t *integer)
{
	const bool minus = size > 0 && text[0] == '-';
	uint64_t number = 0;
	size_t i = minus;

	if (size == i || size - i > INTEGER_DIGITS + 1)
		return false;
	for (; i < size; i++) {
		if (!is_digit(text[i]))
			return false;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	if (number > INT64_MAX)
		return false;
	*integer = minus ? -(int64_t)number : (int64_t)number;
	return true;
}

/* Digits with a point among them: exact where both parts of the division are. */
static bool decimal_real(const char *text, size_t size, double *real)
{
	static const double powers[POWERS] = {1e0,  1e1,  1e2,	1e3,  1e4,  1e5,  1e6,	1e7,
					      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	const bool minus = size > 0 && text[0] == '-';
	uint64_t number = 0;
	size_t digits = 0;
	size_t behind = 0;
	bool point = false;

	for (size_t i = minus; i < size; i++) {
		if (text[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(text[i]) || ++digits > INTEGER_DIGITS)
			return false;
		number = number * 10 + (uint64_t)(text[i] - '0');
		behind += point;
	}
	if (digits == 0 || number > (uint64_t)1 << 53)
		return false;
	*real = (double)number / powers[behind];
	if (minus)
		*real = -*real;
	return true;
}

bool text_real(const char *text, size_t size, double *real)
{
	char copy[REAL_LENGTH];
	char *end;

	if (decimal_real(text, size, real))
		return true;
	if (size == 0 || size >= sizeof(copy))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_digit(text[i]) && (text[i] == '\0' || !strchr("+-.eE", text[i])))
			return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	*real = strtod(copy, &end);
	return end == copy + size;
}

bool text_is_number(const char *text, size_t size, bool *integer)
{
	const size_t from = size > 0 && text[0] == '-';
	size_t digits = 0;
	size_t points = 0;
	int64_t number;

	for (size_t i = from; i < size; i++) {
		if (text[i] == '.')
			points++;
		else if (is_digit(text[i]))
			digits++;
		else
			return false;
	}
	if (digits == 0 || points > 1 || !is_digit(text[from]) || !is_digit(text[size - 1]))
		return false;
	*integer = points == 0;
	if (*integer ? !text_integer(text, size, &number) : digits > REAL_DIGITS + 1)
		return false;
	return text[from] != '0' || size - from == 1 || text[from + 1] == '.';
}

struct import_value value_of_number(const char *text, size_t size)
{
	struct import_value value = {.kind = VALUE_NULL};
	bool integer;

	if (!text_is_number(text, size, &integer))
		return value_of_text(text, size);
	if (integer && text_integer(text, size, &value.integer))
		value.kind = VALUE_INTEGER;
	else if (!integer && text_real(text, size, &value.real))
		value.kind = VALUE_REAL;
	return value.kind == VALUE_NULL ? value_of_text(text, size) : value;
}
