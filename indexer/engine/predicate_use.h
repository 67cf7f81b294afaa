/*
 * Which predicates of a plan each filter asks: what is left of it, and what it
 * shares with others.
 */
#ifndef CONNBITS_ENGINE_PREDICATE_USE_H
#define CONNBITS_ENGINE_PREDICATE_USE_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "plan.h"

/* Of which headers a predicate is asked, as bits. */
enum { MET_IPV4 = 1, MET_IPV6 = 2, MET_ICMP = 4 };

struct predicate_use {
	const struct plan *plan;
	uint8_t *met;	  /* by predicate: of which headers the filter looked at asks it */
	uint32_t *askers; /* by predicate: filters of the plan that ask it */
	uint8_t *seen;	  /* by node */
};

/* Counts the askers. The plan has to outlive *use; free with predicate_use_close in any case. */
enum status predicate_use_open(struct predicate_use *use, const struct plan *plan,
			       struct message *message);

/* Sets use->met for a filter of the plan, and returns how many predicates it asks. */
size_t predicate_use_find(struct predicate_use *use, size_t filter);

void predicate_use_close(struct predicate_use *use);

#endif
