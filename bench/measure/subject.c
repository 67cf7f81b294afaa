#include "subject.h"

#include <stdlib.h>

#include "database/database_open.h"
#include "generate_catalogue.h"
#include "log/layout_find.h"

/* The first mistake of a catalogue, with its place. */
static enum status first_mistake(const char *name, struct diagnostics *diagnostics,
				 enum status status, struct message *message)
{
	diagnostics_sort(diagnostics);
	if (status == STATUS_OK && !diagnostics_empty(diagnostics))
		status = message_set(message, STATUS_USAGE, "%s:%zu: %.500s", name,
				     diagnostics->count ? diagnostics->items[0].line : 0,
				     diagnostics->count ? diagnostics->items[0].message.text
							: "out of memory");
	diagnostics_free(diagnostics);
	return status;
}

enum status subject_catalogue(const char *path, uint64_t filters, struct catalogue *catalogue,
			      struct message *message)
{
	struct diagnostics diagnostics = {0};
	enum status status;

	if (!path)
		return generate_catalogue(filters, catalogue, message);
	status = catalogue_read(path, catalogue, &diagnostics, message);
	status = first_mistake(path, &diagnostics, status, message);
	/* Engines are measured, and those know no bitmaps of other filters. */
	catalogue_drop_rows(catalogue);
	if (status == STATUS_OK && catalogue->count == 0)
		status = message_set(message, STATUS_USAGE, "%s: no filters to measure", path);
	return status;
}

static enum status filters_compile(struct subject *subject, const struct catalogue *catalogue,
				   const char *name, struct message *message)
{
	struct diagnostics diagnostics = {0};
	enum status status =
		filter_set_add_catalogue(&subject->filters, catalogue, NULL, &diagnostics, message);

	return first_mistake(name, &diagnostics, status, message);
}

static enum status subject_log_open(struct subject *subject, const char *path,
				    const struct source_section *chosen, struct message *message)
{
	struct layout layout = {0};
	struct diagnostics mistakes = {0};
	sqlite3 *log = NULL;
	enum status status = database_open(path, DATABASE_READ, &log, message);

	if (status == STATUS_OK)
		status = layout_find(log, chosen, NULL, NULL, &layout, &mistakes, message);
	sqlite3_close(log);
	if (mistakes.count)
		*message = mistakes.items[0].message;
	diagnostics_free(&mistakes);
	if (status == STATUS_OK)
		status = log_open(path, &layout, &subject->log, message);
	layout_free(&layout);
	if (status == STATUS_OK)
		status = stages_open(&subject->stages, &subject->log, &subject->filters, message);
	return status;
}

static enum status evaluations_make(struct subject *subject, enum engine engine,
				    struct message *message)
{
	const size_t count = subject->filters.count;
	enum status status;

	subject->programs = calloc(count + 1, sizeof(*subject->programs));
	if (!subject->programs)
		return message_out_of_memory(message);
	for (size_t i = 0; i < count; i++)
		subject->programs[i] = &subject->filters.items[i].program;
	status = evaluation_new(ENGINE_BPF, subject->programs, count, NULL,
				&subject->evaluations[ENGINE_BPF], message);
	if (status == STATUS_OK && engine == ENGINE_VECTOR)
		status = evaluation_new(ENGINE_VECTOR, subject->programs, count, NULL,
					&subject->evaluations[ENGINE_VECTOR], message);
	return status;
}

enum status subject_open(const char *log_path, const struct catalogue *catalogue,
			 const char *catalogue_name, enum engine engine, struct subject *subject,
			 struct message *message)
{
	enum status status;

	*subject = (struct subject){0};
	status = filters_compile(subject, catalogue, catalogue_name, message);
	if (status == STATUS_OK)
		status = subject_log_open(subject, log_path, &catalogue->source, message);
	if (status == STATUS_OK)
		status = evaluations_make(subject, engine, message);
	return status;
}

void subject_free(struct subject *subject)
{
	stages_free(&subject->stages);
	log_free(&subject->log);
	for (size_t engine = 0; engine < 2; engine++)
		evaluation_free(subject->evaluations[engine]);
	free((void *)subject->programs);
	filter_set_free(&subject->filters);
}
