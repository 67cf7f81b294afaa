/* A set of row ids that several keep: counted references. */
#ifndef CONNBITS_SET_SHARED_SET_H
#define CONNBITS_SET_SHARED_SET_H

#include <stddef.h>

#include "row_set.h"

struct shared_set {
	struct row_set rows;
	size_t references;
};

/* A new one with one reference and no rows; NULL without memory. */
struct shared_set *shared_set_new(void);

/* Gives a reference back; NULL is fine. */
void shared_set_release(struct shared_set *set);

#endif
