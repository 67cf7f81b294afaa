/*
 * Questions to the columns of a segment that no program can ask: is a row's source or
 * destination in a set of addresses, is its time in a range?
 */
#ifndef CONNBITS_ENGINE_COLUMN_QUESTION_H
#define CONNBITS_ENGINE_COLUMN_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "bitmap/kernel.h"
#include "bitmap/segment_bits.h"
#include "column/segment_columns.h"
#include "packet/address_set.h"

struct column_question {
	const struct address_set *set; /* NULL: it is about times */
	bool destination;	       /* and not the source */
	int64_t first;		       /* of times: microseconds since 1970 UTC, */
	int64_t last;		       /* this one included */
};

/* What one thread works with. */
struct column_questions;

/* The questions have to outlive it. The caller frees with column_questions_free. */
enum status column_questions_new(const struct column_question *questions, size_t count,
				 const struct kernels *kernels, struct column_questions **made,
				 struct message *message);

/* Begins a segment, which has to stay as it is before the last question of it. */
void column_questions_begin(struct column_questions *questions, struct segment_columns *columns);

/*
 * The rows for which the answer is yes, a bit each in the order of rows with a header, valid until
 * the next call; *rows is NULL where there are none.
 */
enum status column_questions_rows(struct column_questions *questions, size_t question,
				  const uint64_t **rows, struct message *message);

/* The bits of the same rows by their row ids. */
enum status column_questions_bits(struct column_questions *questions, size_t question,
				  struct segment_bits *bits, struct message *message);

/* Only how many they are. */
enum status column_questions_count(struct column_questions *questions, size_t question,
				   uint32_t *count, struct message *message);

void column_questions_free(struct column_questions *questions);

#endif
