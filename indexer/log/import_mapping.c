#include "import_mapping.h"

#include <stdlib.h>
#include <string.h>

#include "base/diagnostics.h"
#include "database/database.h"
#include "database/table.h"

enum { SOURCE_MAX = 1 << 16 };

/* The text between two places, without blanks at its ends. */
static char *trimmed_copy(const char *from, const char *to)
{
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	return strndup(from, (size_t)(to - from));
}

static enum status line_take(struct source_section *section, const char *line, const char *end,
			     size_t number, struct diagnostics *mistakes, struct message *message)
{
	const char *equals = memchr(line, '=', (size_t)(end - line));
	char *key;
	char *value;

	if (!equals) {
		diagnostics_add(mistakes, number, "no key and value");
		return STATUS_OK;
	}
	key = trimmed_copy(line, equals);
	value = trimmed_copy(equals + 1, end);
	if (!key || !value) {
		free(key);
		free(value);
		return message_out_of_memory(message);
	}
	source_section_set(section, key, value, number, mistakes);
	free(key);
	return STATUS_OK;
}

/* Reads the lines into a section; what is wrong goes to mistakes. */
static enum status lines_take(struct source_section *section, const char *text, const char *table,
			      struct diagnostics *mistakes, struct message *message)
{
	size_t number = 0;
	enum status status = STATUS_OK;

	section->line = 1;
	while (status == STATUS_OK && *text) {
		const char *end = text + strcspn(text, "\n");

		status = line_take(section, text, end, ++number, mistakes, message);
		text = *end ? end + 1 : end;
	}
	free(section->table);
	section->table = strdup(table);
	if (status == STATUS_OK && !section->table)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		source_section_finish(section, mistakes);
	return status;
}

enum status import_mapping_check(const char *source, struct message *message)
{
	struct source_section section = {0};
	struct diagnostics mistakes = {0};
	enum status status = lines_take(&section, source, "t", &mistakes, message);

	if (status == STATUS_OK && mistakes.count)
		status = message_set(message, STATUS_USAGE, "%.700s",
				     mistakes.items[0].message.text);
	source_section_free(&section);
	diagnostics_free(&mistakes);
	return status;
}

/* The same of a table of the log, where any mistake is an error. */
static enum status mapping_take(struct import_mapping *mapping, const char *text, const char *table,
				struct message *message)
{
	struct diagnostics mistakes = {0};
	enum status status = lines_take(&mapping->section, text, table, &mistakes, message);

	if (status == STATUS_OK && mistakes.count)
		status =
			message_set(message, STATUS_FAILED,
				    "connbits_import_table does not say how '%.100s' is to be read "
				    "(line %zu: %.300s); describe it in a [source] section of the "
				    "catalogue",
				    table, mistakes.items[0].line, mistakes.items[0].message.text);
	diagnostics_free(&mistakes);
	return status;
}

enum status import_mapping_read(sqlite3 *log, const char *table, struct import_mapping *mapping,
				struct message *message)
{
	sqlite3_stmt *statement;
	enum table_kind kind;
	int row;
	enum status status = table_find(log, "main", "connbits_import_table", &kind, NULL, message);

	*mapping = (struct import_mapping){0};
	if (status != STATUS_OK || kind != TABLE_ORDINARY)
		return status;
	status = database_prepare(log, &statement, message,
				  "SELECT source, preferred FROM main.connbits_import_table WHERE "
				  "name = %Q AND source IS NOT NULL",
				  table);
	if (status != STATUS_OK)
		return status;
	status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		const char *text = (const char *)sqlite3_column_text(statement, 0);

		mapping->found = true;
		mapping->preferred = sqlite3_column_int(statement, 1) != 0;
		status = database_values(statement, status, message);
		if (status == STATUS_OK)
			status = text && strlen(text) <= SOURCE_MAX
					 ? mapping_take(mapping, text, table, message)
					 : message_set(message, STATUS_FAILED,
						       "connbits_import_table is damaged");
	}
	sqlite3_finalize(statement);
	return status;
}

void import_mapping_free(struct import_mapping *mapping)
{
	source_section_free(&mapping->section);
	*mapping = (struct import_mapping){0};
}
