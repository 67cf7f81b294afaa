#include "reading.h"

#include <string.h>

bool field_equals(const struct field *field, const char *word)
{
	return field->kind == FIELD_TEXT && field->length == strlen(word) &&
	       memcmp(field->text, word, field->length) == 0;
}

bool field_is_word(const struct field *field, const char *word)
{
	if (field->kind != FIELD_TEXT || field->length != strlen(word))
		return false;
	for (size_t i = 0; i < field->length; i++) {
		const char c = field->text[i];

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[i])
			return false;
	}
	return true;
}

/* A number of text: 443, 443. and 443.00, and nothing else. */
static bool text_number(const char *text, size_t length, unsigned limit, unsigned *value)
{
	uint64_t number = 0;
	size_t place = 0;

	for (; place < length && text[place] >= '0' && text[place] <= '9'; place++) {
		number = number * 10 + (unsigned)(text[place] - '0');
		if (number > limit)
			return false;
	}
	if (place == 0)
		return false;
	if (place < length && text[place] == '.')
		for (place++; place < length && text[place] == '0'; place++)
			;
	*value = (unsigned)number;
	return place == length;
}

bool field_number(const struct field *field, unsigned limit, unsigned *value)
{
	switch (field->kind) {
	case FIELD_INTEGER:
		if (field->integer < 0 || field->integer > (int64_t)limit)
			return false;
		*value = (unsigned)field->integer;
		return true;
	case FIELD_REAL:
		if (!(field->real >= 0 && field->real <= (double)limit))
			return false;
		*value = (unsigned)field->real;
		return (double)*value == field->real;
	case FIELD_TEXT:
		return text_number(field->text, field->length, limit, value);
	default:
		return false;
	}
}

static enum direction type_direction(const struct field *type)
{
	if (field_equals(type, "accept") || field_equals(type, "reject") ||
	    field_equals(type, "pending"))
		return DIRECTION_BACKWARD;
	if (field_equals(type, "connect"))
		return DIRECTION_FORWARD;
	if (field_equals(type, "listen"))
		return DIRECTION_NONE;
	return DIRECTION_UNKNOWN;
}

static enum direction word_direction(const struct field *word)
{
	static const struct {
		const char *word;
		enum direction direction;
	} words[] = {
		{"in", DIRECTION_BACKWARD},	  {"inbound", DIRECTION_BACKWARD},
		{"incoming", DIRECTION_BACKWARD}, {"ingress", DIRECTION_BACKWARD},
		{"out", DIRECTION_FORWARD},	  {"outbound", DIRECTION_FORWARD},
		{"outgoing", DIRECTION_FORWARD},  {"egress", DIRECTION_FORWARD},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (field_is_word(word, words[i].word))
			return words[i].direction;
	return DIRECTION_UNKNOWN;
}

static enum direction flag_direction(const struct field *flag, enum direction set,
				     enum direction clear)
{
	unsigned number;

	if (flag->kind == FIELD_INTEGER)
		return flag->integer ? set : clear;
	if (field_is_word(flag, "true"))
		return set;
	if (field_is_word(flag, "false"))
		return clear;
	return field_number(flag, UINT16_MAX, &number) ? (number ? set : clear) : DIRECTION_UNKNOWN;
}

enum direction direction_read(const struct field *field, enum direction_encoding encoding)
{
	switch (encoding) {
	case DIRECTION_TYPE:
		return type_direction(field);
	case DIRECTION_WORD:
		return word_direction(field);
	case DIRECTION_INBOUND:
		return flag_direction(field, DIRECTION_BACKWARD, DIRECTION_FORWARD);
	case DIRECTION_OUTBOUND:
		return flag_direction(field, DIRECTION_FORWARD, DIRECTION_BACKWARD);
	default:
		return DIRECTION_FORWARD;
	}
}

bool reading_same(const struct reading *a, const struct reading *b)
{
	return a->hosts == b->hosts && a->direction == b->direction && a->any_case == b->any_case &&
	       a->icmp == b->icmp && a->icmp_family == b->icmp_family &&
	       a->has_protocol == b->has_protocol &&
	       (!a->has_protocol || a->protocol == b->protocol);
}

const char *host_encoding_name(enum host_encoding encoding)
{
	static const char *const names[HOST_ENCODINGS] = {
		[HOST_TEXT] = "text",
		[HOST_INTEGER] = "integer",
		[HOST_NETWORK] = "network",
		[HOST_BLOB] = "blob",
	};

	return names[encoding];
}

const char *direction_encoding_name(enum direction_encoding encoding)
{
	static const char *const names[DIRECTION_ENCODINGS] = {
		[DIRECTION_FIXED] = "fixed",	   [DIRECTION_TYPE] = "type",
		[DIRECTION_WORD] = "word",	   [DIRECTION_INBOUND] = "inbound",
		[DIRECTION_OUTBOUND] = "outbound",
	};

	return names[encoding];
}

bool host_encoding_find(const char *word, enum host_encoding *encoding)
{
	for (int i = 0; i < HOST_ENCODINGS; i++)
		if (strcmp(word, host_encoding_name((enum host_encoding)i)) == 0) {
			*encoding = (enum host_encoding)i;
			return true;
		}
	return false;
}

bool direction_encoding_find(const char *word, enum direction_encoding *encoding)
{
	for (int i = 0; i < DIRECTION_ENCODINGS; i++)
		if (strcmp(word, direction_encoding_name((enum direction_encoding)i)) == 0) {
			*encoding = (enum direction_encoding)i;
			return true;
		}
	return false;
}

const char *icmp_encoding_name(enum icmp_encoding encoding)
{
	static const char *const names[ICMP_ENCODINGS] = {
		[ICMP_COLUMNS] = "columns",
		[ICMP_PORTS] = "ports",
		[ICMP_ZEEK] = "zeek",
		[ICMP_NETFLOW] = "netflow",
	};

	return names[encoding];
}

bool icmp_encoding_find(const char *word, enum icmp_encoding *encoding)
{
	for (int i = 0; i < ICMP_ENCODINGS; i++)
		if (strcmp(word, icmp_encoding_name((enum icmp_encoding)i)) == 0) {
			*encoding = (enum icmp_encoding)i;
			return true;
		}
	return false;
}
