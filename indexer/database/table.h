/*
 * What tables and columns the databases of a connection have. Asked by PRAGMA
 * statements and calls of SQLite's, not by the table-valued pragmas: a table or
 * view of such a name in any open file would answer in their place.
 */
#ifndef CONNBITS_DATABASE_TABLE_H
#define CONNBITS_DATABASE_TABLE_H

#include <stdbool.h>

#include "base/message.h"
#include "sqlite.h"

enum table_kind {
	TABLE_MISSING,
	TABLE_ORDINARY,
	TABLE_VIEW,
	TABLE_WITHOUT_ROWID,
	TABLE_VIRTUAL, /* and whatever else has no rows of its own */
};

/*
 * What stands under a name, in any case, in the attached database. *found, where
 * it is not NULL, is the name as the database writes it, which the caller frees; NULL without one.
 */
enum status table_find(sqlite3 *database, const char *database_name, const char *table,
		       enum table_kind *kind, char **found, struct message *message);

/*
 * The attached database whose table or view an unqualified name means: temp goes
 * first, then main, then the others in their order; without temp where with_temp
 * is false. NULL where none has it. The caller frees *database_name.
 */
enum status table_resolve(sqlite3 *database, const char *table, bool with_temp,
			  char **database_name, struct message *message);

/* Drops the table or view of that name in main, if there is one. */
enum status table_drop(sqlite3 *database, const char *table, struct message *message);

/* Whether the table has a column of that name, in any case. */
enum status table_has_column(sqlite3 *database, const char *database_name, const char *table,
			     const char *column, bool *has, struct message *message);

/*
 * The column that is the row id, or NULL: the one INTEGER PRIMARY KEY, unless it
 * is DESC and so an index of its own. The caller frees *column.
 */
enum status table_rowid_column(sqlite3 *database, const char *database_name, const char *table,
			       char **column, struct message *message);

#endif
