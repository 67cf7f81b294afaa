#include "json.h"

#include <stdbool.h>
#include <string.h>

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t json_utf8_sequence(const unsigned char *text, size_t left)
{
	unsigned char first;

	if (left == 0)
		return 0;
	first = text[0];
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (left < 2 || !is_continuation(text[1]))
		return 0;
	if (first < 0xe0)
		return 2;
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
		return 0;
	if (left < 3 || !is_continuation(text[2]))
		return 0;
	if (first < 0xf0)
		return 3;
	return left >= 4 && is_continuation(text[3]) ? 4 : 0;
}

static void write_control(FILE *stream, unsigned char byte)
{
	switch (byte) {
	case '\n':
		fputs("\\n", stream);
		break;
	case '\t':
		fputs("\\t", stream);
		break;
	case '\r':
		fputs("\\r", stream);
		break;
	default:
		fprintf(stream, "\\u%04x", byte);
	}
}

void json_write_text(FILE *stream, const char *text, size_t length)
{
	const unsigned char *next = (const unsigned char *)text;
	const unsigned char *end = next + length;

	putc('"', stream);
	while (next < end) {
		size_t sequence = json_utf8_sequence(next, (size_t)(end - next));

		if (sequence == 0) {
			fputs("\\ufffd", stream);
			next++;
			continue;
		}
		if (*next == '"' || *next == '\\')
			fprintf(stream, "\\%c", *next);
		else if (*next < 0x20 || *next == 0x7f)
			write_control(stream, *next);
		else
			fwrite(next, 1, sequence, stream);
		next += sequence;
	}
	putc('"', stream);
}

void json_write_string(FILE *stream, const char *text)
{
	json_write_text(stream, text, strlen(text));
}
