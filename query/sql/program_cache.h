/*
 * The pcap filters that a connection's SQL asked with last, compiled. Programs
 * are counted references: a statement keeps its own for as long as it runs.
 */
#ifndef CONNBITS_SQL_PROGRAM_CACHE_H
#define CONNBITS_SQL_PROGRAM_CACHE_H

#include <stddef.h>

#include "base/message.h"
#include "filter/program.h"

enum { PROGRAM_CACHE_COUNT = 32 }; /* for an expression that is another one row by row */

struct shared_program {
	struct program program;
	char *expression;
	/* Empty, or why no connection can answer it (soundness.h): a whole packet may. */
	struct message unanswerable;
	size_t references;
};

struct program_cache;

/* An empty cache with one reference; NULL without memory. */
struct program_cache *program_cache_new(void);

/* One more reference. */
struct program_cache *program_cache_retain(struct program_cache *cache);

/* Gives a reference back, in the form that SQLite asks of a destructor. */
void program_cache_release(void *reference);

/*
 * Compiles expression, or finds it. Names of hosts are not looked up:
 * host_name_guard.h. On success the caller gives *program back with
 * shared_program_release.
 */
enum status program_cache_get(struct program_cache *cache, const char *expression,
			      const struct program_bounds *bounds, struct shared_program **program,
			      struct message *message);

/* The same form. */
void shared_program_release(void *reference);

#endif
