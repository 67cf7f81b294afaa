#include "table_export.h"

#include <string.h>

void table_export_head(const struct table_export *table)
{
	native_file_text(table->file, table->sensor);
	native_file_text(table->file, table->after->name);
	native_file_number(table->file, (uint64_t)table->after->generation, 8);
	native_file_number(table->file, table->number, 8);
}

static struct manifest_item *known_find(const struct table_export *table,
					const struct manifest_item *item)
{
	return table->before ? manifest_items_find(table->before, item->filter, item->place) : NULL;
}

struct manifest_item *table_export_same(const struct table_export *table,
					const struct manifest_item *item)
{
	struct manifest_item *known = known_find(table, item);

	return known && strcmp(known->digest, item->digest) == 0 ? known : NULL;
}

enum status table_export_item(const struct table_export *table, const struct manifest_item *item,
			      bool *changed, struct message *message)
{
	struct manifest_item *known = known_find(table, item);

	*changed = table_export_same(table, item) == NULL;
	if (known)
		known->seen = true;
	return manifest_items_add(&table->after->items, item, message);
}
