/*
 * One line of JSON taken apart: its members with their values, those of objects within it
 * under both names, arrays as the text that they are.
 */
#ifndef CONNBITS_TEXT_JSON_MEMBERS_H
#define CONNBITS_TEXT_JSON_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"
#include "text_value.h"

enum json_end { JSON_OBJECT, JSON_BROKEN, JSON_DEEP, JSON_ZERO /* a byte 0 in a text */ };

struct json_member {
	size_t name; /* where it begins in the names */
	size_t name_size;
	struct import_value value; /* its text lies in the line, or in the texts */
	bool own_text;		   /* the latter; `text` is not set then, */
	size_t text;		   /* but here it begins */
};

struct json_members {
	struct json_member *items;
	size_t count;
	size_t capacity;
	char *names;
	size_t names_size;
	size_t names_capacity;
	struct json_heap *heap; /* yajl's, for one line */
	char *texts;		/* those that had to be unescaped */
	size_t texts_size;
	size_t texts_capacity;
};

/* Takes a line apart; the members are those of the last line. Zero-initialise. */
enum status json_members_read(struct json_members *members, const char *line, size_t size,
			      enum json_end *end, struct message *message);

/* The value of a member, by its place; its text is valid until the next line. */
struct import_value json_member_value(const struct json_members *members, size_t place);

/* The place of a member, or the count where there is none of that name. */
size_t json_member_find(const struct json_members *members, const char *name);

void json_members_free(struct json_members *members);

#endif
