/*
 * The filters of one job with their programs: those of the catalogue, then
 * the stored ones that the catalogue does not name.
 */
#ifndef CONNBITS_FILTER_SET_H
#define CONNBITS_FILTER_SET_H

#include <signal.h>
#include <stddef.h>

#include "catalogue.h"
#include "diagnostics.h"
#include "message.h"
#include "program.h"
#include "stored.h"

struct filter_entry {
	char *name;
	char *expression;
	char *description;
	size_t line; /* of the expression in the catalogue; 0 for a stored filter */
	struct program program;
};

/* Zero-initialise; free with filter_set_free. */
struct filter_set {
	struct filter_entry *items;
	size_t count;
};

/*
 * Compiles every filter of the catalogue and adds it. What does not compile
 * goes to diagnostics with its line, and the rest is compiled all the same.
 * stop is NULL, or not 0 once this should end, with STATUS_FAILED.
 */
enum status filter_set_add_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				     const volatile sig_atomic_t *stop,
				     struct diagnostics *diagnostics, struct message *message);

/*
 * Compiles and adds the stored filters whose names are not in the set yet,
 * @all and @skipped left out. One that does not compile is STATUS_USAGE.
 */
enum status filter_set_add_stored(struct filter_set *set, const struct stored_filters *stored,
				  struct message *message);

void filter_set_free(struct filter_set *set);

#endif
