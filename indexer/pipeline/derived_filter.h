/*
 * Filters that are computed of other bitmaps, chunk by chunk: of those that threads have just
 * made, of stored ones, and of each other.
 */
#ifndef CONNBITS_PIPELINE_DERIVED_FILTER_H
#define CONNBITS_PIPELINE_DERIVED_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "engine/chunk_table.h"
#include "expression/expression.h"
#include "index/bitmap_reader.h"

enum operand_source {
	OPERAND_MADE,	/* a bitmap of the chunk's work */
	OPERAND_STORED, /* a filter as it is stored */
	OPERAND_DERIVED /* another one of these filters, ahead of this one */
};

struct derived_operand {
	enum operand_source source;
	size_t number;	  /* of the bitmap in the work, or of the derived filter */
	int64_t filter;	  /* stored: its id, */
	const char *name; /* and its name, for messages */
};

struct derived_filter {
	const struct expression *expression;
	const struct derived_operand *operands; /* one a name, then one for @all */
	size_t filter; /* the place of what it makes among the job's filters */
};

struct derived_filters {
	const struct derived_filter *items; /* each behind those that it uses */
	size_t count;
};

/* What works on one chunk after the other. */
struct derived_work;

/*
 * Free with derived_work_free, before the reader of stored bitmaps, which may be NULL where no
 * operand is one.
 */
enum status derived_work_new(const struct derived_filters *filters, struct chunk_reader *stored,
			     struct derived_work **work, struct message *message);

/* Begins a chunk. made is what threads made of it, or NULL where that is nothing. */
void derived_work_begin(struct derived_work *work, int64_t chunk, const struct chunk_work *made);

/*
 * Computes a filter, of which all before it were; its containers by segment are valid until the
 * next one.
 */
enum status derived_work_run(struct derived_work *work, size_t number,
			     struct container containers[static CHUNK_SEGMENTS],
			     struct message *message);

void derived_work_free(struct derived_work *work);

#endif
