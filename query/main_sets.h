/* The address sets that are given for one question: --set NAME=FILE. */
#ifndef CONNBITS_QUERY_MAIN_SETS_H
#define CONNBITS_QUERY_MAIN_SETS_H

#include <stddef.h>

#include "ask/asked_sets.h"
#include "base/message.h"

enum { MAIN_SETS_MAX = 64 };

/* Zero-initialise; free with main_sets_free. */
struct main_sets {
	struct given_set given[MAIN_SETS_MAX];
	char *names[MAIN_SETS_MAX];
	struct address_set *sets[MAIN_SETS_MAX];
	uint64_t entries[MAIN_SETS_MAX];
	size_t count;
};

/*
 * Reads the set that NAME=FILE names, FILE with ,column=NAME or ,key=NAME behind it where it is
 * CSV or JSON lines. What is wrong with lines of the file is told on stderr.
 */
enum status main_sets_add(struct main_sets *sets, const char *argument, struct message *message);

void main_sets_free(struct main_sets *sets);

#endif
