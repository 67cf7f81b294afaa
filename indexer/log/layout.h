/*
 * Which table of the log holds the connections, and which of its columns mean
 * what: found by layout_find.h.
 */
#ifndef CONNBITS_LOG_LAYOUT_H
#define CONNBITS_LOG_LAYOUT_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "packet/connection.h"
#include "packet/header_gaps.h"

/* The schema's name of a [source] section that names none. */
#define LAYOUT_OF_CATALOGUE "catalogue"
/* The same of a table that connbits-import made: import_mapping.h. */
#define LAYOUT_OF_IMPORT "import"

struct layout {
	char *table;
	char *schema;		   /* of schema.h, or LAYOUT_OF_CATALOGUE, LAYOUT_OF_IMPORT */
	char *columns[ROLE_COUNT]; /* names, or expressions (column_expression.h); NULL: has none */
	char *timestamp;	   /* the same, of the row's time; NULL without */
	char *rowid;	  /* by which SQL can ask for the row id: a name, or a column in quotes */
	bool rowid_taken; /* "rowid" is a column that is not the row id */
	struct reading reading;
	bool rows_move; /* without INTEGER PRIMARY KEY, VACUUM may give rows other ids */
};

/*
 * Holds a layout against the table as it is now, and finds how to ask for its
 * row ids. database_name is the attached name ("main").
 */
enum status layout_check(sqlite3 *log, const char *database_name, struct layout *layout,
			 struct message *message);

/* STATUS_FAILED where the table is missing or has no row ids to index. */
enum status layout_table_check(sqlite3 *log, const char *database_name, const char *table,
			       struct message *message);

/* Puts a copy of text, or NULL for NULL, in place of what was there. False without memory. */
bool layout_set_text(char **place, const char *text);

/*
 * What every connection has, a source, a transport and a direction, and the
 * layout has no column for: the role's word. NULL where nothing is missing.
 */
const char *layout_missing(const struct layout *layout);

/* What the table's rows do not say. The result names the layout and is valid as long as it is. */
struct header_gaps layout_gaps(const struct layout *layout);

/* Copies a layout. The caller frees *copy with layout_free whatever is returned. */
enum status layout_copy(const struct layout *layout, struct layout *copy, struct message *message);

/* Whether a role or the time is an SQL expression. */
bool layout_has_expressions(const struct layout *layout);

/*
 * The word of what may read other rows than its own, the time or a role: no
 * trigger notes when its value changes. NULL where nothing does.
 */
const char *layout_reads_rows(const struct layout *layout);

/* Appends a column as SELECT has it: its name in quotes, or the expression. */
void layout_column_append(sqlite3_str *sql, const char *column);

/*
 * The columns of SELECT for a layout: the row id, then the columns of every
 * role, NULL for those that the log does not have, and with_time that of the time likewise.
 * sqlite3_free the result; NULL without memory.
 */
char *layout_select_list(const struct layout *layout, bool with_time);

enum { LAYOUT_TIME = ROLE_COUNT + 1 /* the place of the time in that list */ };

/* The words of connbits_source.columns beside those for roles. */
#define LAYOUT_TIMESTAMP "timestamp" /* its column */
#define LAYOUT_HOSTS "hosts"	     /* enum host_encoding, as a word */
#define LAYOUT_DIRECTION "direction" /* enum direction_encoding, as a word */
#define LAYOUT_ANY_CASE "any_case"
#define LAYOUT_ICMP "icmp" /* enum icmp_encoding, as a word */
#define LAYOUT_ICMP_FAMILY "icmp_family"
#define LAYOUT_PROTOCOL "every_protocol" /* of every row, as a number */

/* The role's word in connbits_source.columns: "type", "transport", "source_host", ... */
const char *layout_role_name(enum role role);

void layout_free(struct layout *layout);

#endif
