/*
 * Boolean expressions over named filters: names, {pcap filters}, since TIME and before
 * TIME (time_text.h), src in SET, dst in SET and host in SET, and/&&, or/||, not/!, parentheses.
 * pcap gives `and` and `or` one precedence and SQL two, so mixing them without parentheses is an
 * error rather than a guess.
 */
#ifndef CONNBITS_EXPRESSION_EXPRESSION_H
#define CONNBITS_EXPRESSION_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"

enum {
	EXPRESSION_MAX = 65536,	     /* bytes */
	EXPRESSION_DEPTH_MAX = 200,  /* parentheses and nots within each other */
	EXPRESSION_NAMES_MAX = 1000, /* different names and filters */
};

enum expression_kind {
	EXPRESSION_NAME, /* push the bitmap of names[name] */
	EXPRESSION_NOT,	 /* pop one, push what @all has and it has not */
	EXPRESSION_AND,	 /* pop two, push their intersection */
	EXPRESSION_OR,	 /* pop two, push their union */
};

struct expression_step {
	enum expression_kind kind;
	size_t name;
};

enum expression_leaf {
	LEAF_STORED,	     /* the name of a filter that is stored */
	LEAF_PCAP,	     /* a pcap filter, without its braces */
	LEAF_SINCE,	     /* rows at a time or later */
	LEAF_BEFORE,	     /* rows before it */
	LEAF_SOURCE_IN,	     /* rows whose source is in the address set of a name */
	LEAF_DESTINATION_IN, /* rows whose destination is; `host in` is both with or */
};

struct expression_name {
	enum expression_leaf leaf;
	char *text;   /* of a time, the time */
	size_t at;    /* where it stands first: bytes from the start */
	int64_t time; /* of since and before, in microseconds since 1970 UTC, */
	bool back;    /* or back from now */
};

/* Steps in postfix order, to be run on a stack of at most `depth` bitmaps. */
struct expression {
	struct expression_step *steps;
	size_t step_count;
	size_t step_capacity;
	struct expression_name *names; /* each once */
	size_t name_count;
	size_t depth;
};

/*
 * Parses text, a C string. On success the caller frees with expression_free;
 * STATUS_USAGE comes with a message that shows the place.
 */
enum status expression_parse(const char *text, struct expression *expression,
			     struct message *message);

/*
 * Narrows an expression down to rows since or before a time, as `and` would.
 * STATUS_USAGE where text is no time.
 */
enum status expression_narrow(struct expression *expression, enum expression_leaf leaf,
			      const char *text, struct message *message);

/* True for the leaves that are about an address set, whose name is their text. */
static inline bool expression_leaf_has_set(enum expression_leaf leaf)
{
	return leaf == LEAF_SOURCE_IN || leaf == LEAF_DESTINATION_IN;
}

/* Whether @all is asked for besides the names: where something is turned round. */
bool expression_needs_all(const struct expression *expression);

/* True for and, or and not, in any case: words that name nothing. */
bool expression_is_operator(const char *word, size_t length);

/* A message that says what is wrong with text and shows where, `at` bytes from its start. */
enum status expression_error(const char *text, size_t at, struct message *message,
			     const char *format, ...) __attribute__((format(printf, 4, 5)));

void expression_free(struct expression *expression);

/*
 * The table that an expression is about, where an index has several: its name
 * and a colon before the rest, as in `conn: smb and not rfc1918`. A name that
 * is not of letters, digits, `_`, `-` and `.` stands in double quotes, which
 * within it are doubled.
 */

/*
 * Finds where the rest of text begins, which is text itself where no table is
 * named. *table is NULL then, else the caller's to free with free.
 */
enum status expression_table(const char *text, char **table, const char **rest,
			     struct message *message);

#endif
