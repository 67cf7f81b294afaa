/*
 * The answers of one connection: an expression asked again costs no reading,
 * as long as the index is the same, and neither does a filter that other
 * expressions have in common. Answers are counted references.
 */
#ifndef CONNBITS_SQL_ANSWER_CACHE_H
#define CONNBITS_SQL_ANSWER_CACHE_H

#include <stdbool.h>

#include "ask/answer.h"
#include "ask/facet.h"
#include "base/message.h"
#include "database/sqlite.h"

enum {
	ANSWER_CACHE_COUNT = 512,
	ANSWER_CACHE_BYTES = 64 << 20, /* of all answers that are kept; one alone may be larger */
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
			     struct shared_set **answer, struct message *message);

/* The number of rows of an answer, without making a set of them where none is at hand. */
enum status answer_cache_count(struct answer_cache *cache, const char *schema,
			       const char *expression, uint64_t *rows, struct message *message);

/* Counts the rows of an expression by a value of theirs: facet.h. The caller frees *facet. */
enum status answer_cache_facet(struct answer_cache *cache, const char *schema,
			       const char *expression, enum facet_by by, struct facet *facet,
			       struct message *message);

/* The table that an expression is about. On success the caller frees *table with free. */
enum status answer_cache_table(struct answer_cache *cache, const char *schema,
			       const char *expression, char **table, struct message *message);

/* How many rows an expression may have that is not known yet: those of a filter on average. */
double answer_cache_guess(struct answer_cache *cache);

/* What the cache holds, and what was done for it since it was made. */
struct answer_cache_state {
	size_t answers;
	size_t bytes;	       /* of all of them, about */
	uint64_t evaluated;    /* expressions */
	uint64_t filters_read; /* from the index, to be kept */
};

void answer_cache_look(const struct answer_cache *cache, struct answer_cache_state *state);

#endif
