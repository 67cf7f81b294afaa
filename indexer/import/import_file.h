/*
 * One file into the log: what it is, how far it was taken before, and its rows from there
 * on, in transactions that have its offset with them.
 */
#ifndef CONNBITS_IMPORT_IMPORT_FILE_H
#define CONNBITS_IMPORT_IMPORT_FILE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "import_format.h"

enum { REPORT_TABLES = 8 };

struct import_file_options {
	bool forced; /* the format */
	enum import_format format;
	struct capture_options capture;
	const char *const *map;
	size_t map_count;
	/* NULL, or told of the rows that this file has given so far. */
	void (*progress)(void *context, const char *path, uint64_t rows);
	void *progress_context;
	const volatile sig_atomic_t *stop; /* NULL, or not 0 once the import should end */
};

/* What came of it. */
struct import_file_report {
	const char *format; /* a word */
	uint64_t rows;
	bool known; /* nothing has come since it was imported */
	bool empty;
	bool unknown;	 /* it has none of the formats */
	bool incomplete; /* its last line or packet has no end, and is not taken */
	bool resumed;
	uint64_t faults[FAULT_COUNT];
	struct fault_place named[INTAKE_NAMED_MAX];
	size_t named_count;
	/* The tables that got rows; more than these are only counted. */
	char tables[REPORT_TABLES][INTAKE_NAME_MAX + 1];
	uint64_t table_rows[REPORT_TABLES];
	size_t table_count;
};

/*
 * Imports a file. STATUS_FAILED where it cannot be read: what came before that is in the
 * log, and the next import goes on there. STATUS_USAGE where a column has to be named.
 */
enum status import_file_run(sqlite3 *log, const char *path,
			    const struct import_file_options *options,
			    struct import_file_report *report, struct message *message);

#endif
