/*
 * The tables that tools write, one entry each: which columns mean what, and
 * how their values are read. Another tool's table is another entry.
 */
#ifndef CONNBITS_LOG_SCHEMA_H
#define CONNBITS_LOG_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "packet/connection.h"

/* A table whose rows are all of one protocol, which no column says. */
struct schema_table {
	const char *name;
	uint8_t protocol;
};

struct schema {
	const char *name;
	const char *tool;  /* in a few words */
	const char *table; /* preferred where several tables fit */
	const char *columns[ROLE_COUNT];
	const char *timestamp; /* taken where the table has it; NULL without */
	unsigned optional;     /* bit 1 << role: a table fits without this column */
	struct reading reading;
	const struct schema_table *tables; /* where there is no transport; ends with a NULL name */
	const char *note;		   /* what is not certain; NULL where nothing is */
};

/* The entries in the order in which a log is held against them. */
extern const struct schema schemas[];
extern const size_t schema_count;

/* The first entry of that name, of which there may be several; NULL where there is none. */
const struct schema *schema_find(const char *name);

#endif
