#include "expression_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static const char *spaces_skip(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* The end of a quoted name that begins at text, behind its last quote; NULL where it has none. */
static const char *quoted_end(const char *text)
{
	for (text++; *text; text++) {
		if (*text != '"')
			continue;
		if (text[1] != '"')
			return text + 1;
		text++;
	}
	return NULL;
}

/* Copies a quoted name without its quotes; to is long enough. */
static void quoted_copy(const char *from, const char *end, char *to)
{
	for (from++; from + 1 < end; from++) {
		*to++ = *from;
		from += *from == '"';
	}
	*to = '\0';
}

enum status expression_table(const char *text, char **table, const char **rest,
			     struct message *message)
{
	const char *begin = spaces_skip(text);
	const bool quoted = *begin == '"';
	const char *end = quoted ? quoted_end(begin) : begin;
	const char *colon;

	*table = NULL;
	*rest = text;
	while (!quoted && is_name(*end))
		end++;
	if (!end)
		return message_set(message, STATUS_USAGE,
				   "the table's name has no closing quote, as in \"%.60s\": smb",
				   begin + 1);
	if (end == begin)
		return STATUS_OK;
	colon = spaces_skip(end);
	if (*colon != ':')
		return STATUS_OK;
	*table = calloc((size_t)(end - begin) + 1, 1);
	if (!*table)
		return message_out_of_memory(message);
	if (quoted)
		quoted_copy(begin, end, *table);
	else
		memcpy(*table, begin, (size_t)(end - begin));
	*rest = spaces_skip(colon + 1);
	return STATUS_OK;
}
