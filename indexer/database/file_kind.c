#include "file_kind.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { HEAD_MAX = 4096 };

/* What stands at the start of a file. Source: the formats' own specifications, magic(5). */
static const struct magic {
	const char *bytes;
	size_t length;
	const char *kind;
} magics[] = {
#define MAKES_ONE "connbits-import LOG.sqlite FILE makes one of it"
#define CAPTURE "a capture, not a log in SQLite; " MAKES_ONE
#define COMPRESSED(name, tool)                                                                     \
	"compressed with " name ", not a log in SQLite; unpack it first: " tool
	{"\xa1\xb2\xc3\xd4", 4, CAPTURE},
	{"\xd4\xc3\xb2\xa1", 4, CAPTURE},
	{"\xa1\xb2\x3c\x4d", 4, CAPTURE},
	{"\x4d\x3c\xb2\xa1", 4, CAPTURE},
	{"\x0a\x0d\x0d\x0a", 4, CAPTURE},
	{"\x1f\x8b", 2,
	 "compressed with gzip, not a log in SQLite; unpack it first, or where it is a "
	 "capture or a text log, " MAKES_ONE},
	{"\x28\xb5\x2f\xfd", 4,
	 "compressed with zstd, not a log in SQLite; unpack it first, or where "
	 "it is a capture or a text log, " MAKES_ONE},
	{"\xfd"
	 "7zXZ",
	 5, COMPRESSED("xz", "unxz")},
	{"BZh", 3, COMPRESSED("bzip2", "bunzip2")},
	{"PK\x03\x04", 4, COMPRESSED("zip", "unzip")},
	{"#separator ", 11, "a log of Zeek as text, not one in SQLite; " MAKES_ONE},
};

/* Up to the first line's end. */
static size_t line_length(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);

	return end ? (size_t)(end - bytes) : length;
}

static bool line_begins(const char *bytes, size_t length, const char *word)
{
	return length >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

/* Whether any line begins a section of a catalogue. */
static bool is_catalogue(const char *bytes, size_t length)
{
	while (length > 0) {
		const size_t line = line_length(bytes, length);

		if (line_begins(bytes, line, "[filter ") || line_begins(bytes, line, "[source]"))
			return true;
		if (line == length)
			return false;
		bytes += line + 1;
		length -= line + 1;
	}
	return false;
}

static bool is_text(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)bytes[i];

		if (byte < ' ' && !strchr("\t\n\r\f", byte))
			return false;
		if (byte == '\0' || byte == 0x7f)
			return false;
	}
	return length > 0;
}

static bool is_json(const char *bytes, size_t length)
{
	while (length > 0 && *bytes != '\0' && strchr(" \t\r\n", *bytes)) {
		bytes++;
		length--;
	}
	return length > 0 && (*bytes == '{' || *bytes == '[');
}

const char *file_kind_find(const char *bytes, size_t length)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (length >= magics[i].length &&
		    memcmp(bytes, magics[i].bytes, magics[i].length) == 0)
			return magics[i].kind;
	if (!is_text(bytes, length))
		return NULL;
	if (is_catalogue(bytes, length))
		return "a catalogue of filters, not a log in SQLite; the log comes first, then the "
		       "catalogue";
	if (is_json(bytes, length))
		return "JSON, not a log in SQLite; of Zeek's and Suricata's logs " MAKES_ONE;
	if (memchr(bytes, ',', line_length(bytes, length)))
		return "text with commas, not a log in SQLite; " MAKES_ONE;
	if (memchr(bytes, ';', line_length(bytes, length)))
		return "text with semicolons, not a log in SQLite; " MAKES_ONE;
	if (memchr(bytes, '\t', line_length(bytes, length)))
		return "text with tabs, not a log in SQLite; " MAKES_ONE;
	return NULL;
}

const char *file_kind_read(const char *path)
{
	char head[HEAD_MAX];
	FILE *file = fopen(path, "rbe");
	size_t length;

	if (!file)
		return NULL;
	length = fread(head, 1, sizeof(head), file);
	fclose(file);
	return file_kind_find(head, length);
}
