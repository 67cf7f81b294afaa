/* A [set NAME] section of a catalogue: addresses of a file, or within the section. */
#ifndef CONNBITS_CATALOGUE_SET_SECTION_H
#define CONNBITS_CATALOGUE_SET_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "packet/address_list.h"
#include "value_line.h"

struct set_section {
	char *name;
	size_t line;   /* of the section's head */
	char *file;    /* as the catalogue has it; NULL where the addresses are within it */
	char *path;    /* the same from where the program runs */
	char *column;  /* of a CSV file with the addresses; NULL without */
	char *key;     /* of JSON lines with them; NULL without */
	bool networks; /* the addresses are within the section: */
	struct address_list list;
	char *description;
};

/*
 * Takes the value of one key, which it then owns, with its lines. What is wrong goes to
 * diagnostics. STATUS_FAILED only without memory.
 */
enum status set_section_set(struct set_section *section, const char *key, char *value,
			    const struct value_line *lines, size_t line_count, size_t line,
			    struct diagnostics *diagnostics, struct message *message);

/*
 * Holds the finished section against its rules, and finds the path of a file that lies beside
 * the catalogue.
 */
enum status set_section_finish(struct set_section *section, const char *catalogue,
			       struct diagnostics *diagnostics, struct message *message);

void set_section_free(struct set_section *section);

#endif
