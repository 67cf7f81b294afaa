/*
 * Which layout a log has: from the catalogue's [source] if it has one, else by
 * the columns of its tables, held against what schema.h knows.
 */
#ifndef CONNBITS_LOG_LAYOUT_FIND_H
#define CONNBITS_LOG_LAYOUT_FIND_H

#include "base/diagnostics.h"
#include "base/message.h"
#include "layout.h"
#include "source_section.h"

/*
 * Finds the layout of the log. table and schema, where not NULL, are the
 * user's choice. A schema goes before [source], except for one that builds on a
 * schema; a [source] of another table does not count. A view, a virtual table, a
 * WITHOUT ROWID table, a missing table or column, or several tables that fit
 * equally well are errors; of expressions in [source] that cannot be evaluated
 * each is added to mistakes, with its line. The caller frees *layout with layout_free whatever
 * is returned.
 */
enum status layout_find(sqlite3 *log, const struct source_section *section, const char *table,
			const char *schema, struct layout *layout, struct diagnostics *mistakes,
			struct message *message);

#endif
