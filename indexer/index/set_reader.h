/* The address sets that an index holds. Nothing here trusts what it reads. */
#ifndef CONNBITS_INDEX_SET_READER_H
#define CONNBITS_INDEX_SET_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "packet/address_list.h"
#include "packet/address_set.h"

struct index_set {
	char *name;
	char digest[40]; /* of its entries */
	uint64_t entries;
	char read_at[32]; /* RFC 3339, UTC: when it was read last, to within half a day */
};

struct index_sets {
	struct index_set *items; /* by name */
	size_t count;
};

/* Reads what the sets of a source are. Free with index_sets_free. */
enum status index_sets_read(sqlite3 *database, const char *database_name, int64_t source,
			    struct index_sets *sets, struct message *message);

void index_sets_free(struct index_sets *sets);

/* True if a source has a set of that name; false also where that cannot be told. */
bool index_set_exists(sqlite3 *database, const char *database_name, int64_t source,
		      const char *name);

/*
 * Reads the entries of a set. *found is false where there is none of that name. The caller
 * frees *list with address_list_free whatever is returned.
 */
enum status index_set_load(sqlite3 *database, const char *database_name, int64_t source,
			   const char *name, struct address_list *list, bool *found,
			   struct message *message);

/* Names the set in the message of a failure to read its bytes. Returns the status. */
enum status index_set_judge(const char *name, enum status status, struct message *message);

/* The same as the bytes that are stored, unchecked. The caller frees *bytes with free. */
enum status index_set_bytes(sqlite3 *database, const char *database_name, int64_t source,
			    const char *name, uint8_t **bytes, size_t *size, bool *found,
			    struct message *message);

/* The same, made ready to be asked. The caller frees *set with address_set_free. */
enum status index_set_make(sqlite3 *database, const char *database_name, int64_t source,
			   const char *name, struct address_set **set, bool *found,
			   struct message *message);

#endif
