/*
 * What the columns of a table mean, by the names that people give them, as lines of a
 * [source] section that connbits-index reads.
 */
#ifndef CONNBITS_IMPORT_COLUMN_ROLES_H
#define CONNBITS_IMPORT_COLUMN_ROLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"

struct column_name {
	const char *text;
	size_t size;
};

enum column_role {
	COLUMN_SOURCE_HOST,
	COLUMN_SOURCE_PORT,
	COLUMN_DESTINATION_HOST,
	COLUMN_DESTINATION_PORT,
	COLUMN_TRANSPORT,
	COLUMN_ICMP_TYPE,
	COLUMN_ICMP_CODE,
	COLUMN_TIME,
	COLUMN_ROLES
};

enum { COLUMN_NONE = -1 };

struct column_roles {
	int columns[COLUMN_ROLES]; /* which column; COLUMN_NONE without */
	char *source;		   /* lines "key = value"; the caller frees it */
	char *time;		   /* the column of the time, or NULL; likewise */
};

/*
 * Finds the roles. map, of map_count texts KEY=VALUE, goes before what names say.
 * icmp: a line of [source], or NULL. STATUS_USAGE where a map is none or a role that has
 * to be there is not found: the message has the columns. Free with column_roles_free.
 */
enum status column_roles_find(const struct column_name *names, size_t count, const char *const *map,
			      size_t map_count, const char *icmp, struct column_roles *roles,
			      struct message *message);

void column_roles_free(struct column_roles *roles);

/* Whether enough of the names are those of connections: both hosts. */
bool column_roles_guess(const struct column_name *names, size_t count);

#endif
