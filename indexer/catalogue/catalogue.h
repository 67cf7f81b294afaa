/*
 * The filters and address sets of one INI file, and optionally which columns of the log mean
 * what. The parser is strict: whatever it does not know is a mistake with its
 * line, and it reports every mistake of a file in one go.
 */
#ifndef CONNBITS_CATALOGUE_CATALOGUE_H
#define CONNBITS_CATALOGUE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "index/index_reader.h"
#include "log/source_section.h"
#include "set_section.h"
#include "value_line.h"

enum {
	CATALOGUE_LINE_MAX = 65536,   /* bytes of a line, its end included */
	CATALOGUE_VALUE_MAX = 65536,  /* bytes of a value, its continued lines included */
	CATALOGUE_NAME_MAX = 255,     /* bytes of a filter's name */
	CATALOGUE_FILE_MAX = 1 << 26, /* bytes of a file */
};

struct filter {
	char *name;
	enum filter_kind kind; /* pcap, or rows */
	char *expression;
	char *description; /* empty where there is none */
	size_t line;	   /* of the section's head */
	size_t expression_line;
	struct value_line *lines; /* of the expression, at least one, unless that is empty */
	size_t line_count;
};

struct catalogue {
	struct filter *filters;
	size_t count;
	struct set_section *sets;
	size_t set_count;
	struct source_section source;
	bool skips_unanswerable; /* its first line is CATALOGUE_SKIPS */
};

/* Has filters left out that a log's table has no columns for, instead of being mistakes. */
#define CATALOGUE_SKIPS "# connbits: skip-unanswerable"

/*
 * Parses length bytes of text; files that it names lie from path, NULL for here. Mistakes go to
 * diagnostics; what could be read is in *catalogue all the same, so that it can be checked further.
 * STATUS_OK also where there are mistakes: ask diagnostics_empty. The caller frees *catalogue with
 * catalogue_free whatever is returned.
 */
enum status catalogue_parse(const char *path, const char *text, size_t length,
			    struct catalogue *catalogue, struct diagnostics *diagnostics,
			    struct message *message);

/* Reads and parses the file at path. */
enum status catalogue_read(const char *path, struct catalogue *catalogue,
			   struct diagnostics *diagnostics, struct message *message);

/*
 * True for a name that a filter may have: a letter, then letters, digits, _, -
 * and . (ASCII), and none of the words and, or, not in any case.
 */
bool catalogue_name_valid(const char *name, size_t length);

/* Forgets the filters that are expressions over others: what is left can be evaluated alone. */
void catalogue_drop_rows(struct catalogue *catalogue);

/* Forgets the [source] section. */
void catalogue_drop_source(struct catalogue *catalogue);

void catalogue_free(struct catalogue *catalogue);

#endif
