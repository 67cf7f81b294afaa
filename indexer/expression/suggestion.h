/* What somebody may have meant who misspelt a name: the nearest of those that there are. */
#ifndef CONNBITS_EXPRESSION_SUGGESTION_H
#define CONNBITS_EXPRESSION_SUGGESTION_H

#include <stddef.h>

/* Set `wanted`, zero the rest. */
struct suggestion {
	const char *wanted;  /* as it was written */
	const char *nearest; /* NULL where none is near */
	size_t distance;
};

/* Looks at one of the names that there are, which has to outlive the suggestion. */
void suggestion_consider(struct suggestion *suggestion, const char *name);

#endif
