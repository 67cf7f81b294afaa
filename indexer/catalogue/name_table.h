/*
 * Names with the place where each was seen first, to find a second one in
 * constant time.
 */
#ifndef CONNBITS_CATALOGUE_NAME_TABLE_H
#define CONNBITS_CATALOGUE_NAME_TABLE_H

#include <stddef.h>

enum name_table_result { NAME_TABLE_ADDED, NAME_TABLE_TAKEN, NAME_TABLE_OUT_OF_MEMORY };

/* Zero-initialise; free with name_table_free. */
struct name_table {
	struct name_table_slot *slots;
	size_t size; /* a power of two */
	size_t count;
};

/*
 * Adds name with its place. Where it is there already, *first is the place it
 * was added with. The table keeps the pointer: name has to outlive it.
 */
enum name_table_result name_table_add(struct name_table *table, const char *name, size_t place,
				      size_t *first);

/* True if name is there; *place is what it was added with. */
int name_table_find(const struct name_table *table, const char *name, size_t *place);

void name_table_free(struct name_table *table);

#endif
