#include "markup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* U+0080 to U+009F, U+061C, U+200E, U+200F, U+202A to U+202E, and U+2066 to U+2069, in UTF-8. */
static bool is_control(const unsigned char *text, size_t length)
{
	if (length == 1)
		return (text[0] < 0x20 && text[0] != '\n' && text[0] != '\t') || text[0] == 0x7f;
	if (length == 2)
		return (text[0] == 0xc2 && text[1] < 0xa0) || (text[0] == 0xd8 && text[1] == 0x9c);
	if (length != 3 || text[0] != 0xe2)
		return false;
	return (text[1] == 0x80 &&
		(text[2] == 0x8e || text[2] == 0x8f || (text[2] >= 0xaa && text[2] <= 0xae))) ||
	       (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9);
}

static const char *entity_of(unsigned char character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void markup_text(FILE *stream, const char *text)
{
	const unsigned char *next = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left) {
		const size_t length = json_utf8_sequence(next, left);
		const char *entity = entity_of(*next);

		if (length == 0 || is_control(next, length))
			fputs(REPLACEMENT, stream);
		else if (entity)
			fputs(entity, stream);
		else
			fwrite(next, 1, length, stream);
		next += length ? length : 1;
		left -= length ? length : 1;
	}
}

void markup_number(FILE *stream, uint64_t number)
{
	char digits[24];
	const int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			putc(',', stream);
		putc(digits[i], stream);
	}
}
