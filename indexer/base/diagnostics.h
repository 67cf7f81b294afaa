/*
 * The mistakes found in a text file and those that it names, each with its line, so that a user
 * sees all of them in one go and in the order in which they stand.
 */
#ifndef CONNBITS_BASE_DIAGNOSTICS_H
#define CONNBITS_BASE_DIAGNOSTICS_H

#include <stddef.h>

#include "message.h"

struct diagnostic {
	char *file;  /* NULL: the one that all is about */
	size_t line; /* from 1; 0 speaks of the whole file */
	struct message message;
};

/* Zero-initialise; free with diagnostics_free. */
struct diagnostics {
	struct diagnostic *items;
	size_t count;
	size_t capacity;
	size_t lost; /* mistakes beyond DIAGNOSTICS_MAX, or that no memory was left to keep */
};

enum { DIAGNOSTICS_MAX = 1000 };

/* Adds one mistake. Never fails: what cannot be kept is counted as lost. */
void diagnostics_add(struct diagnostics *diagnostics, size_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same in another file. */
void diagnostics_add_in(struct diagnostics *diagnostics, const char *file, size_t line,
			const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Orders the mistakes by line; those of one line, and of other files, which come last, stay in the
 * order of their finding.
 */
void diagnostics_sort(struct diagnostics *diagnostics);

/* True when nothing at all was found wrong. */
int diagnostics_empty(const struct diagnostics *diagnostics);

void diagnostics_free(struct diagnostics *diagnostics);

#endif
