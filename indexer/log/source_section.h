/*
 * The [source] section of a catalogue: which column of the log, or which
 * expression (column_expression.h), means what, and how its values are read.
 */
#ifndef CONNBITS_LOG_SOURCE_SECTION_H
#define CONNBITS_LOG_SOURCE_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostics.h"
#include "packet/connection.h"

/* What a [source] says of how values are read. */
enum {
	SOURCE_HOSTS = 1,
	SOURCE_DIRECTION = 2,
	SOURCE_ICMP = 4,
	SOURCE_PROTOCOL = 8, /* of all rows */
	SOURCE_NAMES = 16,   /* any_case, and icmp_family with it */
};

/* What a [source] section says; a NULL column was not given. */
struct source_section {
	size_t line; /* 0 where the catalogue has no [source] */
	char *table;
	char *schema; /* of schema.h, before which the rest goes; NULL without */
	struct reading reading;
	unsigned given;	 /* which parts of it: SOURCE_HOSTS, ... */
	char *timestamp; /* its column; NULL without */
	size_t timestamp_line;
	char *columns[ROLE_COUNT];
	size_t column_lines[ROLE_COUNT];
	const char *keys[ROLE_COUNT]; /* by which they were given */
	bool directed;		      /* local and remote columns, with a type */
};

/*
 * Takes the value of one key, which it then owns. An unknown key, a second
 * value for a column, an empty value and what is no expression though it begins
 * with a parenthesis go to diagnostics.
 */
void source_section_set(struct source_section *section, const char *key, char *value, size_t line,
			struct diagnostics *diagnostics);

/* Holds the finished section against its rules; what is wrong goes to diagnostics. */
void source_section_finish(struct source_section *section, struct diagnostics *diagnostics);

void source_section_free(struct source_section *section);

#endif
