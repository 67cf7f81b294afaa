/* The address sets that an expression asks for, of the index or given for one question. */
#ifndef CONNBITS_ASK_ASKED_SETS_H
#define CONNBITS_ASK_ASKED_SETS_H

#include <stddef.h>

#include "answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "engine/column_question.h"
#include "expression/expression.h"
#include "packet/address_set.h"

/* A set that is given with a question: it comes before the index's of that name. */
struct given_set {
	const char *name;
	const struct address_set *set;
};

/* Where the sets of an expression come from. */
struct set_source {
	sqlite3 *database;
	const struct answer_index *index; /* held */
	const struct given_set *given;
	size_t given_count;
	const char *text; /* of the expression, to show where a name stands */
};

/* Zero-initialise; free with asked_sets_free. */
struct asked_sets {
	struct loaded_set *loaded;
	size_t loaded_count;
	/* One for each leaf of the expression that is about a set, in their order. */
	struct column_question *questions;
	size_t question_count;
	size_t *set_of; /* by question: its place in loaded */
};

/* Loads them, each once. STATUS_USAGE where there is none of a name. */
enum status asked_sets_load(const struct set_source *source, const struct expression *expression,
			    struct asked_sets *sets, struct message *message);

void asked_sets_free(struct asked_sets *sets);

#endif
