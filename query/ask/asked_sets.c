#include "asked_sets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "expression/suggestion.h"
#include "index/set_reader.h"

struct loaded_set {
	const char *name; /* in the expression */
	const struct address_set *set;
	struct address_set *own; /* NULL of one that was given */
};

static enum status unknown_set(const struct set_source *source, const struct expression_name *name,
			       struct message *message)
{
	struct suggestion suggestion = {.wanted = name->text};
	struct index_sets stored = {0};
	struct message ignored;
	enum status status;

	if (index_sets_read(source->database, source->index->database_name,
			    source->index->source.id, &stored, &ignored) == STATUS_OK)
		for (size_t i = 0; i < stored.count; i++)
			suggestion_consider(&suggestion, stored.items[i].name);
	for (size_t i = 0; i < source->given_count; i++)
		suggestion_consider(&suggestion, source->given[i].name);
	if (suggestion.nearest)
		status = expression_error(source->text, name->at, message,
					  "no address set '%.100s'; did you mean '%.100s'?",
					  name->text, suggestion.nearest);
	else
		status = expression_error(source->text, name->at, message,
					  "no address set '%.100s'; a catalogue has them as [set "
					  "%.100s], connbits-query takes --set %.100s=FILE",
					  name->text, name->text, name->text);
	index_sets_free(&stored);
	return status;
}

static enum status stored_load(const struct set_source *source, const struct expression_name *name,
			       struct loaded_set *loaded, struct message *message)
{
	bool found;
	enum status status =
		index_set_make(source->database, source->index->database_name,
			       source->index->source.id, name->text, &loaded->own, &found, message);

	if (status == STATUS_OK && !found)
		status = unknown_set(source, name, message);
	loaded->set = loaded->own;
	return status;
}

static enum status set_load(const struct set_source *source, const struct expression_name *name,
			    struct asked_sets *sets, const struct address_set **set,
			    struct message *message)
{
	struct loaded_set *loaded;
	enum status status = STATUS_OK;

	for (size_t i = 0; i < sets->loaded_count; i++) {
		*set = sets->loaded[i].set;
		if (strcmp(sets->loaded[i].name, name->text) == 0)
			return STATUS_OK;
	}
	loaded = &sets->loaded[sets->loaded_count++];
	*loaded = (struct loaded_set){.name = name->text};
	for (size_t i = 0; i < source->given_count; i++)
		if (strcmp(source->given[i].name, name->text) == 0)
			loaded->set = source->given[i].set;
	if (!loaded->set)
		status = stored_load(source, name, loaded, message);
	*set = loaded->set;
	return status;
}

enum status asked_sets_load(const struct set_source *source, const struct expression *expression,
			    struct asked_sets *sets, struct message *message)
{
	const size_t names = expression->name_count;
	enum status status = STATUS_OK;

	sets->loaded = calloc(names + 1, sizeof(*sets->loaded));
	sets->questions = calloc(names + 1, sizeof(*sets->questions));
	if (!sets->loaded || !sets->questions)
		return message_out_of_memory(message);
	for (size_t i = 0; status == STATUS_OK && i < names; i++) {
		const struct expression_name *name = &expression->names[i];
		struct column_question *question = &sets->questions[sets->question_count];

		if (!expression_leaf_has_set(name->leaf))
			continue;
		question->destination = name->leaf == LEAF_DESTINATION_IN;
		sets->question_count++;
		status = set_load(source, name, sets, &question->set, message);
	}
	return status;
}

void asked_sets_free(struct asked_sets *sets)
{
	for (size_t i = 0; i < sets->loaded_count; i++)
		address_set_free(sets->loaded[i].own);
	free(sets->loaded);
	free(sets->questions);
	*sets = (struct asked_sets){0};
}
