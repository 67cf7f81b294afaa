#include "job_state.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/plan.h"

/* The mistakes found so far as a status: of the catalogue nothing is used then. */
static enum status mistakes(struct job *job)
{
	const struct diagnostics *diagnostics = job->diagnostics;
	const size_t count = diagnostics->count + diagnostics->lost;

	diagnostics_sort(job->diagnostics);
	if (diagnostics_empty(diagnostics))
		return STATUS_OK;
	return message_set(job->message, STATUS_USAGE, "%s: %zu mistake%s; nothing was changed",
			   job->options->catalogue_path, count, count == 1 ? "" : "s");
}

/* Tells of new filters that are right but hardly meant so, whatever the engine. */
static enum status warn(struct job *job, bool all)
{
	const size_t count = job->filters.count;
	const struct program **programs = calloc(count + 1, sizeof(*programs));
	struct plan *plan = NULL;
	size_t checked = 0;
	enum status status = STATUS_OK;

	if (!programs)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < count; i++)
		if (job->filters.items[i].line &&
		    (all || filter_entry_is_new(&job->filters.items[i])))
			programs[checked++] = &job->filters.items[i].program;
	if (checked)
		status = plan_make(programs, checked, job->options->stop, &plan, job->message);
	checked = 0;
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const struct filter_entry *filter = &job->filters.items[i];

		if (!filter->line || !(all || filter_entry_is_new(filter)))
			continue;
		if (plan_never(plan, checked))
			diagnostics_add(&job->summary->warnings, filter->line,
					"filter '%.255s' never matches: no header of a connection "
					"meets it",
					filter->name);
		if (plan_always(plan, checked))
			diagnostics_add(&job->summary->warnings, filter->line,
					"filter '%.255s' always matches: every header of a "
					"connection meets it",
					filter->name);
		checked++;
	}
	plan_free(plan);
	free((void *)programs);
	return status;
}

enum status job_compile(struct job *job, bool all)
{
	const double start = clock_seconds();
	enum status status = filter_set_compile(&job->filters, !all, job->options->stop,
						job->diagnostics, job->message);

	if (status == STATUS_OK)
		status = mistakes(job);
	if (status == STATUS_OK && !job->warned)
		status = warn(job, all);
	job->warned = true;
	job->summary->compile_seconds += clock_seconds() - start;
	return status;
}
