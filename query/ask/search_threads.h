/* How many threads a search may have, this one among them. */
#ifndef CONNBITS_ASK_SEARCH_THREADS_H
#define CONNBITS_ASK_SEARCH_THREADS_H

#include <stddef.h>

enum { SEARCH_THREADS_MAX = 64 };

/* As OMP_NUM_THREADS says, or as many as this process has processors. */
size_t search_threads(void);

#endif
