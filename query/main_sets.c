#include "main_sets.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "catalogue/catalogue.h"
#include "catalogue/set_file.h"

enum { MISTAKES_SHOWN = 20 };

/* Cuts `,column=NAME` or `,key=NAME` off a file's name. */
static void file_split(char *path, struct set_file *file)
{
	char *comma = strrchr(path, ',');

	file->path = path;
	if (comma && strncmp(comma, ",column=", 8) == 0)
		file->column = comma + 8;
	else if (comma && strncmp(comma, ",key=", 5) == 0)
		file->key = comma + 5;
	else
		return;
	*comma = '\0';
}

static enum status mistakes_tell(const struct set_file *file, const struct diagnostics *mistakes,
				 struct message *message)
{
	const size_t count = mistakes->count + mistakes->lost;

	for (size_t i = 0; i < mistakes->count && i < MISTAKES_SHOWN; i++) {
		command_write_safely(stderr, file->path);
		fprintf(stderr, ":%zu: ", mistakes->items[i].line);
		command_write_safely(stderr, mistakes->items[i].message.text);
		putc('\n', stderr);
	}
	return message_set(message, STATUS_USAGE, "%.300s: %zu mistake%s", file->path, count,
			   count == 1 ? "" : "s");
}

static enum status file_load(struct main_sets *sets, const struct set_file *file,
			     struct message *message)
{
	struct address_list list;
	struct diagnostics mistakes = {0};
	bool gone;
	enum status status = set_file_read(file, &list, &mistakes, &gone, message);

	if (status == STATUS_OK && !diagnostics_empty(&mistakes))
		status = mistakes_tell(file, &mistakes, message);
	sets->entries[sets->count] = address_list_entries(&list);
	if (status == STATUS_OK && sets->entries[sets->count] == 0) {
		fputs("connbits-query: warning: ", stderr);
		command_write_safely(stderr, file->path);
		fputs(" has no addresses\n", stderr);
	}
	if (status == STATUS_OK)
		status = address_set_make(&list, &sets->sets[sets->count], message);
	address_list_free(&list);
	diagnostics_free(&mistakes);
	return status;
}

static bool is_taken(const struct main_sets *sets, const char *name)
{
	for (size_t i = 0; i < sets->count; i++)
		if (strcmp(sets->names[i], name) == 0)
			return true;
	return false;
}

enum status main_sets_add(struct main_sets *sets, const char *argument, struct message *message)
{
	struct set_file file = {0};
	char *name;
	char *path;
	enum status status;

	if (sets->count == MAIN_SETS_MAX)
		return message_set(message, STATUS_USAGE, "--set: more than %d sets",
				   MAIN_SETS_MAX);
	name = strdup(argument);
	if (!name)
		return message_out_of_memory(message);
	sets->names[sets->count] = name;
	path = strchr(name, '=');
	if (!path || !catalogue_name_valid(name, (size_t)(path - name)) || !path[1]) {
		free(name);
		return message_set(message, STATUS_USAGE,
				   "--set %.100s: expected NAME=FILE, as in --set drop=drop.txt",
				   argument);
	}
	*path++ = '\0';
	if (is_taken(sets, name)) {
		status = message_set(message, STATUS_USAGE,
				     "--set %.100s: there is one of that name", name);
		free(name);
		return status;
	}
	file_split(path, &file);
	status = file_load(sets, &file, message);
	if (status != STATUS_OK) {
		free(name);
		return status;
	}
	sets->given[sets->count] = (struct given_set){name, sets->sets[sets->count]};
	sets->count++;
	return STATUS_OK;
}

void main_sets_free(struct main_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++) {
		free(sets->names[i]);
		address_set_free(sets->sets[i]);
	}
	*sets = (struct main_sets){0};
}
