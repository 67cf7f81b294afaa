/* The tables that an index has. */
#ifndef CONNBITS_INDEX_INDEX_TABLES_H
#define CONNBITS_INDEX_INDEX_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"

struct index_tables {
	char **names;
	size_t count;
};

/*
 * Lists the tables of the index at path, with or without unfinished ones, in the
 * order in which they came; none where there is no index. The caller frees *tables with
 * index_tables_free whatever is returned.
 */
enum status index_tables_read(const char *path, bool unfinished, struct index_tables *tables,
			      struct message *message);

void index_tables_free(struct index_tables *tables);

#endif
