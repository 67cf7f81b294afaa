/* Rows that connbits-import brought and that have become old leave their tables. */
#ifndef CONNBITS_IMPORT_RETENTION_H
#define CONNBITS_IMPORT_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"

/* True and *seconds for a number with s, m, h, d or w behind it. */
bool retention_span(const char *text, int64_t *seconds);

struct retained_rows {
	uint64_t removed;
	uint64_t undated; /* rows that stay since their time cannot be read, or is before 1980 */
};

/*
 * Deletes rows whose time is before `microseconds` since 1970, table by table, in transactions
 * of a few ten thousand rows. A time of before 1980 is rather one since the beginning of a
 * capture, and says nothing. *rows is added to.
 */
enum status retention_run(sqlite3 *log, int64_t microseconds, struct retained_rows *rows,
			  struct message *message);

#endif
