/*
 * An expression and an index to a set of row ids, or to their number.
 */
#ifndef CONNBITS_ASK_ANSWER_H
#define CONNBITS_ASK_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "asked_sets.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "filter/program.h"
#include "filter_search.h"
#include "operand.h"
#include "set/row_set.h"

/* What is asked. */
struct answer_question {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const char *expression;
	const char *since;  /* a time, NULL for any: no row before it is in the answer, */
	const char *before; /* nor any from here on */
	const struct given_set *given; /* address sets besides those of the index */
	size_t given_count;
	const struct operand_memory *memory; /* NULL: every filter is read, chunk by chunk */
	const struct search_pause *pause;    /* NULL, or of a search for {pcap filters} */
	const struct program_bounds *bounds; /* NULL, or of what a {pcap filter} may take */
	bool untrusted;			     /* no host name of a {pcap filter} is looked up */
	struct message *lacking; /* NULL, or the first stored filter that lacks rows, since a name
				    was not found; empty where there is none */
	uint64_t *gone; /* NULL, or how many rows of the answer are left out, since they went from
			   the log's start after they were indexed */
	uint64_t *timeless; /* NULL, or how many rows have no time that can be read, where the
			       answer depends on times; 0 where it does not */
	bool *moves; /* NULL, or whether the answer is another one later, since times are counted
			back from now */
	struct message *miscompiled; /* NULL, or the first {pcap filter} that libpcap's optimiser
					miscompiles; empty where there is none */
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
