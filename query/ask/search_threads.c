#include "search_threads.h"

#include <sched.h>
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
