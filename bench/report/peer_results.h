/*
 * What `peers/peers.py --json` wrote: how long each peer took for the same
 * questions over the same rows. The file may come from anywhere.
 */
#ifndef CONNBITS_REPORT_PEER_RESULTS_H
#define CONNBITS_REPORT_PEER_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"

struct peer_result {
	char *name;
	char *absent;  /* why it was not asked; NULL if it was */
	double median; /* seconds for all questions */
	double least;
	double most;
	double ratio;	 /* to the first peer, the median of the rounds */
	double together; /* seconds for all questions in one pass; 0 where it has no such */
	double prepare;	 /* seconds before the first question */
	double bytes;	 /* that this left on the disk */
};

struct peer_results {
	char *machine;
	uint64_t rows;
	uint64_t questions;
	uint64_t repeats;
	struct peer_result *items;
	size_t count;
};

/*
 * Reads the file at path. A file that is something else, too long, or has
 * times that are none is an error. The caller frees *results with
 * peer_results_free whatever is returned.
 */
enum status peer_results_read(const char *path, struct peer_results *results,
			      struct message *message);

void peer_results_free(struct peer_results *results);

#endif
