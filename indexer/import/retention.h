/* Rows that connbits-import brought and that have become old leave their tables. */
#ifndef CONNBITS_IMPORT_RETENTION_H
#define CONNBITS_IMPORT_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"

/* True and *seconds for a number with s, m, h, d or w behind it. */
bool retention_span(const char *text, int64_t *seconds);

/*
 * Deletes rows whose time is before `microseconds` since 1970, table by table, in transactions
 * of a few ten thousand rows. Rows without a readable time stay. *removed is added to.
 */
enum status retention_run(sqlite3 *log, int64_t microseconds, uint64_t *removed,
			  struct message *message);

#endif
