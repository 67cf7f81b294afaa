/*
 * What a filter that is an expression says of one row, leaf by leaf: other filters by
 * bpf_filter, sets and times by plain_set.h and the row's own time.
 */
#ifndef CONNBITS_JOB_VERIFY_ROWS_H
#define CONNBITS_JOB_VERIFY_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "catalogue/filter_set.h"
#include "database/sqlite.h"
#include "index/set_reader.h"
#include "packet/connection.h"
#include "packet/header.h"

/* What a row is, as far as a bitmap can tell. */
struct compared_row {
	int64_t rowid;
	enum outcome outcome;
	uint8_t header[HEADER_IPV6_SIZE];
	size_t captured;
	int64_t time; /* of one with a header; INSTANT_NONE where it has none */
};

/* The sets of the index, for filters that use them. Zero-initialise; free with verify_rows_free. */
struct verify_rows {
	struct index_sets stored;
	struct set_entry *entries;
	struct plain_set *sets;
	bool *stack;   /* room for the deepest expression of all, */
	bool *results; /* by filter of the set, of the row at hand; those of expressions */
};

/* Reads the sets, and gives them to filters, which are not linked yet. */
enum status verify_rows_load(struct verify_rows *rows, sqlite3 *index, int64_t source,
			     struct filter_set *filters, struct message *message);

/* Makes room, once the filters are linked. */
enum status verify_rows_begin(struct verify_rows *rows, const struct filter_set *filters,
			      struct message *message);

/* What all filters that are expressions say of a row goes to rows->results. */
void verify_rows_run(struct verify_rows *rows, const struct filter_set *filters,
		     const struct compared_row *subject);

void verify_rows_free(struct verify_rows *rows);

#endif
