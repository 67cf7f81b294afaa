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

void job_skipped_warn(struct job *job)
{
	const struct job_summary *summary = job->summary;
	const uint64_t rows = outcomes_total(summary->outcomes) - summary->outcomes[OUTCOME_LISTEN];
	const uint64_t skipped = rows - summary->outcomes[OUTCOME_HEADER];
	const enum outcome most = outcome_most(summary);
	const bool in_capitals = most == OUTCOME_TRANSPORT && !job->layout.reading.any_case;
	struct log_reader *reader;
	struct message ignored;
	char values[128] = "";
	int64_t rowid = 0;
	bool found = false;

	/* A few odd rows are what logs have; nearly all are a [source] that does not fit. */
	if (skipped == 0 || skipped / 9 < rows - skipped || log_reader_open(&job->log, &reader, &ignored) != STATUS_OK)
		return;
	if (log_reader_skipped(reader, most, &found, &rowid, values, sizeof(values), &ignored) !=
	    STATUS_OK)
		found = false;
	log_reader_close(reader);
	if (!found)
		return;
	diagnostics_add(
		&job->summary->warnings, 0,
		"%llu of %llu rows are skipped, and no filter matches them; row %lld for its "
		"%s: %s%s",
		(unsigned long long)skipped, (unsigned long long)rows, (long long)rowid,
		outcome_name(most), values,
		in_capitals ? " (names = any in [source] takes names in any case)" : "");
}
