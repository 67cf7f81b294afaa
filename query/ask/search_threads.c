#include "search_threads.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

size_t search_threads(void)
{
	const char *wanted = getenv("OMP_NUM_THREADS");
	cpu_set_t cores;
	long count = wanted ? strtol(wanted, NULL, 10) : 0;

	if (count < 1 && sched_getaffinity(0, sizeof(cores), &cores) == 0)
		count = CPU_COUNT(&cores);
	if (count < 1)
		return 1;
	return count > SEARCH_THREADS_MAX ? SEARCH_THREADS_MAX : (size_t)count;
}

/* The cores that this thread may use, without the one that it is on. */
static bool other_cores(cpu_set_t *cores)
{
	const int here = sched_getcpu();

	if (here < 0 || sched_getaffinity(0, sizeof(*cores), cores) != 0)
		return false;
	CPU_CLR((size_t)here, cores);
	return CPU_COUNT(cores) > 0;
}

bool search_thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
	pthread_attr_t attributes;
	cpu_set_t cores;
	bool started = false;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	if (other_cores(&cores) &&
	    pthread_attr_setaffinity_np(&attributes, sizeof(cores), &cores) == 0)
		started = pthread_create(thread, &attributes, run, context) == 0;
	pthread_attr_destroy(&attributes);
	return started || pthread_create(thread, NULL, run, context) == 0;
}
