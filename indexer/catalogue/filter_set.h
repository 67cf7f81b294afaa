/*
 * The filters of one job with their programs: those of the catalogue, then
 * the stored ones that the catalogue does not name.
 */
#ifndef CONNBITS_CATALOGUE_FILTER_SET_H
#define CONNBITS_CATALOGUE_FILTER_SET_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "catalogue.h"
#include "filter/program.h"
#include "index/index_reader.h"

struct filter_entry {
	char *name;
	char *expression;
	char *description;
	size_t line; /* of the expression in the catalogue; 0 for a stored filter */
	const struct index_filter *stored; /* the one of that name; NULL for a new filter */
	struct program program;		   /* no instructions before it is compiled */
};

/* Zero-initialise; free with filter_set_free. */
struct filter_set {
	struct filter_entry *items;
	size_t count;
};

/* Adds the filters of the catalogue, but for those without an expression, uncompiled. */
enum status filter_set_take_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				      struct message *message);

/*
 * Finds the stored filter of each entry, and with `add` adds those that the set
 * does not name, @all and @skipped left out. stored has to outlive the set.
 */
enum status filter_set_take_stored(struct filter_set *set, const struct index_filters *stored,
				   bool add, struct message *message);

/* True if the entry has to be evaluated over rows that are indexed already. */
static inline bool filter_entry_is_new(const struct filter_entry *entry)
{
	return !entry->stored || strcmp(entry->stored->expression, entry->expression) != 0;
}

/*
 * Compiles what is not compiled yet; with only_new only new entries. What does
 * not compile goes to diagnostics with its line, and the rest is compiled all
 * the same; a stored filter has no line, and is STATUS_USAGE. stop is NULL, or
 * not 0 once this should end, with STATUS_FAILED.
 */
enum status filter_set_compile(struct filter_set *set, bool only_new,
			       const volatile sig_atomic_t *stop, struct diagnostics *diagnostics,
			       struct message *message);

/* Takes the catalogue and compiles it. */
enum status filter_set_add_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				     const volatile sig_atomic_t *stop,
				     struct diagnostics *diagnostics, struct message *message);

/* Takes the stored filters, which have to outlive the set, and compiles them. */
enum status filter_set_add_stored(struct filter_set *set, const struct index_filters *stored,
				  struct message *message);

void filter_set_free(struct filter_set *set);

#endif
