/*
 * One name of an expression while its segments go by: a stored filter that is
 * read chunk by chunk, a set that is at hand, or what a {pcap filter} found.
 */
#ifndef CONNBITS_ASK_OPERAND_H
#define CONNBITS_ASK_OPERAND_H

#include <stddef.h>
#include <stdint.h>

#include "answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "expression/expression.h"
#include "index/bitmap_reader.h"
#include "set/shared_set.h"

/* Where sets of filters by name are at hand; all of it is of the index that is asked. */
struct operand_memory {
	void *context;
	size_t bytes; /* the largest set worth keeping */
	/* NULL, or a set with a reference for whoever asks. */
	struct shared_set *(*find)(void *context, const char *name);
	/* Offers a set that was read; it is kept with a reference of its own, or not. */
	void (*keep)(void *context, const char *name, struct shared_set *answer);
};

/* Where the operands of an expression come from. */
struct operand_source {
	sqlite3 *database;
	const struct answer_index *index;    /* held */
	const struct operand_memory *memory; /* NULL: every filter is read, chunk by chunk */
	const char *text;		     /* of the expression, to show where a name stands */
	struct message *lacking; /* NULL, or the first filter that lacks rows; empty without */
};

/* Zero-initialise; free with operand_free. */
struct operand {
	struct bitmap_reader *cursor; /* of a stored filter that is read chunk by chunk */
	struct shared_set *answer;    /* or its set, from memory */
	const struct row_set *set;    /* that set, or what a {pcap filter} found */
	size_t next;		      /* the container of the set or the chunk that comes next */
	struct stored_chunk chunk;    /* what the cursor stands on */
	const struct container *container; /* where the walk stands; NULL behind the last one */
	uint64_t declared;		   /* rows of the filter as a whole */
	uint64_t read;
};

/* The container that an operand of an array lends: for segment_stack.h. */
const struct container *operand_lent(const void *operands, size_t operand);

/* Opens the filter of that name, and reads nothing yet. STATUS_USAGE where there is none. */
enum status operand_open(const struct operand_source *source, const struct expression_name *name,
			 struct operand *operand, struct message *message);

/* Goes to the first container of one that was opened. */
enum status operand_start(const struct operand_source *source, const struct expression_name *name,
			  struct operand *operand, struct message *message);

/* Takes a set, which has to outlive the operand, on its first container. */
void operand_lend(struct operand *operand, const struct row_set *set);

/* Goes on to the next container. Chunks that are missing show in the rows that are not. */
enum status operand_next(struct operand *operand, struct message *message);

void operand_free(struct operand *operand);

#endif
