/* Random numbers for property tests: the same for the same seed on every machine. */
#ifndef CONNBITS_TESTS_RANDOM_H
#define CONNBITS_TESTS_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

/* splitmix64, by Sebastiano Vigna (public domain). */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

static inline unsigned random_below(uint64_t *state, unsigned limit)
{
	return (unsigned)((random_next(state) >> 32) * limit >> 32);
}

/* The number of rounds: the default, or what CONNBITS_ROUNDS multiplies it to. */
static inline size_t random_rounds(size_t normal)
{
	const char *factor = getenv("CONNBITS_ROUNDS");

	/* Under sanitizers a round takes several times as long, and is as often a new one. */
#ifdef __SANITIZE_ADDRESS__
	normal = (normal + 2) / 3;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	normal = (normal + 2) / 3;
#endif
#endif
	return factor ? normal * (size_t)strtoul(factor, NULL, 10) : normal;
}

#endif
