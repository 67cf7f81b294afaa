#include "catalogue.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "name_table.h"

enum section { SECTION_NONE, SECTION_SOURCE, SECTION_FILTER, SECTION_SET, SECTION_UNKNOWN };

/* A value that is being read, line by line. */
struct value_text {
	char *text;
	size_t length;
	size_t line;
	struct value_line *lines; /* that are not empty */
	size_t line_count;
	bool overlong;
};

struct catalogue_parser {
	struct catalogue *catalogue;
	struct diagnostics *diagnostics;
	struct message *message;
	struct name_table names;
	struct name_table set_names;
	const char *path; /* of the file; NULL of a text in memory */
	size_t capacity;  /* of catalogue->filters */
	size_t line;
	enum section section;
	char *key; /* whose value is being read, or NULL */
	struct value_text value;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_rest(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool catalogue_name_valid(const char *name, size_t length)
{
	static const char *const taken[] = {"and", "or", "not"};

	if (length == 0 || length > CATALOGUE_NAME_MAX || !is_letter(name[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_name_rest(name[i]))
			return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (length == strlen(taken[i]) && strncasecmp(name, taken[i], length) == 0)
			return false;
	return true;
}

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && is_space(**text)) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && is_space((*text)[*length - 1]))
		(*length)--;
}

static struct filter *current_filter(struct catalogue_parser *parser)
{
	struct catalogue *catalogue = parser->catalogue;

	return catalogue->count ? &catalogue->filters[catalogue->count - 1] : NULL;
}

/* Hands the finished value to the section's key. The section or the diagnostics take it. */
static void filter_key_set(struct catalogue_parser *parser, char *text)
{
	struct filter *filter = current_filter(parser);
	const bool rows = strcmp(parser->key, "rows") == 0;
	char **place = NULL;
	bool both = false;

	if (!filter) {
		free(text);
		return;
	}

	if (rows || strcmp(parser->key, "expression") == 0) {
		place = &filter->expression;
		both = filter->expression && rows != (filter->kind == FILTER_ROWS);
		if (!filter->expression) {
			filter->expression_line = parser->value.line;
			filter->kind = rows ? FILTER_ROWS : FILTER_PCAP;
		}
	} else if (strcmp(parser->key, "description") == 0) {
		place = &filter->description;
	}
	if (!place)
		diagnostics_add(
			parser->diagnostics, parser->value.line,
			"unknown key '%.100s' in [filter %.100s]; a filter has expression or rows, "
			"and description",
			parser->key, filter->name);
	else if (both)
		diagnostics_add(parser->diagnostics, parser->value.line,
				"filter '%.100s' has both expression (pcap) and rows (filters and "
				"sets)",
				filter->name);
	else if (*place)
		diagnostics_add(parser->diagnostics, parser->value.line,
				"second '%s' in [filter %.100s]", parser->key, filter->name);
	else if (*text == '\0' && place == &filter->expression)
		diagnostics_add(parser->diagnostics, parser->value.line,
				"filter '%.100s': the expression is empty", filter->name);
	if (!place || *place) {
		free(text);
		return;
	}
	*place = text;
	if (place == &filter->expression) {
		filter->lines = parser->value.lines;
		filter->line_count = parser->value.line_count;
		parser->value.lines = NULL;
	}
}

static enum status value_finish(struct catalogue_parser *parser)
{
	struct catalogue *catalogue = parser->catalogue;
	char *text = parser->value.text;
	enum status status = STATUS_OK;

	if (!parser->key)
		return STATUS_OK;
	if (parser->value.overlong) {
		diagnostics_add(parser->diagnostics, parser->value.line,
				"the value of '%.100s' is longer than %d bytes", parser->key,
				CATALOGUE_VALUE_MAX);
		/* Anything that is right, so that the one mistake is not reported twice. */
		memcpy(text, strcmp(parser->key, "rows") == 0 ? "@all" : "ip\0\0", sizeof("@all"));
		parser->value.line_count =
			parser->section == SECTION_SET ? 0 : parser->value.line_count;
	}
	if (parser->section == SECTION_FILTER)
		filter_key_set(parser, text);
	else if (parser->section == SECTION_SOURCE)
		source_section_set(&parser->catalogue->source, parser->key, text,
				   parser->value.line, parser->diagnostics);
	else if (parser->section == SECTION_SET && catalogue->set_count)
		status = set_section_set(&catalogue->sets[catalogue->set_count - 1], parser->key,
					 text, parser->value.lines, parser->value.line_count,
					 parser->value.line, parser->diagnostics, parser->message);
	else
		free(text);
	free(parser->key);
	free(parser->value.lines);
	parser->key = NULL;
	parser->value = (struct value_text){0};
	return status;
}

/* Notes where the line that is appended next begins. */
static bool value_line_note(struct catalogue_parser *parser, size_t offset)
{
	struct value_text *value = &parser->value;
	struct value_line *longer =
		realloc(value->lines, (value->line_count + 1) * sizeof(*longer));

	if (!longer)
		return false;
	value->lines = longer;
	longer[value->line_count++] = (struct value_line){offset, parser->line};
	return true;
}

static enum status value_append(struct catalogue_parser *parser, const char *text, size_t length)
{
	struct value_text *value = &parser->value;
	size_t separator = value->length > 0 && length > 0;
	char *longer;

	if (value->length + separator + length > CATALOGUE_VALUE_MAX) {
		value->overlong = true;
		return STATUS_OK;
	}
	longer = realloc(value->text, value->length + separator + length + sizeof("@all"));
	if (!longer)
		return message_out_of_memory(parser->message);
	value->text = longer;
	if (length > 0 && !value_line_note(parser, value->length + separator))
		return message_out_of_memory(parser->message);
	if (separator)
		longer[value->length++] = ' ';
	memcpy(longer + value->length, text, length);
	value->length += length;
	longer[value->length] = '\0';
	return STATUS_OK;
}

/* Notes the name of what the line begins; a second one of that name is a mistake. */
static enum status name_note(struct catalogue_parser *parser, struct name_table *names,
			     const char *what, const char *name)
{
	size_t first;

	switch (name_table_add(names, name, parser->line, &first)) {
	case NAME_TABLE_ADDED:
		return STATUS_OK;
	case NAME_TABLE_TAKEN:
		diagnostics_add(parser->diagnostics, parser->line,
				"%s '%.100s' is there already, in line %zu", what, name, first);
		return STATUS_OK;
	default:
		return message_out_of_memory(parser->message);
	}
}

static enum status filter_begin(struct catalogue_parser *parser, const char *name, size_t length)
{
	struct catalogue *catalogue = parser->catalogue;
	struct filter *filter;

	if (catalogue->count == parser->capacity) {
		size_t capacity = parser->capacity ? parser->capacity * 2 : 64;

		filter = realloc(catalogue->filters, capacity * sizeof(*filter));
		if (!filter)
			return message_out_of_memory(parser->message);
		catalogue->filters = filter;
		parser->capacity = capacity;
	}
	filter = &catalogue->filters[catalogue->count];
	*filter = (struct filter){.name = strndup(name, length), .line = parser->line};
	if (!filter->name)
		return message_out_of_memory(parser->message);
	catalogue->count++;
	parser->section = SECTION_FILTER;
	if (!catalogue_name_valid(name, length)) {
		diagnostics_add(parser->diagnostics, parser->line,
				"'%.100s' cannot name a filter: a letter, then letters, digits, "
				"'_', '-' and '.', at most %d; and, or, not are taken",
				filter->name, CATALOGUE_NAME_MAX);
		return STATUS_OK;
	}
	return name_note(parser, &parser->names, "filter", filter->name);
}

static enum status set_begin(struct catalogue_parser *parser, const char *name, size_t length)
{
	struct catalogue *catalogue = parser->catalogue;
	struct set_section *sets =
		realloc(catalogue->sets, (catalogue->set_count + 1) * sizeof(*sets));
	struct set_section *set;

	if (!sets)
		return message_out_of_memory(parser->message);
	catalogue->sets = sets;
	set = &sets[catalogue->set_count];
	*set = (struct set_section){.name = strndup(name, length), .line = parser->line};
	if (!set->name)
		return message_out_of_memory(parser->message);
	catalogue->set_count++;
	parser->section = SECTION_SET;
	if (!catalogue_name_valid(name, length)) {
		diagnostics_add(parser->diagnostics, parser->line,
				"'%.100s' cannot name an address set: a letter, then letters, "
				"digits, '_', '-' and '.', at most %d; and, or, not are taken",
				set->name, CATALOGUE_NAME_MAX);
		return STATUS_OK;
	}
	return name_note(parser, &parser->set_names, "set", set->name);
}

/* True, and *text moves to the name, if the section is a `word` with a name behind it. */
static bool section_is(const char *word, const char **text, size_t *length)
{
	const size_t word_length = strlen(word);

	if (*length < word_length || memcmp(*text, word, word_length) != 0 ||
	    (*length > word_length && !is_space((*text)[word_length])))
		return false;
	*text += word_length;
	*length -= word_length;
	trim(text, length);
	return true;
}

static enum status section_begin(struct catalogue_parser *parser, const char *text, size_t length)
{
	parser->section = SECTION_UNKNOWN;
	if (text[length - 1] != ']') {
		diagnostics_add(parser->diagnostics, parser->line,
				"the ']' of the section is missing");
		return STATUS_OK;
	}
	text++;
	length -= 2;
	trim(&text, &length);
	if (length == 6 && memcmp(text, "source", 6) == 0) {
		if (parser->catalogue->source.line)
			diagnostics_add(parser->diagnostics, parser->line,
					"second [source]; the first is in line %zu",
					parser->catalogue->source.line);
		else
			parser->catalogue->source.line = parser->line;
		parser->section = SECTION_SOURCE;
		return STATUS_OK;
	}
	if (section_is("filter", &text, &length))
		return filter_begin(parser, text, length);
	if (section_is("set", &text, &length))
		return set_begin(parser, text, length);
	diagnostics_add(parser->diagnostics, parser->line,
			"unknown section [%.*s]; there are [source], [filter NAME] and [set "
			"NAME]",
			(int)(length < 100 ? length : 100), text);
	return STATUS_OK;
}

static enum status key_begin(struct catalogue_parser *parser, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	const char *value;
	size_t key_length;
	size_t value_length;

	if (!equals || equals == text) {
		diagnostics_add(parser->diagnostics, parser->line,
				"expected 'key = value', a [section], or an indented line that "
				"continues a value");
		return STATUS_OK;
	}
	if (parser->section == SECTION_NONE) {
		diagnostics_add(parser->diagnostics, parser->line,
				"'%.*s' stands before the first [section]",
				(int)(length < 100 ? length : 100), text);
		return STATUS_OK;
	}
	key_length = (size_t)(equals - text);
	value = equals + 1;
	value_length = length - key_length - 1;
	trim(&text, &key_length);
	trim(&value, &value_length);
	parser->key = strndup(text, key_length);
	if (!parser->key)
		return message_out_of_memory(parser->message);
	parser->value.line = parser->line;
	return value_append(parser, value, value_length);
}

static enum status line_parse(struct catalogue_parser *parser, const char *text, size_t length)
{
	bool indented = length > 0 && is_space(*text);
	enum status status;

	if (memchr(text, '\0', length)) {
		diagnostics_add(parser->diagnostics, parser->line,
				"a zero byte; is this a text file?");
		return STATUS_OK;
	}
	trim(&text, &length);
	if (length == 0 || *text == '#' || *text == ';')
		return STATUS_OK;
	if (indented && parser->key)
		return value_append(parser, text, length);
	status = value_finish(parser);
	if (status != STATUS_OK)
		return status;
	if (*text == '[')
		return section_begin(parser, text, length);
	return key_begin(parser, text, length);
}

static enum status lines_parse(struct catalogue_parser *parser, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_length = newline ? (size_t)(newline - text) : (size_t)(end - text);
		const char *line = text;
		enum status status;

		parser->line++;
		text += line_length + (newline != NULL);
		if (line_length >= CATALOGUE_LINE_MAX) {
			diagnostics_add(parser->diagnostics, parser->line,
					"the line is longer than %d bytes", CATALOGUE_LINE_MAX);
			continue;
		}
		if (line_length > 0 && line[line_length - 1] == '\r')
			line_length--;
		status = line_parse(parser, line, line_length);
		if (status != STATUS_OK)
			return status;
	}
	return value_finish(parser);
}

static enum status filters_finish(struct catalogue_parser *parser)
{
	for (size_t i = 0; i < parser->catalogue->count; i++) {
		struct filter *filter = &parser->catalogue->filters[i];

		if (!filter->description && !(filter->description = strdup("")))
			return message_out_of_memory(parser->message);
		if (filter->expression)
			continue;
		diagnostics_add(parser->diagnostics, filter->line,
				"filter '%.100s' has neither an expression nor rows", filter->name);
		filter->expression = strdup("");
		if (!filter->expression)
			return message_out_of_memory(parser->message);
	}
	return STATUS_OK;
}

static bool first_line_is(const char *text, size_t length, const char *line)
{
	const size_t size = strlen(line);

	return length >= size && memcmp(text, line, size) == 0 &&
	       (length == size || text[size] == '\n' || text[size] == '\r');
}

static enum status sets_finish(struct catalogue_parser *parser)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < parser->catalogue->set_count; i++)
		status = set_section_finish(&parser->catalogue->sets[i], parser->path,
					    parser->diagnostics, parser->message);
	return status;
}

enum status catalogue_parse(const char *path, const char *text, size_t length,
			    struct catalogue *catalogue, struct diagnostics *diagnostics,
			    struct message *message)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct catalogue_parser parser = {.catalogue = catalogue,
					  .diagnostics = diagnostics,
					  .message = message,
					  .path = path};
	enum status status;

	*catalogue = (struct catalogue){0};
	if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
		text += 3;
		length -= 3;
	}
	catalogue->skips_unanswerable = first_line_is(text, length, CATALOGUE_SKIPS);
	status = lines_parse(&parser, text, length);
	if (status == STATUS_OK)
		status = filters_finish(&parser);
	if (status == STATUS_OK)
		status = sets_finish(&parser);
	if (status == STATUS_OK && catalogue->count + catalogue->set_count == 0)
		diagnostics_add(diagnostics, parser.line ? parser.line : 1,
				"no [filter NAME] in the whole file");
	if (status == STATUS_OK && catalogue->source.line)
		source_section_finish(&catalogue->source, diagnostics);
	free(parser.key);
	if (parser.key) {
		free(parser.value.text);
		free(parser.value.lines);
	}
	name_table_free(&parser.names);
	name_table_free(&parser.set_names);
	return status;
}

void catalogue_drop_source(struct catalogue *catalogue)
{
	source_section_free(&catalogue->source);
}

static void filter_free(struct filter *filter)
{
	free(filter->name);
	free(filter->expression);
	free(filter->description);
	free(filter->lines);
}

void catalogue_drop_rows(struct catalogue *catalogue)
{
	size_t kept = 0;

	for (size_t i = 0; i < catalogue->count; i++) {
		if (catalogue->filters[i].kind == FILTER_ROWS)
			filter_free(&catalogue->filters[i]);
		else
			catalogue->filters[kept++] = catalogue->filters[i];
	}
	catalogue->count = kept;
}

void catalogue_free(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->count; i++)
		filter_free(&catalogue->filters[i]);
	free(catalogue->filters);
	for (size_t i = 0; i < catalogue->set_count; i++)
		set_section_free(&catalogue->sets[i]);
	free(catalogue->sets);
	source_section_free(&catalogue->source);
	*catalogue = (struct catalogue){0};
}
