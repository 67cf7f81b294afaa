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

bool field_number(const struct field *field, unsigned limit, unsigned *value)
{
	uint64_t number = 0;

	if (field->kind == FIELD_INTEGER) {
		if (field->integer < 0 || field->integer > (int64_t)limit)
			return false;
		*value = (unsigned)field->integer;
		return true;
	}
	if (field->kind != FIELD_TEXT || field->length == 0)
		return false;
	for (size_t i = 0; i < field->length; i++) {
		unsigned digit = (unsigned char)field->text[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		number = number * 10 + digit;
		if (number > limit)
			return false;
	}
	*value = (unsigned)number;
	return true;
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
	       a->icmp_ports == b->icmp_ports && a->icmp_family == b->icmp_family &&
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
