#include "filter_set.h"

#include <stdlib.h>
#include <string.h>

#include "name_table.h"
#include "soundness.h"

static enum status filter_set_reserve(struct filter_set *set, size_t more, struct message *message)
{
	struct filter_entry *items;

	if (more == 0)
		return STATUS_OK;
	items = realloc(set->items, (set->count + more) * sizeof(*items));
	if (!items)
		return message_out_of_memory(message);
	set->items = items;
	return STATUS_OK;
}

/* Takes the program, also on failure. The set has room for one more. */
static enum status filter_set_append(struct filter_set *set, const char *name,
				     const char *expression, const char *description,
				     struct program *program, struct message *message)
{
	struct filter_entry *entry = &set->items[set->count++];

	*entry = (struct filter_entry){
		.name = strdup(name),
		.expression = strdup(expression),
		.description = strdup(description),
		.program = *program,
	};
	*program = (struct program){0};
	if (!entry->name || !entry->expression || !entry->description)
		return message_out_of_memory(message);
	return STATUS_OK;
}

enum status filter_set_add_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				     const volatile sig_atomic_t *stop,
				     struct diagnostics *diagnostics, struct message *message)
{
	enum status status = filter_set_reserve(set, catalogue->count, message);

	for (size_t i = 0; status == STATUS_OK && i < catalogue->count; i++) {
		const struct filter *filter = &catalogue->filters[i];
		struct program program;

		if (stop && *stop)
			return message_set(message, STATUS_FAILED,
					   "interrupted; the index is as it was");
		/* The parser has spoken of an empty expression already. */
		if (*filter->expression == '\0')
			continue;
		status = soundness_compile(filter->expression, &program, message);
		if (status == STATUS_USAGE) {
			program_free(&program);
			diagnostics_add(diagnostics, filter->expression_line, "filter '%.255s': %s",
					filter->name, message->text);
			status = STATUS_OK;
			continue;
		}
		if (status == STATUS_OK)
			status = filter_set_append(set, filter->name, filter->expression,
						   filter->description, &program, message);
		else
			program_free(&program);
		if (status == STATUS_OK)
			set->items[set->count - 1].line = filter->expression_line;
	}
	return status;
}

enum status filter_set_add_stored(struct filter_set *set, const struct stored_filters *stored,
				  struct message *message)
{
	struct name_table names = {0};
	size_t first;
	enum status status = filter_set_reserve(set, stored->count, message);

	for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
		if (name_table_add(&names, set->items[i].name, i, &first) ==
		    NAME_TABLE_OUT_OF_MEMORY)
			status = message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < stored->count; i++) {
		const struct stored_filter *filter = &stored->items[i];
		struct program program;
		struct message cause;

		if (filter->name[0] == '@' || name_table_find(&names, filter->name, &first))
			continue;
		if (!catalogue_name_valid(filter->name, strlen(filter->name))) {
			status = message_set(
				message, STATUS_FAILED,
				"the stored filter '%.100s' has no valid name; the index "
				"is damaged: remove it and build it again",
				filter->name);
			break;
		}
		status = soundness_compile(filter->expression, &program, &cause);
		if (status == STATUS_OK) {
			status = filter_set_append(set, filter->name, filter->expression,
						   filter->description, &program, message);
			continue;
		}
		program_free(&program);
		message_set(message, status,
			    "the stored filter '%.255s' does not compile: %.400s (give it "
			    "anew in the catalogue, or drop it with --prune)",
			    filter->name, cause.text);
	}
	name_table_free(&names);
	return status;
}

void filter_set_free(struct filter_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].name);
		free(set->items[i].expression);
		free(set->items[i].description);
		program_free(&set->items[i].program);
	}
	free(set->items);
	*set = (struct filter_set){0};
}
