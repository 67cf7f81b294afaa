#include "table_export.h"

#include <string.h>

void table_export_head(const struct table_export *table)
{
	native_file_text(table->file, table->sensor);
	native_file_text(table->file, table->after->name);
	native_file_number(table->file, (uint64_t)table->after->generation, 8);
	native_file_number(table->file, table->number, 8);
}

enum status table_export_item(const struct table_export *table, const struct manifest_item *item,
			      bool *changed, struct message *message)
{
	struct manifest_item *known =
		table->before ? manifest_items_find(table->before, item->filter, item->place)
			      : NULL;

	*changed = !known || strcmp(known->digest, item->digest) != 0;
	if (known)
		known->seen = true;
	return manifest_items_add(&table->after->items, item, message);
}
