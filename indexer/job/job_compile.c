#include "job_state.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/optimiser_check.h"
#include "engine/plan.h"

/* The mistakes found so far as a status: of the catalogue nothing is used then. */
static enum status mistakes(struct job *job, bool unanswerable)
{
	const struct diagnostics *diagnostics = job->diagnostics;
	const size_t count = diagnostics->count + diagnostics->lost;

	diagnostics_sort(job->diagnostics);
	if (diagnostics_empty(diagnostics))
		return STATUS_OK;
	return message_set(job->message, STATUS_USAGE, "%s: %zu mistake%s; nothing was changed%s",
			   job->options->catalogue_path, count, count == 1 ? "" : "s",
			   unanswerable ? " (--skip-unanswerable leaves out what the table has no "
					  "columns for)"
					: "");
}

/* Tells of a filter that plain tcpdump answers otherwise. */
static enum status warn_of_optimiser(struct job *job, const struct filter_entry *filter)
{
	bool differs;
	enum status status = optimiser_check(filter->expression, &filter->program, false, &differs,
					     job->message);

	if (status == STATUS_OK && differs)
		diagnostics_add(&job->summary->warnings, filter->line,
				"filter '%.255s': " OPTIMISER_WARNING, filter->name);
	return status;
}

/* Tells of new filters that are right but hardly meant so, whatever the engine. */
static enum status warn(struct job *job, bool all)
{
	const size_t count = job->filters.count;
	const struct program **programs = calloc(count + 1, sizeof(*programs));
	const struct stop stop = stop_of_signal(job->options->stop);
	struct plan *plan = NULL;
	size_t checked = 0;
	enum status status = STATUS_OK;

	if (!programs)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < count; i++)
		if (job->filters.items[i].line && job->filters.items[i].program.instructions &&
		    (all || filter_entry_is_new(&job->filters.items[i])))
			programs[checked++] = &job->filters.items[i].program;
	if (checked)
		status = plan_make(programs, checked, &stop, &plan, job->message);
	checked = 0;
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const struct filter_entry *filter = &job->filters.items[i];

		if (!filter->line || !filter->program.instructions ||
		    !(all || filter_entry_is_new(filter)))
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
		status = warn_of_optimiser(job, filter);
	}
	plan_free(plan);
	free((void *)programs);
	return status;
}

/* The table's layout, as far as it is known before the log is described; NULL where it is not. */
static const struct layout *layout_known(const struct job *job)
{
	if (job->layout.table)
		return &job->layout;
	return !job->options->catalogue_path && job->found.source.layout.table
		       ? &job->found.source.layout
		       : NULL;
}

/* One line, however many they are. */
static void tell_left_out(struct job *job, const struct header_gaps *gaps, size_t count)
{
	const char *ports = gaps->source_port ? gaps->destination_port ? "ports" : "source ports"
			    : gaps->destination_port ? "destination ports"
						     : NULL;

	diagnostics_add(&job->summary->warnings, 0,
			"%zu filter%s left out: the table '%.200s' (schema %.50s) has no column "
			"for %s%s%s",
			count, count == 1 ? " is" : "s are", gaps->table, gaps->schema,
			ports ? ports : "", ports && gaps->icmp ? " and " : "",
			gaps->icmp ? "ICMP types" : "");
}

enum status job_compile(struct job *job, enum compile_scope scope)
{
	const double start = clock_seconds();
	const struct layout *layout = layout_known(job);
	const struct header_gaps gaps = layout ? layout_gaps(layout) : (struct header_gaps){0};
	const bool skip = job->options->skip_unanswerable || job->catalogue.skips_unanswerable;
	const struct stop stop = stop_of_signal(job->options->stop);
	size_t unanswerable = 0;
	const struct filter_compiling compiling = {
		.only_new = scope == COMPILE_NEW,
		.stop = &stop,
		.mistakes = job->diagnostics,
		.gaps = &gaps,
		.skip = skip,
		.unanswerable = &unanswerable,
		.unresolved = scope == COMPILE_TO_BUILD ? NULL : &job->summary->warnings,
	};
	const bool all = scope != COMPILE_NEW;
	enum status status = filter_set_compile(&job->filters, &compiling, job->message);

	if (skip && unanswerable)
		tell_left_out(job, &gaps, unanswerable);
	job->summary->filters = job->filters.count;
	if (status == STATUS_OK)
		status = mistakes(job, unanswerable > 0 && !skip);
	if (status == STATUS_OK && !job->warned)
		status = warn(job, all);
	job->warned = true;
	job->summary->compile_seconds += clock_seconds() - start;
	return status;
}

enum status job_evaluation(struct job *job, const struct filter_entry *const *entries, size_t count,
			   const struct job_derived *derived, const struct program ***programs,
			   struct evaluation **evaluation)
{
	const struct stop stop = stop_of_signal(job->options->stop);

	*evaluation = NULL;
	*programs = calloc(count + derived->helper_count + 1, sizeof(**programs));
	if (!*programs)
		return message_out_of_memory(job->message);
	for (size_t i = 0; i < count; i++)
		(*programs)[i] = entries[i]->unresolved || entries[i]->kind == FILTER_ROWS
					 ? program_never()
					 : &entries[i]->program;
	for (size_t i = 0; i < derived->helper_count; i++)
		(*programs)[count + i] = derived->helpers[i];
	return evaluation_new(job->options->engine, *programs, count + derived->helper_count, &stop,
			      evaluation, job->message);
}

struct index_write_filter job_filter(const struct filter_entry *entry, size_t place)
{
	return (struct index_write_filter){
		.name = entry->name,
		.expression = entry->expression,
		.description = entry->description,
		.digest = entry->digest,
		.kind = entry->kind,
		.derived = entry->kind == FILTER_ROWS,
		.position = (int64_t)(ENCODER_BUILT_IN + place),
	};
}

struct index_write_filter *job_filters(const struct job *job)
{
	struct index_write_filter *filters =
		calloc(ENCODER_BUILT_IN + job->filters.count, sizeof(*filters));

	if (!filters)
		return NULL;
	filters[ENCODER_ALL] =
		(struct index_write_filter){.name = INDEX_ALL,
					    .expression = "",
					    .description = "every row that has a header",
					    .position = ENCODER_ALL};
	filters[ENCODER_SKIPPED] =
		(struct index_write_filter){.name = INDEX_SKIPPED,
					    .expression = "",
					    .description = "every row that was skipped",
					    .position = ENCODER_SKIPPED};
	for (size_t i = 0; i < job->filters.count; i++)
		filters[ENCODER_BUILT_IN + i] = job_filter(&job->filters.items[i], i);
	return filters;
}
