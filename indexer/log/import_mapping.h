/*
 * How tables that connbits-import made are to be read: connbits_import_table in the log
 * has for each the lines of a [source] section, or none where its columns are those of a
 * tool that is known.
 */
#ifndef CONNBITS_LOG_IMPORT_MAPPING_H
#define CONNBITS_LOG_IMPORT_MAPPING_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "source_section.h"

#define IMPORT_MAPPING_TABLE                                                                       \
	"CREATE TABLE IF NOT EXISTS connbits_import_table ("                                       \
	"name TEXT PRIMARY KEY COLLATE NOCASE, source TEXT, time TEXT, preferred INTEGER NOT "     \
	"NULL, next_id INTEGER NOT NULL, columns TEXT) STRICT;"

struct import_mapping {
	bool found;		       /* the table has one, of lines */
	bool preferred;		       /* taken where several tables fit */
	struct source_section section; /* with the table's name */
};

/* STATUS_USAGE where such lines say what no [source] can. */
enum status import_mapping_check(const char *source, struct message *message);

/*
 * Reads the mapping of a table. STATUS_FAILED where it does not say what a [source] does.
 * The caller frees *mapping with
 * import_mapping_free whatever is returned.
 */
enum status import_mapping_read(sqlite3 *log, const char *table, struct import_mapping *mapping,
				struct message *message);

void import_mapping_free(struct import_mapping *mapping);

#endif
