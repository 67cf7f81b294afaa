#include "filter_set.h"

#include <stdlib.h>
#include <string.h>

#include "expression/expression.h"
#include "filter/host_name_guard.h"
#include "filter/mistake_place.h"
#include "filter/soundness.h"
#include "name_table.h"

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

/* The set has room for one more. */
static enum status filter_set_append(struct filter_set *set, const char *name,
				     const char *expression, const char *description,
				     enum filter_kind kind, size_t line,
				     const struct index_filter *stored, struct message *message)
{
	struct filter_entry *entry = &set->items[set->count++];

	*entry = (struct filter_entry){
		.name = strdup(name),
		.expression = strdup(expression),
		.description = strdup(description),
		.kind = kind,
		.line = line,
		.stored = stored,
	};
	if (!entry->name || !entry->expression || !entry->description)
		return message_out_of_memory(message);
	return STATUS_OK;
}

enum status filter_set_take_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				      struct message *message)
{
	enum status status = filter_set_reserve(set, catalogue->count, message);

	for (size_t i = 0; status == STATUS_OK && i < catalogue->count; i++) {
		const struct filter *filter = &catalogue->filters[i];

		/* The parser has spoken of an empty expression already. */
		if (*filter->expression == '\0')
			continue;
		status = filter_set_append(set, filter->name, filter->expression,
					   filter->description, filter->kind,
					   filter->expression_line, NULL, message);
		set->items[set->count - 1].given = filter;
	}
	return status;
}

static enum status stored_take(struct filter_set *set, const struct index_filter *filter,
			       const struct name_table *names, bool add, struct message *message)
{
	size_t place;

	if (filter->name[0] == '@')
		return STATUS_OK;
	if (name_table_find(names, filter->name, &place)) {
		set->items[place].stored = filter;
		return STATUS_OK;
	}
	if (!add)
		return STATUS_OK;
	if (!catalogue_name_valid(filter->name, strlen(filter->name)))
		return message_set(
			message, STATUS_FAILED,
			"the stored filter '%.100s' has no valid name; the index is "
			"damaged: build it again with the catalogue, --rebuild and --prune",
			filter->name);
	return filter_set_append(set, filter->name, filter->expression, filter->description,
				 filter->kind, 0, filter, message);
}

enum status filter_set_take_stored(struct filter_set *set, const struct index_filters *stored,
				   bool add, struct message *message)
{
	struct name_table names = {0};
	size_t first;
	enum status status = filter_set_reserve(set, stored->count, message);

	set->stored = stored;
	for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
		if (name_table_add(&names, set->items[i].name, i, &first) ==
		    NAME_TABLE_OUT_OF_MEMORY)
			status = message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < stored->count; i++)
		status = stored_take(set, &stored->items[i], &names, add, message);
	name_table_free(&names);
	return status;
}

/*
 * True for libpcap's messages about names that somebody else knows: hosts,
 * networks, ports and protocols.
 */
static bool is_unknown_name(const struct message *cause)
{
	return strncmp(cause->text, "unknown ", strlen("unknown ")) == 0;
}

bool filter_entry_leave(struct filter_entry *entry, const struct filter_compiling *compiling,
			enum status status, const struct message *cause)
{
	if (status != STATUS_USAGE || !compiling->unresolved || !is_unknown_name(cause) ||
	    filter_entry_is_new(entry))
		return false;
	entry->unresolved = true;
	diagnostics_add(
		compiling->unresolved, entry->line,
		"filter '%.255s': %.400s; its bitmap stays as it is until that name is found "
		"again",
		entry->name, cause->text);
	return true;
}

/* What is no pcap filter may be an expression over filters, sets and times. */
static const char *rows_hint(const char *text, const struct message *cause)
{
	struct expression expression;
	struct message ignored;
	bool combines;

	if (!strstr(cause->text, "syntax error") ||
	    expression_parse(text, &expression, &ignored) != STATUS_OK)
		return "";
	combines = expression.step_count > 1;
	expression_free(&expression);
	return combines ? "; to combine filters, sets and times write rows = in the place of "
			  "expression ="
			: "";
}

/* With the line of the mistake, where the expression has several, and its text. */
static void mistake_add(const struct filter_entry *entry, const struct message *cause,
			struct diagnostics *mistakes)
{
	const struct filter *filter = entry->given;
	const struct value_line *line = filter->lines;
	const struct value_line *last = line + filter->line_count - 1;
	size_t place;
	size_t length;

	if (line == last || !mistake_place_find(entry->expression, cause, &place)) {
		diagnostics_add(mistakes, line->line, "filter '%.255s': %s%s", entry->name,
				cause->text, rows_hint(entry->expression, cause));
		return;
	}
	while (line < last && line[1].offset <= place)
		line++;
	/* A blank stands between two lines. */
	length = (line < last ? line[1].offset - 1 : strlen(entry->expression)) - line->offset;
	diagnostics_add(mistakes, line->line, "filter '%.255s': %.600s, in the line '%.*s'",
			entry->name, cause->text, (int)(length < 200 ? length : 200),
			entry->expression + line->offset);
}

/* A mistake of the catalogue is noted and goes by; one of a stored filter does not. */
static enum status entry_mistake(const struct filter_entry *entry,
				 const struct filter_compiling *compiling, enum status status,
				 const struct message *cause, struct message *message)
{
	if (status == STATUS_USAGE && entry->given) {
		mistake_add(entry, cause, compiling->mistakes);
		return STATUS_OK;
	}
	if (entry->line) {
		*message = *cause;
		return status;
	}
	return message_set(message, status,
			   "the stored filter '%.255s' does not compile: %.400s (give it anew in "
			   "the catalogue, or drop it with --prune)",
			   entry->name, cause->text);
}

static enum status entry_compile(struct filter_entry *entry,
				 const struct filter_compiling *compiling, struct message *message)
{
	const struct program_bounds bounds = {.stop = compiling->stop};
	struct message cause;
	bool gap;
	enum status status = soundness_compile_table(entry->expression, compiling->gaps, &bounds,
						     &entry->program, &gap, &cause);

	if (status == STATUS_OK)
		return program_digest(&entry->program, entry->digest, message);
	program_free(&entry->program);
	entry->program = (struct program){0};
	if (gap && compiling->unanswerable)
		++*compiling->unanswerable;
	entry->left_out = gap && compiling->skip;
	if (entry->left_out)
		return STATUS_OK;
	if (filter_entry_leave(entry, compiling, status, &cause))
		return STATUS_OK;
	return entry_mistake(entry, compiling, status, &cause, message);
}

/* True where the text alone does not say what is meant. */
static bool entry_asks_names(const struct filter_entry *entry)
{
	struct message ignored;

	return host_name_guard_check(entry->expression, &ignored) != STATUS_OK;
}

static void entry_free(struct filter_entry *entry)
{
	free(entry->name);
	free(entry->expression);
	free(entry->description);
	program_free(&entry->program);
	rows_filter_free(entry->rows);
}

/* Takes out what is left out. Returns whether something was. */
static bool left_out_drop(struct filter_set *set)
{
	const size_t before = set->count;

	set->count = 0;
	for (size_t i = 0; i < before; i++) {
		if (set->items[i].left_out)
			entry_free(&set->items[i]);
		else
			set->items[set->count++] = set->items[i];
	}
	return set->count < before;
}

enum status filter_set_compile(struct filter_set *set, const struct filter_compiling *compiling,
			       struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < set->count; i++) {
		struct filter_entry *entry = &set->items[i];

		if (entry->kind == FILTER_ROWS)
			continue;
		if (entry->program.instructions || (entry->unresolved && compiling->unresolved))
			continue;
		if (compiling->only_new && !filter_entry_is_new(entry) && !entry_asks_names(entry))
			continue;
		if (stop_asked(compiling->stop))
			return message_set(message, STATUS_FAILED, "interrupted");
		status = entry_compile(entry, compiling, message);
	}
	if (status == STATUS_OK)
		status = rows_filters_link(set, compiling, message);
	/* The numbers of operands are others without those that are left out. */
	if (status == STATUS_OK && left_out_drop(set))
		status = rows_filters_link(set, compiling, message);
	return status;
}

enum status filter_set_add_catalogue(struct filter_set *set, const struct catalogue *catalogue,
				     const struct stop *stop, struct diagnostics *diagnostics,
				     struct message *message)
{
	enum status status = filter_set_take_catalogue(set, catalogue, message);

	if (status == STATUS_OK)
		status = filter_set_compile(
			set, &(struct filter_compiling){.stop = stop, .mistakes = diagnostics},
			message);
	return status;
}

enum status filter_set_add_stored(struct filter_set *set, const struct index_filters *stored,
				  struct message *message)
{
	struct diagnostics none = {0};
	enum status status = filter_set_take_stored(set, stored, true, message);

	if (status == STATUS_OK)
		status = filter_set_compile(set, &(struct filter_compiling){.mistakes = &none},
					    message);
	diagnostics_free(&none);
	return status;
}

void filter_set_free(struct filter_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		entry_free(&set->items[i]);
	free(set->items);
	free(set->order);
	*set = (struct filter_set){0};
}
