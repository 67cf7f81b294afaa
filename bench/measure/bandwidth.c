#include "bandwidth.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	WORDS_TOTAL = 1 << 26, /* 512 MiB: more than the last cache of any processor */
	LANES = 32,	       /* sums at a time, so that no load waits for an addition */
	WORDS_EACH_LEAST = 1 << 20,
};

struct bandwidth {
	size_t count;
	uint64_t *words;
};

enum status bandwidth_new(int threads, struct bandwidth **bandwidth, struct message *message)
{
	const size_t least = (size_t)threads * WORDS_EACH_LEAST;
	struct bandwidth *made = calloc(1, sizeof(*made));

	*bandwidth = NULL;
	if (!made)
		return message_out_of_memory(message);
	made->count = least < WORDS_TOTAL ? WORDS_TOTAL : least;
	made->words = malloc(made->count * sizeof(*made->words));
	if (!made->words) {
		bandwidth_free(made);
		return message_out_of_memory(message);
	}
	/* Pages that nobody wrote to are all one page of zeros. */
#pragma omp parallel for num_threads(threads)
	for (size_t i = 0; i < made->count; i++)
		made->words[i] = i;
	*bandwidth = made;
	return STATUS_OK;
}

static uint64_t words_sum(const uint64_t *words, size_t count)
{
	uint64_t sums[LANES] = {0};
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			sums[lane] += words[i + lane];
	for (size_t lane = 0; lane < LANES; lane++)
		sum += sums[lane];
	return sum;
}

double bandwidth_measure(struct bandwidth *bandwidth, int threads)
{
	const size_t count = bandwidth->count / (size_t)threads / LANES * LANES;
	const double start = clock_seconds();
	volatile uint64_t kept;
	uint64_t sum = 0;

	/* A part for each thread, and all of them also where there are fewer threads. */
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(+ : sum)
	for (int part = 0; part < threads; part++)
		sum += words_sum(bandwidth->words + (size_t)part * count, count);
	kept = sum;
	(void)kept;
	return (double)(count * (size_t)threads * sizeof(uint64_t)) / (clock_seconds() - start);
}

void bandwidth_free(struct bandwidth *bandwidth)
{
	if (!bandwidth)
		return;
	free(bandwidth->words);
	free(bandwidth);
}
