/*
 * What no reader of an index sees and what killed jobs left in it, removed in
 * short transactions: a live writer of the same file never waits long.
 */
#ifndef CONNBITS_INDEX_INDEX_CLEANUP_H
#define CONNBITS_INDEX_INDEX_CLEANUP_H

#include <signal.h>
#include <stdint.h>

#include "base/message.h"
#include "database/reader_gate.h"
#include "database/sqlite.h"

/* The unfinished sources that index_cleanup_run leaves. */
struct index_kept {
	int64_t source;	   /* this one; 0 for none */
	const char *table; /* and those of other tables than this one; NULL: none */
};

/*
 * Removes, in short transactions that the gate keeps apart, what no reader
 * sees: unfinished sources that are not kept, pending filters, and bitmaps and
 * headers that belong to nothing or lie behind the watermark. path names the file in messages.
 * Writes nothing where there is nothing. STATUS_FAILED also when stopped.
 */
enum status index_cleanup_run(sqlite3 *database, const char *path, const struct index_kept *kept,
			      struct reader_gate *gate, const volatile sig_atomic_t *stop,
			      struct message *message);

#endif
