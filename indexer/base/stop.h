/*
 * Whether long work is to end. The thread that works asks, often; how it is
 * known is its owner's business. NULL for work that nobody ends.
 */
#ifndef CONNBITS_BASE_STOP_H
#define CONNBITS_BASE_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct stop {
	bool (*asked)(void *context);
	void *context;
};

static inline bool stop_asked(const struct stop *stop)
{
	return stop && stop->asked(stop->context);
}

static inline bool stop_signalled(void *flag)
{
	const volatile sig_atomic_t *signalled = flag;

	return signalled && *signalled;
}

/* Ends once a signal's handler has set the flag, which may be NULL. */
static inline struct stop stop_of_signal(const volatile sig_atomic_t *flag)
{
	return (struct stop){.asked = stop_signalled, .context = (void *)flag};
}

#endif
