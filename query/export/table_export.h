/* One table of an index that is exported: what changed since, as rows of a file. */
#ifndef CONNBITS_EXPORT_TABLE_EXPORT_H
#define CONNBITS_EXPORT_TABLE_EXPORT_H

#include <stdint.h>

#include "base/message.h"
#include "manifest.h"
#include "native_file.h"
#include "show/moment.h"

struct table_export {
	struct moment *moment;
	const char *sensor;
	uint64_t number;
	struct manifest_items *before; /* what is known to have been exported; NULL: nothing */
	struct manifest_table *after;  /* what is exported now: it is added */
	struct native_file *file;
};

/* The values that every row begins with: sensor, table_name, generation, number. */
void table_export_head(const struct table_export *table);

#define TABLE_EXPORT_HEAD                                                                          \
	{"sensor", "String", false}, {"table_name", "String", false},                              \
		{"generation", "UInt64", false},                                                   \
	{                                                                                          \
		"number", "UInt64", false                                                          \
	}

/* What is known to have been exported of an item, where that is the same; else NULL. */
struct manifest_item *table_export_same(const struct table_export *table,
					const struct manifest_item *item);

/*
 * Adds an item to `after`. *changed says whether it is another one than before, or a new one.
 */
enum status table_export_item(const struct table_export *table, const struct manifest_item *item,
			      bool *changed, struct message *message);

#endif
