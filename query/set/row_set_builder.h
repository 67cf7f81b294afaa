/*
 * A set of row ids made of single ones, in any order and as often as they
 * come. They are gathered and sorted some at a time, so that neither order nor
 * distance makes it slow.
 */
#ifndef CONNBITS_SET_ROW_SET_BUILDER_H
#define CONNBITS_SET_ROW_SET_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "row_set.h"
#include "row_set_levels.h"

/* Zero-initialise; free with row_set_builder_free. */
struct row_set_builder {
	struct row_set_levels levels; /* all but those that are gathered */
	int64_t *gathered;
	size_t count;
	size_t capacity;
	bool unsorted;
};

enum status row_set_builder_add(struct row_set_builder *builder, int64_t rowid,
				struct message *message);

/*
 * Lends what has come so far as one set, valid until more is added.
 */
enum status row_set_builder_settle(struct row_set_builder *builder, struct row_set **set,
				   struct message *message);

/* Gives the set away. On success the caller frees *set with row_set_free. */
enum status row_set_builder_finish(struct row_set_builder *builder, struct row_set *set,
				   struct message *message);

void row_set_builder_free(struct row_set_builder *builder);

#endif
