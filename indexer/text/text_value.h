/*
 * One value of a row that is imported, and how text becomes one. Numbers keep what
 * they are: an integer that does not fit into 64 bits, or a decimal of more digits than
 * a double holds, stays text.
 */
#ifndef CONNBITS_TEXT_TEXT_VALUE_H
#define CONNBITS_TEXT_TEXT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

struct import_value {
	enum value_kind kind;
	uint32_t size; /* bytes of the text */
	union {
		int64_t integer;
		double real;
		const char *text; /* not terminated; owned by the batch */
	};
};

struct import_value value_of_text(const char *text, size_t size);
struct import_value value_of_integer(int64_t integer);
struct import_value value_of_real(double real);

/* True and *integer for decimal digits, with a minus or not, that fit. */
bool text_integer(const char *text, size_t size, int64_t *integer);

/* True and the nearest double for digits, with a point and an exponent or not. */
bool text_real(const char *text, size_t size, double *real);

/* Whether the text is an integer or decimal as programs write them: no "007", no "+1". */
bool text_is_number(const char *text, size_t size, bool *integer);

/* The value of what may be a number, and else is text. */
struct import_value value_of_number(const char *text, size_t size);

#endif
