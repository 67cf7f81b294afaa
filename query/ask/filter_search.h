/*
 * pcap filters evaluated now, over the stored columns of an index: the answer to
 * {a pcap filter} in an expression.
 */
#ifndef CONNBITS_ASK_FILTER_SEARCH_H
#define CONNBITS_ASK_FILTER_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "answer_index.h"
#include "base/message.h"
#include "database/sqlite.h"
#include "engine/column_question.h"
#include "filter/program.h"
#include "segment_walk.h"
#include "set/row_set.h"

/* What is searched for in one pass: first programs, then questions, each with rows of its own. */
struct filter_search {
	sqlite3 *database;		  /* only this thread uses the connection */
	const struct answer_index *index; /* held */
	const struct program *const *programs;
	size_t program_count;
	const struct column_question *questions;
	size_t question_count;
	const struct stop *stop; /* NULL, or asked on this thread every few milliseconds; */
	const struct search_pause *pause; /* so is this */
};

/*
 * Searches all stored columns. rows has as many items as programs and questions; on success the
 * caller frees each with row_set_free. STATUS_FAILED also where the index has no stored headers.
 */
enum status filter_search_run(const struct filter_search *search, struct row_set *rows,
			      struct message *message);

/* Counts the rows that each of them has, which is less work. */
enum status filter_search_count(const struct filter_search *search, uint64_t *matches,
				struct message *message);

#endif
