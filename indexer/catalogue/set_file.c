#include "set_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "address_text.h"
#include "text/csv_fields.h"
#include "text/json_members.h"

enum {
	FIELDS_MAX = 500,
	MISTAKES_MAX = 1000000,
	SHOWN = 60, /* bytes of a line in messages */
	IPSET_NAME = 64,
	SINGLE = 32,
	IPV6_SINGLE = 128,
};

struct set_parser {
	const struct set_file *file;
	struct address_list *list;
	struct diagnostics *mistakes;
	struct message *message;
	size_t line;
	char ipset[IPSET_NAME]; /* whose entries are read; empty before the first one */
	unsigned single;	/* bits of an address without a prefix: ipset's netmask, */
	unsigned ipv6_single;	/* and of one of IPv6 */
	size_t column;		/* of CSV: its place, SIZE_MAX before it is known */
	char delimiter;
	struct json_members members;
	bool seen; /* some line has the member */
	size_t objects;
};

/* A piece of a line. */
struct words {
	const char *text;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct words trimmed(const char *text, size_t length)
{
	while (length > 0 && is_blank(*text)) {
		text++;
		length--;
	}
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	return (struct words){text, length};
}

/* The next word, with what is in quotes; *rest moves behind it. */
static struct words word_take(struct words *rest)
{
	struct words word;
	bool quoted = false;

	*rest = trimmed(rest->text, rest->length);
	word = (struct words){rest->text, 0};
	while (word.length < rest->length && (quoted || !is_blank(rest->text[word.length]))) {
		quoted ^= rest->text[word.length] == '"';
		word.length++;
	}
	rest->text += word.length;
	rest->length -= word.length;
	return word;
}

static bool words_are(struct words span, const char *word)
{
	return strlen(word) == span.length && strncasecmp(span.text, word, span.length) == 0;
}

static void mistake(struct set_parser *parser, const char *what, struct words where)
{
	diagnostics_add_in(parser->mistakes, parser->file->path, parser->line, "%s: '%.*s'", what,
			   (int)(where.length < SHOWN ? where.length : SHOWN), where.text);
}

static enum status entry_add(struct address_list *list, struct words span, unsigned single,
			     unsigned ipv6_single, bool excluded, const char **wrong,
			     struct message *message)
{
	struct address_entry entry;

	*wrong = address_text_read(span.text, span.length, single, ipv6_single, &entry);
	if (!*wrong && address_list_entries(list) == ADDRESS_LIST_MAX)
		*wrong = "more entries than a set may have";
	if (*wrong)
		return STATUS_OK;
	return address_ranges_add(excluded ? &list->out : &list->in, entry.version, entry.first,
				  entry.last)
		       ? STATUS_OK
		       : message_out_of_memory(message);
}

/* The same for a line, whose mistake is told. */
static enum status entry_take(struct set_parser *parser, struct words span, bool excluded)
{
	const char *wrong;
	enum status status = entry_add(parser->list, span, parser->single, parser->ipv6_single,
				       excluded, &wrong, parser->message);

	if (status == STATUS_OK && wrong)
		mistake(parser, wrong, span);
	return status;
}

/* Without the comment, which begins with # or ;. */
static struct words uncommented(const char *line, size_t length)
{
	size_t end = 0;

	while (end < length && line[end] != '#' && line[end] != ';')
		end++;
	return trimmed(line, end);
}

enum status set_line_add(const char *line, size_t length, struct address_list *list,
			 const char **wrong, struct message *message)
{
	const struct words span = uncommented(line, length);

	*wrong = NULL;
	return span.length ? entry_add(list, span, SINGLE, IPV6_SINGLE, false, wrong, message)
			   : STATUS_OK;
}

/* A number of an option of ipset; 0 for what is none that there can be. */
static unsigned bits_of(struct words word)
{
	unsigned bits = 0;

	for (size_t i = 0; i < word.length && bits <= IPV6_SINGLE; i++) {
		if (word.text[i] < '0' || word.text[i] > '9')
			return 0;
		bits = bits * 10 + (unsigned char)(word.text[i] - '0');
	}
	return bits <= IPV6_SINGLE ? bits : 0;
}

/* ipset's `create NAME TYPE [options]`: of its options the netmask says what entries are. */
static void ipset_create(struct set_parser *parser, struct words rest)
{
	struct words word;
	bool is_ipv6 = false;
	unsigned netmask = 0;

	parser->single = SINGLE;
	parser->ipv6_single = IPV6_SINGLE;
	while ((word = word_take(&rest)).length) {
		if (words_are(word, "bitmask"))
			mistake(parser, "an ipset with a bitmask is not understood", word);
		if (words_are(word, "family"))
			is_ipv6 = words_are(word_take(&rest), "inet6");
		else if (words_are(word, "netmask"))
			netmask = bits_of(word_take(&rest));
	}
	if (netmask && is_ipv6)
		parser->ipv6_single = netmask;
	else if (netmask && netmask <= SINGLE)
		parser->single = netmask;
}

/* ipset's `add NAME ENTRY [options]`. */
static enum status ipset_add(struct set_parser *parser, struct words line, struct words rest)
{
	const struct words name = word_take(&rest);
	const struct words entry = word_take(&rest);
	bool excluded = false;
	struct words option;

	if (entry.length == 0 || name.length >= IPSET_NAME) {
		mistake(parser, "no entry of an ipset", line);
		return STATUS_OK;
	}
	if (!*parser->ipset)
		memcpy(parser->ipset, name.text, name.length);
	if (strlen(parser->ipset) != name.length ||
	    memcmp(parser->ipset, name.text, name.length) != 0) {
		diagnostics_add_in(
			parser->mistakes, parser->file->path, parser->line,
			"the file has a second ipset, '%.*s' behind '%s'; write one to a "
			"file with: ipset save NAME",
			(int)name.length, name.text, parser->ipset);
		return STATUS_OK;
	}
	if (memchr(entry.text, ',', entry.length)) {
		mistake(parser, "an ipset whose entries are more than addresses", entry);
		return STATUS_OK;
	}
	while ((option = word_take(&rest)).length)
		excluded |= words_are(option, "nomatch");
	return entry_take(parser, entry, excluded);
}

/* True, and the line is dealt with, if it is one of those that `ipset save` prints. */
static bool ipset_line(struct set_parser *parser, struct words line, enum status *status)
{
	static const char *const ignored[] = {"flush", "destroy", "COMMIT"};
	struct words rest = line;
	const struct words word = word_take(&rest);

	*status = STATUS_OK;
	if (words_are(word, "add")) {
		*status = ipset_add(parser, line, rest);
		return true;
	}
	if (words_are(word, "create")) {
		ipset_create(parser, rest);
		return true;
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		if (words_are(word, ignored[i]))
			return true;
	return false;
}

static enum status plain_line(struct set_parser *parser, const char *line, size_t length)
{
	struct words span = trimmed(line, length);
	enum status status;

	if (span.length && (*span.text | 0x20) >= 'a' && (*span.text | 0x20) <= 'z' &&
	    ipset_line(parser, span, &status))
		return status;
	if (span.length && (*span.text == '{' || *span.text == '[')) {
		mistake(parser, "JSON; where each line is an object, say its key (key = NAME)",
			span);
		return STATUS_OK;
	}
	span = uncommented(line, length);
	if (memchr(span.text, ',', span.length)) {
		mistake(parser, "CSV; say which column has the addresses (column = NAME)", span);
		return STATUS_OK;
	}
	return span.length ? entry_take(parser, span, false) : STATUS_OK;
}

static bool field_is(const struct csv_field *field, const char *name)
{
	return field->size == strlen(name) && strncasecmp(field->text, name, field->size) == 0;
}

/* The character between the fields of a head: the most frequent of those there are. */
static char delimiter_of(struct words head)
{
	static const char delimiters[] = ",;\t|";
	size_t most = 0;
	char found = ',';

	for (const char *delimiter = delimiters; *delimiter; delimiter++) {
		size_t count = 0;

		for (size_t i = 0; i < head.length; i++)
			count += head.text[i] == *delimiter;
		if (count > most)
			found = *delimiter;
		if (count > most)
			most = count;
	}
	return found;
}

/* Finds the column in what may be the head of a CSV file. */
static void head_read(struct set_parser *parser, struct words head)
{
	struct csv_field fields[FIELDS_MAX];
	const char delimiter = delimiter_of(head);
	const struct csv_record record = csv_record_take(head.text, head.length, delimiter, true,
							 SET_LINE_MAX, fields, FIELDS_MAX);

	for (size_t i = 0; record.end == CSV_RECORD && i < record.count && i < FIELDS_MAX; i++) {
		if (!field_is(&fields[i], parser->file->column))
			continue;
		parser->column = i;
		parser->delimiter = delimiter;
		return;
	}
}

static enum status csv_line(struct set_parser *parser, const char *line, size_t length)
{
	struct csv_field fields[FIELDS_MAX];
	struct csv_record record;
	struct words span = trimmed(line, length);

	if (span.length == 0)
		return STATUS_OK;
	if (*span.text == '#') {
		/* Some write the head as a comment. */
		if (parser->column == SIZE_MAX)
			head_read(parser, trimmed(span.text + 1, span.length - 1));
		return STATUS_OK;
	}
	if (parser->column == SIZE_MAX) {
		head_read(parser, span);
		if (parser->column != SIZE_MAX)
			return STATUS_OK;
		diagnostics_add_in(parser->mistakes, parser->file->path, parser->line,
				   "the first line has no column '%.100s'", parser->file->column);
		parser->column = FIELDS_MAX;
	}
	if (parser->column == FIELDS_MAX)
		return STATUS_OK;
	record = csv_record_take(span.text, span.length, parser->delimiter, true, SET_LINE_MAX,
				 fields, FIELDS_MAX);
	if (record.end != CSV_RECORD || record.count <= parser->column) {
		mistake(parser, "no record with that column", span);
		return STATUS_OK;
	}
	span = trimmed(fields[parser->column].text, fields[parser->column].size);
	return span.length ? entry_take(parser, span, false) : STATUS_OK;
}

static enum status json_line(struct set_parser *parser, const char *line, size_t length)
{
	const struct words span = trimmed(line, length);
	struct json_members *members = &parser->members;
	struct import_value value;
	enum json_end end;
	size_t place;
	enum status status;

	if (span.length == 0)
		return STATUS_OK;
	status = json_members_read(members, span.text, span.length, &end, parser->message);
	if (status != STATUS_OK)
		return status;
	if (end != JSON_OBJECT) {
		mistake(parser, "no object of JSON in one line", span);
		return STATUS_OK;
	}
	parser->objects++;
	place = json_member_find(members, parser->file->key);
	/* What the feed says of itself stands in a line without an address. */
	if (place == members->count)
		return STATUS_OK;
	parser->seen = true;
	value = json_member_value(members, place);
	if (value.kind == VALUE_NULL)
		return STATUS_OK;
	if (value.kind != VALUE_TEXT) {
		mistake(parser, "the value is no text", span);
		return STATUS_OK;
	}
	return entry_take(parser, (struct words){value.text, value.size}, false);
}

static enum status line_read(struct set_parser *parser, const char *line, size_t length)
{
	parser->line++;
	if (parser->line == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		length -= 3;
	}
	if (parser->line == 1 && length >= 2 &&
	    (memcmp(line, "\x1f\x8b", 2) == 0 || memcmp(line, "\x28\xb5", 2) == 0)) {
		diagnostics_add_in(parser->mistakes, parser->file->path, parser->line,
				   "the file is packed (gzip or zstd); unpack it first");
		return STATUS_OK;
	}
	if (memchr(line, '\0', length)) {
		diagnostics_add_in(parser->mistakes, parser->file->path, parser->line,
				   "a zero byte; is this a text file, not packed and in UTF-8?");
		return STATUS_OK;
	}
	if (parser->file->column)
		return csv_line(parser, line, length);
	if (parser->file->key)
		return json_line(parser, line, length);
	return plain_line(parser, line, length);
}

static struct set_parser parser_of(const struct set_file *file, struct address_list *list,
				   struct diagnostics *mistakes, struct message *message)
{
	*list = (struct address_list){0};
	return (struct set_parser){.file = file,
				   .list = list,
				   .mistakes = mistakes,
				   .message = message,
				   .single = SINGLE,
				   .ipv6_single = IPV6_SINGLE,
				   .column = SIZE_MAX};
}

static void parser_finish(struct set_parser *parser)
{
	if (parser->file->column && parser->column == SIZE_MAX && parser->line)
		diagnostics_add_in(parser->mistakes, parser->file->path, parser->line,
				   "no line has a column '%.100s'", parser->file->column);
	if (parser->file->key && parser->objects && !parser->seen)
		diagnostics_add_in(parser->mistakes, parser->file->path, 1,
				   "no line has a key '%.100s'", parser->file->key);
	json_members_free(&parser->members);
	address_list_settle(parser->list);
}

enum status set_text_read(const struct set_file *file, const char *text, size_t length,
			  struct address_list *list, struct diagnostics *mistakes,
			  struct message *message)
{
	struct set_parser parser = parser_of(file, list, mistakes, message);
	enum status status = STATUS_OK;

	while (status == STATUS_OK && length > 0) {
		const char *end = memchr(text, '\n', length);
		const size_t line = end ? (size_t)(end - text) : length;

		status = line_read(&parser, text, line);
		text += line + (end != NULL);
		length -= line + (end != NULL);
	}
	parser_finish(&parser);
	return status;
}

/* Reads what of a file is in `buffer`, whole lines, or all of it at the end. */
static enum status lines_read(struct set_parser *parser, const char *buffer, size_t filled,
			      bool last, size_t *used)
{
	enum status status = STATUS_OK;

	*used = 0;
	while (status == STATUS_OK && *used < filled) {
		const char *line = buffer + *used;
		const char *end = memchr(line, '\n', filled - *used);

		if (!end && !last)
			break;
		status = line_read(parser, line, end ? (size_t)(end - line) : filled - *used);
		*used = end ? (size_t)(end - buffer) + 1 : filled;
	}
	return status;
}

static enum status stream_read(struct set_parser *parser, FILE *stream, char *buffer, size_t size)
{
	size_t filled = 0;
	size_t used;
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		const size_t got = fread(buffer + filled, 1, size - filled, stream);

		filled += got;
		if (ferror(stream))
			return message_set(parser->message, STATUS_FAILED, "%.300s: %s",
					   parser->file->path, strerror(errno));
		status = lines_read(parser, buffer, filled, got == 0, &used);
		/* What has so many mistakes is no list, and may have no end. */
		if (got == 0 || parser->mistakes->lost > MISTAKES_MAX)
			break;
		if (used == 0 && filled == size)
			return message_set(
				parser->message, STATUS_USAGE,
				"%.300s:%zu: the line is longer than %d bytes; is this a "
				"list of addresses?",
				parser->file->path, parser->line + 1, SET_LINE_MAX);
		memmove(buffer, buffer + used, filled - used);
		filled -= used;
	}
	return status;
}

/* Whether a file cannot be opened since it is not there, or not for us: no failure of this run. */
static bool file_is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP ||
	       error == ESTALE;
}

enum status set_file_read(const struct set_file *file, struct address_list *list,
			  struct diagnostics *mistakes, bool *gone, struct message *message)
{
	enum { BUFFER = 4 * SET_LINE_MAX };
	struct set_parser parser = parser_of(file, list, mistakes, message);
	char *buffer = malloc(BUFFER);
	FILE *stream = fopen(file->path, "rbe");
	const int error = errno;
	struct stat properties;
	enum status status = STATUS_OK;

	*gone = !stream && file_is_gone(error);
	if (!stream)
		status = message_set(message, STATUS_FAILED, "%.300s: %s", file->path,
				     strerror(error));
	else if (!buffer)
		status = message_out_of_memory(message);
	else if (fstat(fileno(stream), &properties) != 0)
		status = message_set(message, STATUS_FAILED, "%.300s: %s", file->path,
				     strerror(errno));
	else if (S_ISDIR(properties.st_mode))
		status = message_set(message, STATUS_USAGE, "%.300s: %s", file->path,
				     strerror(EISDIR));
	if (status == STATUS_OK)
		status = stream_read(&parser, stream, buffer, BUFFER);
	if (stream)
		fclose(stream);
	free(buffer);
	parser_finish(&parser);
	return status;
}
