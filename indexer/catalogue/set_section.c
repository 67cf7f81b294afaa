#include "set_section.h"

#include <stdlib.h>
#include <string.h>

#include "set_file.h"

/* Finds where the text of a key goes; false for one that a section does not have. */
static bool key_find(struct set_section *section, const char *key, char ***place)
{
	*place = &section->file;
	if (strcmp(key, "column") == 0)
		*place = &section->column;
	else if (strcmp(key, "key") == 0)
		*place = &section->key;
	else if (strcmp(key, "description") == 0)
		*place = &section->description;
	else
		return strcmp(key, "file") == 0;
	return true;
}

static enum status networks_add(struct set_section *section, const char *value,
				const struct value_line *lines, size_t line_count,
				struct diagnostics *diagnostics, struct message *message)
{
	const size_t length = strlen(value);
	enum status status = STATUS_OK;

	section->networks = true;
	for (size_t i = 0; status == STATUS_OK && i < line_count; i++) {
		const char *line = value + lines[i].offset;
		const size_t size = value_line_length(lines, line_count, i, length);
		const char *wrong;

		status = set_line_add(line, size, &section->list, &wrong, message);
		if (status == STATUS_OK && wrong)
			diagnostics_add(diagnostics, lines[i].line, "set '%.100s': %s: '%.*s'",
					section->name, wrong, (int)(size < 60 ? size : 60), line);
	}
	return status;
}

enum status set_section_set(struct set_section *section, const char *key, char *value,
			    const struct value_line *lines, size_t line_count, size_t line,
			    struct diagnostics *diagnostics, struct message *message)
{
	char **place;
	const bool has_text = key_find(section, key, &place);
	const bool networks = strcmp(key, "networks") == 0;
	enum status status = STATUS_OK;

	if (!has_text && !networks)
		diagnostics_add(diagnostics, line,
				"unknown key '%.100s' in [set %.100s]; a set has file with column "
				"or key, or networks, and description",
				key, section->name);
	else if (networks ? section->networks : *place != NULL)
		diagnostics_add(diagnostics, line, "second '%s' in [set %.100s]", key,
				section->name);
	else if (*value == '\0' && has_text && place != &section->description)
		diagnostics_add(diagnostics, line, "set '%.100s': '%s' is empty", section->name,
				key);
	if (networks && !section->networks)
		status = networks_add(section, value, lines, line_count, diagnostics, message);
	if (has_text && !*place)
		*place = value;
	else
		free(value);
	return status;
}

/* A path that begins with no slash is one from the catalogue's folder. */
static char *path_from(const char *catalogue, const char *file)
{
	const char *slash = catalogue ? strrchr(catalogue, '/') : NULL;
	const size_t folder = slash && *file != '/' ? (size_t)(slash - catalogue) + 1 : 0;
	char *path = malloc(folder + strlen(file) + 1);

	if (!path)
		return NULL;
	if (folder)
		memcpy(path, catalogue, folder);
	memcpy(path + folder, file, strlen(file) + 1);
	return path;
}

enum status set_section_finish(struct set_section *section, const char *catalogue,
			       struct diagnostics *diagnostics, struct message *message)
{
	if (!section->file && !section->networks)
		diagnostics_add(diagnostics, section->line,
				"set '%.100s' has neither a file nor networks", section->name);
	if (section->file && section->networks)
		diagnostics_add(diagnostics, section->line,
				"set '%.100s' has both a file and networks", section->name);
	if (section->column && section->key)
		diagnostics_add(diagnostics, section->line,
				"set '%.100s' has both a column (of CSV) and a key (of JSON lines)",
				section->name);
	if (!section->file && (section->column || section->key))
		diagnostics_add(diagnostics, section->line,
				"set '%.100s': column and key are of a file", section->name);
	address_list_settle(&section->list);
	if (!section->description && !(section->description = strdup("")))
		return message_out_of_memory(message);
	if (section->file && !(section->path = path_from(catalogue, section->file)))
		return message_out_of_memory(message);
	return STATUS_OK;
}

void set_section_free(struct set_section *section)
{
	free(section->name);
	free(section->file);
	free(section->path);
	free(section->column);
	free(section->key);
	free(section->description);
	address_list_free(&section->list);
}
