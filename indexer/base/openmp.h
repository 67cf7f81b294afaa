/* What is used of OpenMP, and where the compiler has none (CONNBITS_OPENMP=OFF): one thread. */
#ifndef CONNBITS_BASE_OPENMP_H
#define CONNBITS_BASE_OPENMP_H

#ifdef _OPENMP
#include <omp.h>
#else

typedef int omp_lock_t;

static inline void omp_init_lock(omp_lock_t *lock)
{
	*lock = 0;
}

static inline void omp_destroy_lock(omp_lock_t *lock)
{
	(void)lock;
}

static inline void omp_set_lock(omp_lock_t *lock)
{
	*lock = 1;
}

static inline int omp_test_lock(omp_lock_t *lock)
{
	const int taken = !*lock;

	*lock = 1;
	return taken;
}

static inline void omp_unset_lock(omp_lock_t *lock)
{
	*lock = 0;
}

static inline int omp_get_max_threads(void)
{
	return 1;
}

#endif

/* As many threads as are wanted, or the one that there is. */
static inline int openmp_threads(int wanted)
{
#ifdef _OPENMP
	return wanted;
#else
	(void)wanted;
	return 1;
#endif
}

#endif
