#include "rows_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/soundness.h"
#include "filter_set.h"
#include "name_table.h"

/* One run over a set. */
struct linking {
	struct filter_set *set;
	const struct filter_compiling *compiling;
	struct message *message;
	struct name_table names; /* of filters */
	struct name_table sets;
	unsigned char *states; /* by filter: enum visit, */
	size_t *depths;	       /* and how deep it uses others: 1 where none of them uses others */
	size_t path[ROWS_FILTER_DEPTH_MAX + 1];
	size_t depth;
};

enum visit { VISIT_NOT_YET, VISIT_OPEN, VISIT_DONE };

void rows_filter_free(struct rows_filter *rows)
{
	if (!rows)
		return;
	for (size_t i = 0; rows->programs && i < rows->expression.name_count; i++)
		program_free(&rows->programs[i]);
	free(rows->programs);
	free(rows->digests);
	free(rows->operands);
	expression_free(&rows->expression);
	free(rows);
}

/* A mistake of the catalogue is noted and goes by; one of a stored filter does not. */
static enum status mistake(struct linking *linking, struct filter_entry *entry, const char *what)
{
	entry->wrong = true;
	if (entry->given) {
		diagnostics_add(linking->compiling->mistakes, entry->line, "filter '%.255s': %s",
				entry->name, what);
		return STATUS_OK;
	}
	return message_set(linking->message, STATUS_USAGE,
			   "the stored filter '%.255s': %.500s (give it anew in the catalogue, or "
			   "drop it with --prune)",
			   entry->name, what);
}

static enum status rows_alloc(struct rows_filter **rows, struct message *message)
{
	*rows = calloc(1, sizeof(**rows));
	return *rows ? STATUS_OK : message_out_of_memory(message);
}

static enum status names_alloc(struct rows_filter *rows, struct message *message)
{
	const size_t names = rows->expression.name_count;

	rows->operands = calloc(names + 1, sizeof(*rows->operands));
	rows->programs = calloc(names + 1, sizeof(*rows->programs));
	rows->digests = calloc(names + 1, sizeof(*rows->digests));
	return rows->operands && rows->programs && rows->digests ? STATUS_OK
								 : message_out_of_memory(message);
}

static enum status entry_parse(struct linking *linking, struct filter_entry *entry)
{
	struct message cause;
	enum status status = rows_alloc(&entry->rows, linking->message);

	if (status != STATUS_OK)
		return status;
	status = expression_parse(entry->expression, &entry->rows->expression, &cause);
	if (status == STATUS_USAGE)
		return mistake(linking, entry, cause.text);
	if (status != STATUS_OK) {
		*linking->message = cause;
		return status;
	}
	status = names_alloc(entry->rows, linking->message);
	for (size_t i = 0; status == STATUS_OK && i < entry->rows->expression.name_count; i++) {
		const struct expression_name *name = &entry->rows->expression.names[i];

		if (!name->back)
			continue;
		expression_error(entry->expression, name->at, &cause,
				 "a time that is counted back from now is for questions; a filter "
				 "that is stored takes a date");
		status = mistake(linking, entry, cause.text);
	}
	return status;
}

/* Compiles the {pcap filter} that a name of the expression is. */
static enum status brace_compile(struct linking *linking, struct filter_entry *entry, size_t number)
{
	const struct filter_compiling *compiling = linking->compiling;
	const struct program_bounds bounds = {.stop = compiling->stop};
	struct rows_filter *rows = entry->rows;
	const struct expression_name *name = &rows->expression.names[number];
	struct program *program = &rows->programs[number];
	struct message cause;
	struct message shown;
	bool gap;
	enum status status = soundness_compile_table(name->text, compiling->gaps, &bounds, program,
						     &gap, &cause);

	if (status == STATUS_OK)
		return program_digest(program, rows->digests[number], linking->message);
	program_free(program);
	*program = (struct program){0};
	if (gap && compiling->unanswerable)
		++*compiling->unanswerable;
	entry->left_out = gap && compiling->skip;
	if (entry->left_out || filter_entry_leave(entry, compiling, status, &cause))
		return STATUS_OK;
	if (status != STATUS_USAGE) {
		*linking->message = cause;
		return status;
	}
	expression_error(entry->expression, name->at, &shown, "%.400s", cause.text);
	return mistake(linking, entry, shown.text);
}

static enum status braces_compile(struct linking *linking, struct filter_entry *entry)
{
	const struct expression *expression = &entry->rows->expression;
	enum status status = STATUS_OK;

	/* One name that is not found is told of once. */
	for (size_t i = 0; status == STATUS_OK && !entry->unresolved && i < expression->name_count;
	     i++)
		if (expression->names[i].leaf == LEAF_PCAP &&
		    !entry->rows->programs[i].instructions)
			status = brace_compile(linking, entry, i);
	return status;
}

/* Says that there is no filter or set of a name. */
static enum status operand_missing(struct linking *linking, struct filter_entry *entry,
				   const struct expression_name *name)
{
	const bool is_set = expression_leaf_has_set(name->leaf);
	const struct index_filters *stored = linking->set->stored;
	bool pruned = false;
	struct message cause;

	for (size_t i = 0; !is_set && stored && i < stored->count; i++)
		pruned |= strcmp(stored->items[i].name, name->text) == 0;
	for (size_t i = 0; is_set && i < linking->set->pruned_set_count; i++)
		pruned |= strcmp(linking->set->pruned_sets[i].name, name->text) == 0;
	expression_error(entry->expression, name->at, &cause,
			 pruned ? "it uses the %s '%.100s', which the catalogue does not have and "
				  "--prune would drop"
				: "no %s '%.100s' in the catalogue, nor in the index",
			 is_set ? "address set" : "filter", name->text);
	return mistake(linking, entry, cause.text);
}

static enum status operand_find(struct linking *linking, struct filter_entry *entry, size_t number)
{
	const struct expression_name *name = &entry->rows->expression.names[number];
	const struct name_table *table =
		expression_leaf_has_set(name->leaf) ? &linking->sets : &linking->names;
	size_t *operand = &entry->rows->operands[number];

	if (name->leaf != LEAF_STORED && !expression_leaf_has_set(name->leaf))
		return STATUS_OK;
	if (strcmp(name->text, INDEX_ALL) == 0)
		*operand = ROWS_FILTER_ALL;
	else if (strcmp(name->text, INDEX_SKIPPED) == 0)
		*operand = ROWS_FILTER_SKIPPED;
	else if (!name_table_find(table, name->text, operand))
		return operand_missing(linking, entry, name);
	return STATUS_OK;
}

static enum status entry_link(struct linking *linking, struct filter_entry *entry)
{
	enum status status = STATUS_OK;

	if (!entry->rows)
		status = entry_parse(linking, entry);
	if (status == STATUS_OK && !entry->wrong)
		status = braces_compile(linking, entry);
	for (size_t i = 0; status == STATUS_OK && !entry->wrong && !entry->left_out &&
			   i < entry->rows->expression.name_count;
	     i++)
		status = operand_find(linking, entry, i);
	return status;
}

/* Shows the filters from the first that the last one uses up to that. */
static enum status circle_tell(struct linking *linking, size_t again)
{
	struct filter_entry *items = linking->set->items;
	char text[700];
	size_t from = 0;
	int used = snprintf(text, sizeof(text), "filters use each other in a circle: ");

	while (linking->path[from] != again)
		from++;
	for (size_t i = from; i < linking->depth && used < 500; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "%.60s -> ",
				 items[linking->path[i]].name);
	if (used >= 500)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "... -> ");
	snprintf(text + used, sizeof(text) - (size_t)used, "%.60s", items[again].name);
	return mistake(linking, &items[again], text);
}

static const char *digest_of(const struct filter_entry *entry)
{
	if (*entry->digest || !entry->stored)
		return entry->digest;
	return entry->stored->digest;
}

static void leaf_digest(const struct linking *linking, const struct filter_entry *entry,
			size_t number, digest_state *state)
{
	const struct expression_name *name = &entry->rows->expression.names[number];
	const size_t operand = entry->rows->operands[number];
	const char *text = name->text;

	digest_number(state, (uint32_t)name->leaf);
	if (name->leaf == LEAF_SINCE || name->leaf == LEAF_BEFORE) {
		digest_number(state, (uint32_t)name->time);
		digest_number(state, (uint32_t)((uint64_t)name->time >> 32));
		return;
	}
	if (name->leaf == LEAF_PCAP)
		text = entry->rows->digests[number];
	else if (expression_leaf_has_set(name->leaf))
		text = linking->set->sets[operand].digest;
	else if (operand < linking->set->count)
		text = digest_of(&linking->set->items[operand]);
	digest_bytes(state, text, strlen(text) + 1);
}

/* A few bytes for what the filter means, whatever its text and the names in it. */
static void entry_digest(const struct linking *linking, struct filter_entry *entry)
{
	const struct expression *expression = &entry->rows->expression;
	digest_state state = digest_begin();

	for (size_t i = 0; i < expression->step_count; i++) {
		digest_number(&state, (uint32_t)expression->steps[i].kind);
		if (expression->steps[i].kind == EXPRESSION_NAME)
			leaf_digest(linking, entry, expression->steps[i].name, &state);
	}
	digest_write('r', state, entry->digest);
}

/* What an operand is goes over to the filter that uses it. */
static enum status operand_inherit(struct linking *linking, struct filter_entry *entry,
				   const struct filter_entry *operand)
{
	char what[400];

	entry->wrong |= operand->wrong;
	if (operand->left_out && !entry->left_out) {
		entry->left_out = true;
		if (linking->compiling->unanswerable)
			++*linking->compiling->unanswerable;
	}
	if (!operand->unresolved)
		return STATUS_OK;
	entry->unresolved = true;
	if (entry->stored && entry->stored->kind == FILTER_ROWS &&
	    strcmp(entry->stored->expression, entry->expression) == 0)
		return STATUS_OK;
	snprintf(what, sizeof(what),
		 "it uses '%.255s', in which a name cannot be looked up now; run again when it can",
		 operand->name);
	return mistake(linking, entry, what);
}

static enum status deep_tell(struct linking *linking, struct filter_entry *entry)
{
	char what[80];

	snprintf(what, sizeof(what), "filters use each other more than %d deep",
		 ROWS_FILTER_DEPTH_MAX);
	return mistake(linking, entry, what);
}

static enum status visit(struct linking *linking, size_t number);

/* Visits the filters that an entry uses. Recurs at most ROWS_FILTER_DEPTH_MAX times. */
static enum status operands_visit(struct linking *linking, struct filter_entry *entry)
{
	const struct rows_filter *rows = entry->rows;
	size_t *depth = &linking->depths[entry - linking->set->items];
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && !entry->wrong && i < rows->expression.name_count;
	     i++) {
		if (rows->expression.names[i].leaf != LEAF_STORED ||
		    rows->operands[i] >= linking->set->count)
			continue;
		status = visit(linking, rows->operands[i]);
		if (linking->depths[rows->operands[i]] > *depth)
			*depth = linking->depths[rows->operands[i]];
		if (status == STATUS_OK)
			status = operand_inherit(linking, entry,
						 &linking->set->items[rows->operands[i]]);
	}
	return status;
}

static enum status visit(struct linking *linking, size_t number)
{
	struct filter_set *set = linking->set;
	struct filter_entry *entry = &set->items[number];
	enum status status;

	if (entry->kind != FILTER_ROWS || entry->wrong || linking->states[number] == VISIT_DONE)
		return STATUS_OK;
	if (linking->states[number] == VISIT_OPEN)
		return circle_tell(linking, number);
	if (linking->depth == ROWS_FILTER_DEPTH_MAX)
		return deep_tell(linking, entry);
	linking->states[number] = VISIT_OPEN;
	linking->path[linking->depth++] = number;
	status = entry->left_out ? STATUS_OK : operands_visit(linking, entry);
	linking->depth--;
	linking->states[number] = VISIT_DONE;
	if (status != STATUS_OK || entry->wrong)
		return status;
	if (++linking->depths[number] > ROWS_FILTER_DEPTH_MAX)
		return deep_tell(linking, entry);
	if (!entry->left_out && !entry->unresolved)
		entry_digest(linking, entry);
	set->order[set->order_count++] = number;
	return STATUS_OK;
}

static enum status tables_fill(struct linking *linking)
{
	const struct filter_set *set = linking->set;
	size_t first;
	bool room = true;

	for (size_t i = 0; room && i < set->count; i++)
		room = name_table_add(&linking->names, set->items[i].name, i, &first) !=
		       NAME_TABLE_OUT_OF_MEMORY;
	for (size_t i = 0; room && i < set->set_count; i++)
		room = name_table_add(&linking->sets, set->sets[i].name, i, &first) !=
		       NAME_TABLE_OUT_OF_MEMORY;
	return room ? STATUS_OK : message_out_of_memory(linking->message);
}

static bool has_rows(const struct filter_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].kind == FILTER_ROWS)
			return true;
	return false;
}

enum status rows_filters_link(struct filter_set *set, const struct filter_compiling *compiling,
			      struct message *message)
{
	struct linking linking = {.set = set, .compiling = compiling, .message = message};
	enum status status;

	set->order_count = 0;
	if (!has_rows(set))
		return STATUS_OK;
	free(set->order);
	set->order = calloc(set->count + 1, sizeof(*set->order));
	linking.states = calloc(set->count + 1, sizeof(*linking.states));
	linking.depths = calloc(set->count + 1, sizeof(*linking.depths));
	status = set->order && linking.states && linking.depths ? tables_fill(&linking)
								: message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
		if (set->items[i].kind == FILTER_ROWS && !set->items[i].wrong)
			status = entry_link(&linking, &set->items[i]);
	for (size_t i = 0; status == STATUS_OK && i < set->count; i++)
		status = visit(&linking, i);
	name_table_free(&linking.names);
	name_table_free(&linking.sets);
	free(linking.states);
	free(linking.depths);
	return status;
}
