/* The threads of a search. */
#ifndef CONNBITS_ASK_SEARCH_THREADS_H
#define CONNBITS_ASK_SEARCH_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { SEARCH_THREADS_MAX = 64 };

/* How many it may have, this one among them: as OMP_NUM_THREADS says, or as many as this process
 * has processors. */
size_t search_threads(void);

/*
 * Starts a thread of a few milliseconds on another core than this one's: a scheduler that was
 * idle leaves both on one for longer than that. False where no thread can be had.
 */
bool search_thread_start(pthread_t *thread, void *(*run)(void *), void *context);

#endif
