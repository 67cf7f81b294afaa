#include "csv_fields.h"

#include <string.h>

/* The line at the beginning: its size without its end, and with it. */
static size_t line_end(const char *bytes, size_t size, size_t *used)
{
	const char *end = memchr(bytes, '\n', size);
	size_t length = end ? (size_t)(end - bytes) : size;

	*used = length + (end != NULL);
	if (length > 0 && bytes[length - 1] == '\r')
		length--;
	return length;
}

static struct csv_field trimmed(const char *text, size_t size)
{
	while (size > 0 && *text == ' ') {
		text++;
		size--;
	}
	while (size > 0 && text[size - 1] == ' ')
		size--;
	return (struct csv_field){.text = text, .size = size};
}

static void field_add(struct csv_record *record, struct csv_field field, struct csv_field *fields,
		      size_t most)
{
	if (record->count < most)
		fields[record->count] = field;
	record->count++;
}

static void plain_line_split(struct csv_record *record, const char *line, size_t size,
			     char delimiter, struct csv_field *fields, size_t most)
{
	const char *end = line + size;

	for (;;) {
		const char *next = memchr(line, delimiter, (size_t)(end - line));

		field_add(record, trimmed(line, (size_t)((next ? next : end) - line)), fields,
			  most);
		if (!next)
			return;
		line = next + 1;
	}
}

/* The quote that ends a field that begins at bytes[from], or size; counts the lines between. */
static size_t quote_end(const char *bytes, size_t size, size_t from, size_t *lines)
{
	for (size_t i = from; i < size; i++) {
		if (bytes[i] == '\n')
			++*lines;
		if (bytes[i] != '"')
			continue;
		if (i + 1 == size || bytes[i + 1] != '"')
			return i;
		i++;
	}
	return size;
}

size_t csv_field_copy(const struct csv_field *field, char *out)
{
	size_t size = 0;

	for (size_t i = 0; i < field->size; i++) {
		out[size++] = field->text[i];
		if (field->doubled && field->text[i] == '"')
			i++;
	}
	return size;
}

static size_t blanks_skip(const char *bytes, size_t size, size_t at)
{
	while (at < size && bytes[at] == ' ')
		at++;
	return at;
}

/* A field at `at` without quotes. Returns where it ends. */
static size_t plain_field(const char *bytes, size_t size, size_t at, char delimiter,
			  struct csv_field *field)
{
	size_t end = at;
	size_t length;

	while (end < size && bytes[end] != delimiter && bytes[end] != '\n')
		end++;
	length = end - at;
	if (length > 0 && bytes[end - 1] == '\r' && (end == size || bytes[end] == '\n'))
		length--;
	*field = trimmed(bytes + at, length);
	return end;
}

/* A field whose quote stands at `at`. Returns where it ends, or size + 1 where its quote does not.
 */
static size_t quoted_field(const char *bytes, size_t size, size_t at, size_t *lines,
			   struct csv_field *field)
{
	const size_t from = at + 1;
	const size_t end = quote_end(bytes, size, from, lines);

	if (end == size)
		return size + 1;
	*field = (struct csv_field){.text = bytes + from,
				    .size = end - from,
				    .quoted = true,
				    .doubled = memchr(bytes + from, '"', end - from) != NULL};
	return blanks_skip(bytes, size, end + 1);
}

/* A record with quotes in it. */
static struct csv_record quoted_take(const char *bytes, size_t size, char delimiter, bool last,
				     struct csv_field *fields, size_t most)
{
	struct csv_record record = {.lines = 1};
	size_t at = 0;

	for (;;) {
		struct csv_field field = {0};

		at = blanks_skip(bytes, size, at);
		at = at < size && bytes[at] == '"'
			     ? quoted_field(bytes, size, at, &record.lines, &field)
			     : plain_field(bytes, size, at, delimiter, &field);
		/* What comes next may be the second of two quotes. */
		if (at > size || (at == size && !last)) {
			record.end = CSV_WAITS;
			return record;
		}
		field_add(&record, field, fields, most);
		if (at == size || bytes[at] != delimiter)
			break;
		at++;
	}
	if (at < size && bytes[at] == '\r')
		at++;
	record.end = at == size || bytes[at] == '\n' ? CSV_RECORD : CSV_BROKEN;
	if (at == size && !last)
		record.end = CSV_WAITS;
	record.used = at < size ? at + 1 : at;
	return record;
}

struct csv_record csv_record_take(const char *bytes, size_t size, char delimiter, bool last,
				  size_t limit, struct csv_field *fields, size_t most)
{
	struct csv_record record = {.lines = 1};
	const bool whole = memchr(bytes, '\n', size) != NULL;
	size_t used;
	const size_t line = line_end(bytes, size, &used);

	if (!whole && !last) {
		record.end = CSV_WAITS;
		return record;
	}
	if (!memchr(bytes, '"', line)) {
		record.used = used;
		plain_line_split(&record, bytes, line, delimiter, fields, most);
		return record;
	}
	record = quoted_take(bytes, size, delimiter, last, fields, most);
	if (record.end == CSV_WAITS && !last && size <= limit)
		return record;
	if (record.end != CSV_RECORD || record.used > limit + 2) {
		record = (struct csv_record){.end = CSV_BROKEN, .used = used, .lines = 1};
		return record;
	}
	return record;
}
