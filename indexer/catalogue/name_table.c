#include "name_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct name_table_slot {
	const char *name;
	size_t place;
};

/* FNV-1a, 64 bits (RFC 9923). */
static uint64_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return hash;
}

static struct name_table_slot *name_table_slot(const struct name_table *table, const char *name)
{
	size_t mask = table->size - 1;
	size_t index = (size_t)name_hash(name) & mask;

	while (table->slots[index].name && strcmp(table->slots[index].name, name) != 0)
		index = (index + 1) & mask;
	return &table->slots[index];
}

static int name_table_grow(struct name_table *table)
{
	struct name_table larger = {.size = table->size ? table->size * 2 : 256,
				    .count = table->count};

	if (table->count < table->size / 2)
		return 1;
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return 0;
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].name)
			*name_table_slot(&larger, table->slots[i].name) = table->slots[i];
	free(table->slots);
	*table = larger;
	return 1;
}

enum name_table_result name_table_add(struct name_table *table, const char *name, size_t place,
				      size_t *first)
{
	struct name_table_slot *slot;

	if (!name_table_grow(table))
		return NAME_TABLE_OUT_OF_MEMORY;
	slot = name_table_slot(table, name);
	if (slot->name) {
		*first = slot->place;
		return NAME_TABLE_TAKEN;
	}
	*slot = (struct name_table_slot){.name = name, .place = place};
	table->count++;
	return NAME_TABLE_ADDED;
}

int name_table_find(const struct name_table *table, const char *name, size_t *place)
{
	const struct name_table_slot *slot;

	if (table->size == 0)
		return 0;
	slot = name_table_slot(table, name);
	if (!slot->name)
		return 0;
	*place = slot->place;
	return 1;
}

void name_table_free(struct name_table *table)
{
	free(table->slots);
	*table = (struct name_table){0};
}
