#include "catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "name_table.h"

enum section { SECTION_NONE, SECTION_SOURCE, SECTION_FILTER, SECTION_UNKNOWN };

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
	size_t capacity; /* of catalogue->filters */
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
	char **place = NULL;

	if (!filter) {
		free(text);
		return;
	}

	if (strcmp(parser->key, "expression") == 0) {
		place = &filter->expression;
		filter->expression_line = parser->value.line;
	} else if (strcmp(parser->key, "description") == 0) {
		place = &filter->description;
	}
	if (!place)
		diagnostics_add(
			parser->diagnostics, parser->value.line,
			"unknown key '%.100s' in [filter %.100s]; a filter has expression and "
			"description",
			parser->key, filter->name);
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

static void value_finish(struct catalogue_parser *parser)
{
	char *text = parser->value.text;

	if (!parser->key)
		return;
	if (parser->value.overlong) {
		diagnostics_add(parser->diagnostics, parser->value.line,
				"the value of '%.100s' is longer than %d bytes", parser->key,
				CATALOGUE_VALUE_MAX);
		/* Anything that compiles, so that the one mistake is not reported twice. */
		memcpy(text, "ip", sizeof("ip"));
	}
	if (parser->section == SECTION_FILTER)
		filter_key_set(parser, text);
	else if (parser->section == SECTION_SOURCE)
		source_section_set(&parser->catalogue->source, parser->key, text,
				   parser->value.line, parser->diagnostics);
	else
		free(text);
	free(parser->key);
	free(parser->value.lines);
	parser->key = NULL;
	parser->value = (struct value_text){0};
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
	longer = realloc(value->text, value->length + separator + length + sizeof("ip"));
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

static enum status filter_begin(struct catalogue_parser *parser, const char *name, size_t length)
{
	struct catalogue *catalogue = parser->catalogue;
	struct filter *filter;
	size_t first;

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
	switch (name_table_add(&parser->names, filter->name, parser->line, &first)) {
	case NAME_TABLE_ADDED:
		return STATUS_OK;
	case NAME_TABLE_TAKEN:
		diagnostics_add(parser->diagnostics, parser->line,
				"filter '%.100s' is there already, in line %zu", filter->name,
				first);
		return STATUS_OK;
	default:
		return message_out_of_memory(parser->message);
	}
}

static enum status section_begin(struct catalogue_parser *parser, const char *text, size_t length)
{
	static const char word[] = "filter";
	const size_t word_length = sizeof(word) - 1;

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
	if (length >= word_length && memcmp(text, word, word_length) == 0 &&
	    (length == word_length || is_space(text[word_length]))) {
		text += word_length;
		length -= word_length;
		trim(&text, &length);
		return filter_begin(parser, text, length);
	}
	diagnostics_add(parser->diagnostics, parser->line,
			"unknown section [%.*s]; there are [source] and [filter NAME]",
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
	value_finish(parser);
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
	value_finish(parser);
	return STATUS_OK;
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
				"filter '%.100s' has no expression", filter->name);
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

enum status catalogue_parse(const char *text, size_t length, struct catalogue *catalogue,
			    struct diagnostics *diagnostics, struct message *message)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct catalogue_parser parser = {
		.catalogue = catalogue, .diagnostics = diagnostics, .message = message};
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
	if (status == STATUS_OK && catalogue->count == 0)
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
	return status;
}

static enum status file_read(const char *path, char **text, size_t *length, struct message *message)
{
	FILE *file = fopen(path, "rbe");
	size_t capacity = 1 << 16;
	struct stat properties;
	enum status status = STATUS_OK;

	*text = NULL;
	*length = 0;
	if (!file || fstat(fileno(file), &properties) != 0) {
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
		goto cleanup;
	}
	if (S_ISDIR(properties.st_mode)) {
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(EISDIR));
		goto cleanup;
	}
	do {
		char *longer = realloc(*text, capacity);

		if (!longer) {
			status = message_out_of_memory(message);
			goto cleanup;
		}
		*text = longer;
		*length += fread(*text + *length, 1, capacity - *length, file);
		if (*length < capacity)
			break;
		capacity *= 2;
	} while (capacity <= CATALOGUE_FILE_MAX);
	if (ferror(file))
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	else if (!feof(file))
		status = message_set(message, STATUS_FAILED, "%s: larger than %d MiB", path,
				     CATALOGUE_FILE_MAX >> 20);
cleanup:
	if (file)
		fclose(file);
	return status;
}

/* Whether a section begins in any line, or no line says anything. */
static bool may_be_catalogue(const char *text, size_t length)
{
	bool is_start = true;
	bool is_comment = false;
	bool says_something = false;

	for (size_t i = 0; i < length; i++) {
		const char character = text[i];

		if (is_start && character == '[')
			return true;
		if (character == '\n') {
			is_start = true;
			is_comment = false;
		} else if (!strchr(" \t\r\xef\xbb\xbf", character)) {
			is_comment |= is_start && strchr("#;", character);
			says_something |= !is_comment;
			is_start = false;
		}
	}
	return !says_something;
}

/* What is no catalogue would be a mistake in every line. */
static enum status text_check(const char *path, const char *text, size_t length,
			      struct message *message)
{
	static const char database[] = "SQLite format 3"; /* its zero byte belongs to it */

	if (length >= sizeof(database) && memcmp(text, database, sizeof(database)) == 0)
		return message_set(message, STATUS_USAGE,
				   "%s: is a file of SQLite, not a catalogue of filters; the log "
				   "comes first, then the catalogue",
				   path);
	if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		return message_set(message, STATUS_USAGE,
				   "%s: is text in UTF-16; save it as UTF-8 and run again", path);
	if (length > 0 && memchr(text, '\0', length))
		return message_set(message, STATUS_USAGE,
				   "%s: is no text, and so no catalogue of filters", path);
	if (!may_be_catalogue(text, length))
		return message_set(message, STATUS_USAGE,
				   "%s: has no [filter NAME], and so is no catalogue of filters "
				   "(connbits-index LOG CATALOGUE)",
				   path);
	return STATUS_OK;
}

enum status catalogue_read(const char *path, struct catalogue *catalogue,
			   struct diagnostics *diagnostics, struct message *message)
{
	char *text;
	size_t length;
	enum status status = file_read(path, &text, &length, message);

	*catalogue = (struct catalogue){0};
	if (status == STATUS_OK)
		status = text_check(path, text, length, message);
	if (status == STATUS_OK)
		status = catalogue_parse(text, length, catalogue, diagnostics, message);
	free(text);
	return status;
}

void catalogue_drop_source(struct catalogue *catalogue)
{
	source_section_free(&catalogue->source);
}

void catalogue_free(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		free(catalogue->filters[i].name);
		free(catalogue->filters[i].expression);
		free(catalogue->filters[i].description);
		free(catalogue->filters[i].lines);
	}
	free(catalogue->filters);
	source_section_free(&catalogue->source);
	*catalogue = (struct catalogue){0};
}
