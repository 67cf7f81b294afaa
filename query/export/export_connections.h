/*
 * Stored columns as rows for ClickHouse, a row for each connection: sensor, table_name,
 * generation, number, segment, rowid, time, protocol, source, destination, their ports, ICMP type
 * and code, gone. All rows of a segment in which anything changed come again, with the number of
 * this export: only those of a segment's highest number count. A segment that has no rows any more
 * comes as one row with gone 1.
 */
#ifndef CONNBITS_EXPORT_EXPORT_CONNECTIONS_H
#define CONNBITS_EXPORT_EXPORT_CONNECTIONS_H

#include "native_file.h"
#include "table_export.h"

enum { EXPORT_CONNECTION_COLUMNS = 15 };
extern const struct native_column export_connection_columns[EXPORT_CONNECTION_COLUMNS];

struct exported_connections {
	uint64_t rows;	  /* that the table has */
	uint64_t written; /* that were written */
};

/* Writes what changed, and counts. The index has stored headers. */
enum status export_connections_write(const struct table_export *table,
				     struct exported_connections *exported,
				     struct message *message);

#endif
