/*
 * The answers of one connection: an expression asked again costs no reading,
 * as long as the index is the same. Answers are counted references.
 */
#ifndef CONNBITS_ANSWER_CACHE_H
#define CONNBITS_ANSWER_CACHE_H

#include <stdbool.h>

#include "message.h"
#include "row_set.h"
#include "sqlite.h"

enum {
	ANSWER_CACHE_COUNT = 16,
	ANSWER_CACHE_BYTES = 64 << 20, /* of all answers that are kept; one alone may be larger */
};

struct answer {
	struct row_set rows;
	size_t references;
};

struct answer_cache;

/* A cache for a connection, with one reference; NULL without memory. */
struct answer_cache *answer_cache_new(sqlite3 *database);

/* One more reference: whatever SQLite may call later has its own. */
struct answer_cache *answer_cache_retain(struct answer_cache *cache);

/*
 * Gives a reference back; the last one frees the cache. Takes a struct
 * answer_cache *, in the form that SQLite asks of a destructor.
 */
void answer_cache_release(void *reference);

/* True for equal texts, and for NULL twice: how questions to a cache are compared. */
bool answer_same_text(const char *a, const char *b);

/*
 * Answers expression from the index in the attached database `schema`, NULL
 * for the first that has one. On success the caller releases *answer.
 */
enum status answer_cache_get(struct answer_cache *cache, const char *schema, const char *expression,
			     struct answer **answer, struct message *message);

void answer_release(struct answer *answer);

#endif
