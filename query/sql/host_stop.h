/*
 * Whether the host wants its statement to end, for work that takes long within
 * one function: sqlite3_interrupt and the progress handler are heard by running
 * a little of a statement that never ends.
 */
#ifndef CONNBITS_SQL_HOST_STOP_H
#define CONNBITS_SQL_HOST_STOP_H

#include <stdbool.h>

#include "base/stop.h"
#include "database/sqlite.h"
#include "filter/program.h"

/* Of one call; asked on the connection's thread. End with host_stop_end. */
struct host_stop {
	sqlite3 *database;
	sqlite3_stmt *endless;
	double asked; /* seconds, when the connection was asked last */
	bool stopped;
	struct stop stop;
	struct program_bounds bounds; /* with what SQLite's hard heap limit leaves */
};

void host_stop_begin(struct host_stop *host, sqlite3 *database);

void host_stop_end(struct host_stop *host);

#endif
