#include "job_state.h"

#include <stdio.h>

/* The outcome that most skipped rows ended in. */
static enum outcome outcome_most(const struct job_summary *summary)
{
	enum outcome most = OUTCOME_TYPE;

	for (int outcome = OUTCOME_TYPE; outcome < OUTCOME_COUNT; outcome++)
		if (summary->outcomes[outcome] > summary->outcomes[most])
			most = (enum outcome)outcome;
	return most;
}

/* An expression that fails for one row is no mistake of [source], but worth knowing. */
static void failed_warn(struct job *job, struct log_reader *reader, int64_t from)
{
	struct message ignored;
	char reason[200];
	int64_t rowid;
	bool found;

	if (job->summary->outcomes[OUTCOME_ADDRESS] == 0 || !layout_has_expressions(&job->layout) ||
	    log_reader_failed(reader, from, &found, &rowid, reason, sizeof(reason), &ignored) !=
		    STATUS_OK ||
	    !found)
		return;
	diagnostics_add(&job->summary->warnings, 0,
			"an expression of [source] fails for row %lld: %s; such rows are skipped",
			(long long)rowid, reason);
}

/* A few odd rows are what logs have; nearly all are a [source] that does not fit. */
static void most_warn(struct job *job, struct log_reader *reader)
{
	const struct job_summary *summary = job->summary;
	const uint64_t rows = outcomes_total(summary->outcomes) - summary->outcomes[OUTCOME_LISTEN];
	const uint64_t skipped = rows - summary->outcomes[OUTCOME_HEADER];
	const enum outcome most = outcome_most(summary);
	const bool in_capitals = most == OUTCOME_TRANSPORT && !job->layout.reading.any_case;
	struct message ignored;
	char values[128];
	int64_t rowid;
	bool found;

	if (skipped == 0 || skipped / 9 < rows - skipped ||
	    log_reader_skipped(reader, most, &found, &rowid, values, sizeof(values), &ignored) !=
		    STATUS_OK ||
	    !found)
		return;
	diagnostics_add(
		&job->summary->warnings, 0,
		"%llu of %llu rows are skipped, and no filter matches them; row %lld for its "
		"%s: %s%s",
		(unsigned long long)skipped, (unsigned long long)rows, (long long)rowid,
		outcome_name(most), values,
		in_capitals ? " (names = any in [source] takes names in any case)" : "");
}

void job_skipped_warn(struct job *job, int64_t from)
{
	struct log_reader *reader;
	struct message ignored;

	if (job->summary->rows_read == 0 ||
	    log_reader_open(&job->log, &reader, &ignored) != STATUS_OK)
		return;
	if (job->summary->built)
		most_warn(job, reader);
	failed_warn(job, reader, from);
	log_reader_close(reader);
}
