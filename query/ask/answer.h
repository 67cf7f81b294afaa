/*
 * An expression and an index to a set of row ids, or to their number.
 */
#ifndef CONNBITS_ASK_ANSWER_H
#define CONNBITS_ASK_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "set/row_set.h"

/* A set that several keep: counted references. */
struct answer {
	struct row_set rows;
	size_t references;
};

/* A new one with one reference and no rows; NULL without memory. */
struct answer *answer_new(void);

/* Gives a reference back; NULL is fine. */
void answer_release(struct answer *answer);

/* Where sets of filters by name are at hand; all of it is of the index that is asked. */
struct answer_memory {
	void *context;
	size_t bytes; /* the largest set worth keeping */
	/* NULL, or a set with a reference for whoever asks. */
	struct answer *(*find)(void *context, const char *name);
	/* Offers a set that was read; it is kept with a reference of its own, or not. */
	void (*keep)(void *context, const char *name, struct answer *answer);
};

/* What is asked. */
struct answer_question {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const char *expression;
	const struct answer_memory *memory; /* NULL: every filter is read, chunk by chunk */
	bool untrusted;			    /* no host name of a {pcap filter} is looked up */
};

/*
 * Evaluates the expression. On success *rows belongs to the caller, who frees
 * it with row_set_free. STATUS_USAGE where the expression is at fault.
 */
enum status answer_run(const struct answer_question *question, struct row_set *rows,
		       struct message *message);

/* The same, but only how many rows there are: the last step makes no set. */
enum status answer_count(const struct answer_question *question, uint64_t *count,
			 struct message *message);

#endif
