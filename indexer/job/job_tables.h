/*
 * A run of connbits-index for one table, or without a catalogue for each table
 * that the index has: the job, and what --verify asks.
 */
#ifndef CONNBITS_JOB_JOB_TABLES_H
#define CONNBITS_JOB_JOB_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "job.h"
#include "verify.h"

struct table_options {
	struct job_options index; /* with a table, one catalogue and one run */
	const char *shipped;	  /* the catalogue of a new index without one; NULL: none */
	bool verify;
	uint64_t verify_rows; /* or VERIFY_ALL_ROWS */
};

/* What came of one table. */
struct table_result {
	const char *table;     /* one of several; NULL where there is only one run */
	const char *catalogue; /* that was read; NULL without */
	bool shipped;	       /* nobody has named it */
	enum status status;
	bool indexed; /* the job ran to its end; then there is a summary */
	struct job_summary summary;
	struct verify_summary verified;
	struct diagnostics diagnostics; /* mistakes of the catalogue, */
	struct message message;		/* and why the status is not STATUS_OK */
};

/* Tells of a result, which is gone afterwards. Returns its status, or what went wrong in telling.
 */
typedef enum status (*table_tell)(void *context, const struct table_result *result);

/*
 * Runs for every table, also behind one that fails, and returns the gravest
 * status. *message says what is not about a table, and is empty otherwise.
 */
enum status job_tables_run(const struct table_options *options, table_tell tell, void *context,
			   struct message *message);

#endif
