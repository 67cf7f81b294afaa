/* Seconds that only go forward, to measure how long something took, and to wait. */
#ifndef CONNBITS_BASE_CLOCK_H
#define CONNBITS_BASE_CLOCK_H

#include <time.h>

static inline double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Waits, or returns earlier where a signal comes. */
static inline void clock_sleep(double seconds)
{
	const struct timespec time = {.tv_sec = (time_t)seconds,
				      .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	nanosleep(&time, NULL);
}

#endif
