/*
 * The filters of one job with their programs: those of the catalogue, then
 * the stored ones that the catalogue does not name.
 */
#ifndef CONNBITS_CATALOGUE_FILTER_SET_H
#define CONNBITS_CATALOGUE_FILTER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "base/stop.h"
#include "catalogue.h"
#include "condition/program_digest.h"
#include "filter/program.h"
#include "index/index_reader.h"
#include "packet/header_gaps.h"
#include "rows_filter.h"

struct filter_entry {
	char *name;
	char *expression;
	char *description;
	enum filter_kind kind;
	size_t line;		    /* of the expression in the catalogue; 0 for a stored filter */
	const struct filter *given; /* of the catalogue; NULL for a stored filter */
	const struct index_filter *stored; /* the one of that name; NULL for a new filter */
	struct program program;		   /* no instructions before it is compiled */
	char digest[PROGRAM_DIGEST_SIZE];  /* of the program; empty before it is compiled */
	struct rows_filter *rows; /* of one that is an expression; NULL before it is linked */
	bool wrong;		  /* it has a mistake, which was told */
	bool left_out;		  /* the table has no column for what it asks */
	bool unresolved; /* a name in it cannot be looked up now, and what is stored stays */
};

/* An address set that filters may use. Its name and what else it points to is the caller's. */
struct set_entry {
	const char *name;
	const char *digest;
};

/* Zero-initialise; free with filter_set_free. */
struct filter_set {
	struct filter_entry *items;
	size_t count;
	const struct set_entry *sets; /* that there are; the caller's */
	size_t set_count;
	const struct set_entry *pruned_sets; /* that there were; the caller's */
	size_t pruned_set_count;
	const struct index_filters *stored; /* NULL before filter_set_take_stored */
	size_t *order; /* the filters that are expressions, each behind those that it uses */
	size_t order_count;
};

/*
 * Adds the filters of the catalogue, but for those without an expression,
 * uncompiled. The catalogue has to outlive their compilation.
 */
enum status filter_set_take_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				      struct message *message);

/*
 * Finds the stored filter of each entry, and with `add` adds those that the set
 * does not name, @all and @skipped left out. stored has to outlive the set.
 */
enum status filter_set_take_stored(struct filter_set *set, const struct index_filters *stored,
				   bool add, struct message *message);

/*
 * True if what is stored was evaluated with another meaning: a name has another
 * address, say. Known only of an entry that is compiled.
 */
static inline bool filter_entry_has_moved(const struct filter_entry *entry)
{
	return entry->stored && entry->stored->kind == entry->kind &&
	       strcmp(entry->stored->expression, entry->expression) == 0 && *entry->digest &&
	       strcmp(entry->stored->digest, entry->digest) != 0;
}

/* True if the entry has to be evaluated over rows that are indexed already. */
static inline bool filter_entry_is_new(const struct filter_entry *entry)
{
	return !entry->stored || entry->stored->kind != entry->kind ||
	       strcmp(entry->stored->expression, entry->expression) != 0 ||
	       filter_entry_has_moved(entry);
}

/* How filters are compiled. */
struct filter_compiling {
	bool only_new; /* and those whose meaning may depend on names that are looked up */
	const struct stop *stop; /* NULL, or asked whether this should end, with STATUS_FAILED */
	struct diagnostics *mistakes;
	/*
	 * NULL, or told of stored filters in which a name cannot be looked up: they are
	 * unresolved then. Otherwise that is a mistake.
	 */
	struct diagnostics *unresolved;
	/* NULL, or what the table's rows do not say: filters that ask for it are mistakes, */
	const struct header_gaps *gaps;
	/* or, with skip, are taken out of the set; they are counted, where this is not NULL. */
	bool skip;
	size_t *unanswerable;
};

/*
 * Whether an entry whose compilation failed like this stays as it is stored, since a name in it
 * cannot be looked up now; it is told of then.
 */
bool filter_entry_leave(struct filter_entry *entry, const struct filter_compiling *compiling,
			enum status status, const struct message *cause);

/*
 * Compiles what is not compiled yet. What does not compile goes to mistakes
 * with its line, and the rest is compiled all the same; a stored filter has no
 * line, and is STATUS_USAGE.
 */
enum status filter_set_compile(struct filter_set *set, const struct filter_compiling *compiling,
			       struct message *message);

/* Takes the catalogue and compiles it. */
enum status filter_set_add_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				     const struct stop *stop, struct diagnostics *diagnostics,
				     struct message *message);

/* Takes the stored filters, which have to outlive the set, and compiles them. */
enum status filter_set_add_stored(struct filter_set *set, const struct index_filters *stored,
				  struct message *message);

void filter_set_free(struct filter_set *set);

#endif
