/*
 * Which table of the log holds the connections, and which of its columns mean
 * what. A tool's table is known by its columns: one entry of a list.
 */
#ifndef CONNBITS_LAYOUT_H
#define CONNBITS_LAYOUT_H

#include <stdbool.h>

#include "catalogue.h"
#include "connection.h"
#include "message.h"
#include "sqlite.h"

struct layout {
	char *table;
	char *schema;		   /* "dionaea", or "catalogue" for a [source] section */
	char *columns[ROLE_COUNT]; /* NULL where the log has none */
	char *timestamp;	   /* seconds since 1970, or a date as text; NULL without */
	char *rowid;		   /* a name by which SQL can ask for the row id */
	bool directed;		   /* ROLE_TYPE decides which host is the source */
};

/*
 * Finds the layout of the log: from the catalogue's [source] if it has one,
 * else by the columns of its tables. table and schema, where not NULL, are the
 * user's choice. A view, a virtual table, a WITHOUT ROWID table, a missing
 * table or column, or several tables that fit are errors. The caller frees
 * *layout with layout_free whatever is returned.
 */
enum status layout_find(sqlite3 *log, const struct catalogue_source *source, const char *table,
			const char *schema, struct layout *layout, struct message *message);

/*
 * Holds a layout against the table as it is now, and finds how to ask for its
 * row ids. database_name is the attached name ("main").
 */
enum status layout_check(sqlite3 *log, const char *database_name, struct layout *layout,
			 struct message *message);

/* Copies a layout. The caller frees *copy with layout_free whatever is returned. */
enum status layout_copy(const struct layout *layout, struct layout *copy, struct message *message);

/*
 * The columns of SELECT for a layout: the row id, then the columns of every
 * role, NULL for those that the log does not have. sqlite3_free the result;
 * NULL without memory.
 */
char *layout_select_list(const struct layout *layout);

/* The word for the timestamp's column in connbits_source.columns. */
#define LAYOUT_TIMESTAMP "timestamp"

/* The role's word in connbits_source.columns: "type", "transport", "source_host", ... */
const char *layout_role_name(enum role role);

void layout_free(struct layout *layout);

#endif
