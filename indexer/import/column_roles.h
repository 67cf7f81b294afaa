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
	COLUMN_PROTOCOL,     /* a number, which goes before the transport */
	COLUMN_SOURCE_HOST6, /* these go before the hosts where they are not NULL */
	COLUMN_DESTINATION_HOST6,
	COLUMN_ROLES
};

enum { COLUMN_NONE = -1 };

struct column_roles {
	int columns[COLUMN_ROLES]; /* which column; COLUMN_NONE without, or of an expression */
	char *source;		   /* lines "key = value"; the caller frees it */
	char *time;		   /* the column of the time, or NULL; likewise */
	bool given;		   /* by the user, now */
};

/* What is said of the columns besides their names. */
struct column_hints {
	const char *const *map; /* texts KEY=VALUE of the user's, which go first */
	size_t map_count;
	const char *source; /* how a table with these very columns is read already; NULL without */
	const char *icmp;   /* a line of [source], or NULL */
};

/*
 * Finds the roles. Without a map, columns that the table is read by already go before what
 * names say. STATUS_USAGE where a map is none or a role that has to be there is not found:
 * the message has the columns. Free with column_roles_free.
 */
enum status column_roles_find(const struct column_name *names, size_t count,
			      const struct column_hints *hints, struct column_roles *roles,
			      struct message *message);

void column_roles_free(struct column_roles *roles);

/* Whether enough of the names are those of connections: both hosts. */
bool column_roles_guess(const struct column_name *names, size_t count);

#endif
