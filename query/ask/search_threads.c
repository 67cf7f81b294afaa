#include "search_threads.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/platform.h"

size_t search_threads(void)
{
	const char *wanted = getenv("OMP_NUM_THREADS");
	long count = wanted ? strtol(wanted, NULL, 10) : 0;

	if (count < 1)
		count = (long)platform_cores();
	return count > SEARCH_THREADS_MAX ? SEARCH_THREADS_MAX : (size_t)count;
}

bool search_thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
	pthread_attr_t attributes;
	bool started = false;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	if (platform_elsewhere(&attributes))
		started = pthread_create(thread, &attributes, run, context) == 0;
	pthread_attr_destroy(&attributes);
	return started || pthread_create(thread, NULL, run, context) == 0;
}
