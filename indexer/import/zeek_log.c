#include "zeek_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MARK_MAX = 32, /* bytes of what stands for an empty or unset field */
	HEADER_MAX = 1 << 17,
};

/* How a Zeek type is stored. */
enum zeek_value { ZEEK_TEXT, ZEEK_BOOLEAN, ZEEK_INTEGER, ZEEK_REAL, ZEEK_SET };

struct zeek_field {
	size_t column;
	enum zeek_value value;
};

struct zeek_mark {
	char text[MARK_MAX];
	size_t size;
};

struct zeek_log {
	const struct parser_options *options;
	char separator;
	struct zeek_mark empty;
	struct zeek_mark unset;
	char path[INTAKE_NAME_MAX + 1];
	char *names; /* of the last #fields, its tabs as they were */
	size_t names_size;
	struct zeek_field *fields;
	size_t field_count; /* 0 before #types */
	size_t column_count;
	size_t table;
	char *header; /* that counts, and lines behind it */
	size_t header_size;
	bool header_changed; /* since it was told of */
	int blocks;	     /* of headers so far; more than the first are alike */
};

const struct table_use zeek_use = {.time = "ts"};

struct zeek_type {
	const char *name;
	const char *sql;
	enum zeek_value value;
};

static const struct zeek_type zeek_types[] = {
	{"bool", "boolean", ZEEK_BOOLEAN},	   {"int", "integer", ZEEK_INTEGER},
	{"count", "integer", ZEEK_INTEGER},	   {"port", "integer", ZEEK_INTEGER},
	{"time", "double precision", ZEEK_REAL},   {"interval", "double precision", ZEEK_REAL},
	{"double", "double precision", ZEEK_REAL},
};

static const struct zeek_type zeek_text = {"", "text", ZEEK_TEXT};
static const struct zeek_type zeek_set = {"", "text", ZEEK_SET};

static const struct zeek_type *zeek_type_find(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(zeek_types) / sizeof(*zeek_types); i++)
		if (strlen(zeek_types[i].name) == size &&
		    memcmp(zeek_types[i].name, name, size) == 0)
			return &zeek_types[i];
	return size > 0 && name[size - 1] == ']' ? &zeek_set : &zeek_text;
}

bool zeek_log_is(const char *head, size_t size)
{
	static const char first[] = "#separator ";
	static const char later[] = "#fields\t";

	return (size >= sizeof(first) - 1 && memcmp(head, first, sizeof(first) - 1) == 0) ||
	       (size >= sizeof(later) - 1 && memcmp(head, later, sizeof(later) - 1) == 0);
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Turns \xHH into its byte; \x00 stays, since text ends there. Returns the size. */
static size_t unescape(const char *text, size_t size, char *to)
{
	size_t out = 0;

	for (size_t i = 0; i < size; i++) {
		const int high = i + 3 < size && text[i] == '\\' && text[i + 1] == 'x'
					 ? hex_digit(text[i + 2])
					 : -1;
		const int low = high >= 0 ? hex_digit(text[i + 3]) : -1;

		if (low >= 0 && high * 16 + low != 0) {
			to[out++] = (char)(high * 16 + low);
			i += 3;
		} else {
			to[out++] = text[i];
		}
	}
	return out;
}

static enum status field_value(const struct zeek_log *log, struct intake *intake,
			       enum zeek_value kind, const char *text, size_t size,
			       struct import_value *value, struct message *message)
{
	int64_t integer;
	double real;
	char *copy;

	if (size == log->unset.size && memcmp(text, log->unset.text, size) == 0)
		return STATUS_OK;
	if (kind == ZEEK_INTEGER && text_integer(text, size, &integer)) {
		*value = value_of_integer(integer);
	} else if (kind == ZEEK_REAL && text_real(text, size, &real)) {
		*value = value_of_real(real);
	} else if (kind == ZEEK_BOOLEAN && size == 1 && (*text == 'T' || *text == 'F')) {
		*value = value_of_integer(*text == 'T');
	} else if (size == log->empty.size && memcmp(text, log->empty.text, size) == 0) {
		*value = value_of_text(text, 0);
	} else if (memchr(text, '\\', size)) {
		copy = intake_bytes(intake, size, message);
		if (!copy)
			return STATUS_FAILED;
		*value = value_of_text(copy, unescape(text, size, copy));
	} else {
		*value = value_of_text(text, size);
	}
	return STATUS_OK;
}

static enum status row_take(struct zeek_log *log, struct intake *intake, const char *line,
			    size_t size, struct message *message)
{
	const char *end = line + size;
	struct import_value *values = intake_row(intake, log->column_count, message);
	size_t field = 0;
	enum status status = STATUS_OK;

	if (!values)
		return STATUS_FAILED;
	if (memchr(line, '\0', size)) {
		intake_fault(intake, FAULT_ZERO);
		return STATUS_OK;
	}
	while (status == STATUS_OK && field < log->field_count) {
		const struct zeek_field *known = &log->fields[field++];
		const char *next = memchr(line, log->separator, (size_t)(end - line));
		const size_t length = (size_t)((next ? next : end) - line);

		if (known->column < log->column_count)
			status = field_value(log, intake, known->value, line, length,
					     &values[known->column], message);
		if (!next) {
			line = NULL;
			break;
		}
		line = next + 1;
	}
	if (status != STATUS_OK)
		return status;
	if (line || field < log->field_count)
		intake_fault(intake, FAULT_FIELDS);
	else
		intake_row_take(intake, log->table, log->column_count);
	return STATUS_OK;
}

static bool mark_set(struct zeek_mark *mark, const char *text, size_t size)
{
	if (size >= MARK_MAX)
		return false;
	memcpy(mark->text, text, size);
	mark->size = size;
	return true;
}

/* A separator is one byte, as it is or as \xHH. */
static bool separator_set(struct zeek_log *log, const char *text, size_t size)
{
	char byte[4];

	if (size > sizeof(byte) || unescape(text, size, byte) != 1 || *byte == '\n' ||
	    *byte == '\0')
		return false;
	log->separator = *byte;
	return true;
}

static bool names_keep(struct zeek_log *log, const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return false;
	memcpy(copy, text, size);
	free(log->names);
	log->names = copy;
	log->names_size = size;
	log->field_count = 0;
	return true;
}

/* Gives the next of the fields in a header's line, and moves behind it. */
static bool header_field(const struct zeek_log *log, const char **text, size_t *size,
			 const char **field, size_t *length)
{
	const char *end;

	if (!*text)
		return false;
	end = memchr(*text, log->separator, *size);
	*field = *text;
	*length = end ? (size_t)(end - *text) : *size;
	*size -= *length + (end != NULL);
	*text = end ? end + 1 : NULL;
	return true;
}

static size_t header_fields(const struct zeek_log *log, const char *text, size_t size)
{
	size_t count = 1;

	for (size_t i = 0; i < size; i++)
		count += text[i] == log->separator;
	return count;
}

/* Makes the header of all that counts now, with what a block did not say again. */
static enum status header_settle(struct zeek_log *log, const char *types, size_t types_size,
				 struct message *message)
{
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return message_out_of_memory(message);
	fprintf(stream, "#separator \\x%02x\n#empty_field%c", (unsigned char)log->separator,
		log->separator);
	fwrite(log->empty.text, 1, log->empty.size, stream);
	fprintf(stream, "\n#unset_field%c", log->separator);
	fwrite(log->unset.text, 1, log->unset.size, stream);
	fprintf(stream, "\n#path%c%s\n#fields%c", log->separator, log->path, log->separator);
	fwrite(log->names, 1, log->names_size, stream);
	fprintf(stream, "\n#types%c", log->separator);
	fwrite(types, 1, types_size, stream);
	fprintf(stream, "\n#block %d\n", log->blocks++ == 0 ? 1 : 2);
	if (fclose(stream) != 0)
		return message_out_of_memory(message);
	free(log->header);
	log->header = text;
	log->header_size = size;
	log->header_changed = true;
	return STATUS_OK;
}

/* Names and types together are the columns. */
static enum status columns_make(struct zeek_log *log, struct intake *intake, const char *types,
				size_t types_size, struct message *message)
{
	const size_t count = log->names ? header_fields(log, log->names, log->names_size) : 0;
	const char *const all_types = types;
	const size_t all_types_size = types_size;
	const char *names = log->names;
	size_t names_size = log->names_size;
	const char *name = "";
	const char *type = "";
	size_t name_size = 0;
	size_t type_size = 0;
	enum status status;

	if (count == 0 || count != header_fields(log, types, types_size)) {
		intake_fault(intake, FAULT_HEADER);
		return STATUS_OK;
	}
	free(log->fields);
	log->fields = calloc(count, sizeof(*log->fields));
	if (!log->fields)
		return message_out_of_memory(message);
	status =
		intake_table(intake, log->path, strlen(log->path), &zeek_use, &log->table, message);
	if (status != STATUS_OK || log->table == INTAKE_TABLES_MAX) {
		intake_fault(intake, FAULT_TABLES);
		return status;
	}
	log->field_count = count;
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const struct zeek_type *known;

		header_field(log, &names, &names_size, &name, &name_size);
		header_field(log, &types, &types_size, &type, &type_size);
		known = zeek_type_find(type, type_size);
		log->fields[i].value = known->value;
		status = intake_column(intake, log->table, name, name_size, known->sql, i,
				       &log->fields[i].column, message);
		if (log->fields[i].column == INTAKE_COLUMNS_MAX)
			intake_fault(intake, FAULT_COLUMNS);
	}
	log->column_count = intake->tables[log->table].column_count;
	return status == STATUS_OK ? header_settle(log, all_types, all_types_size, message)
				   : status;
}

/* Reads what a line of the header says; false where it says nothing that can be. */
static bool header_set(struct zeek_log *log, const char *key, size_t key_size, const char *value,
		       size_t size)
{
	const struct {
		const char *key;
		struct zeek_mark *mark;
	} marks[] = {{"empty_field", &log->empty}, {"unset_field", &log->unset}};

	for (size_t i = 0; i < 2; i++)
		if (strlen(marks[i].key) == key_size && memcmp(marks[i].key, key, key_size) == 0)
			return mark_set(marks[i].mark, value, size);
	if (key_size == 9 && memcmp(key, "separator", 9) == 0)
		return separator_set(log, value, size);
	if (key_size == 4 && memcmp(key, "path", 4) == 0 && !log->options->table) {
		if (size == 0 || size > INTAKE_NAME_MAX || memchr(value, '\0', size))
			return false;
		memcpy(log->path, value, size);
		log->path[size] = '\0';
	}
	return true;
}

static enum status header_take(struct zeek_log *log, struct intake *intake, const char *line,
			       size_t size, struct message *message)
{
	const char *key = line + 1;
	const char *value = key;
	size_t key_size;

	while (value < line + size && *value != log->separator && *value != ' ')
		value++;
	key_size = (size_t)(value - key);
	if (value < line + size)
		value++;
	size -= (size_t)(value - line);
	if (key_size == 5 && memcmp(key, "types", 5) == 0)
		return columns_make(log, intake, value, size, message);
	if (key_size == 6 && memcmp(key, "fields", 6) == 0) {
		if (memchr(value, '\0', size) || size == 0)
			intake_fault(intake, FAULT_HEADER);
		else if (!names_keep(log, value, size))
			return message_out_of_memory(message);
		return STATUS_OK;
	}
	if (!header_set(log, key, key_size, value, size))
		intake_fault(intake, FAULT_HEADER);
	return STATUS_OK;
}

/* Whether a line of a header says something that rows are read by. */
static bool header_counts(const char *line, size_t size)
{
	static const char *const keys[] = {"#separator", "#empty_field", "#unset_field", "#path",
					   "#fields"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (size > strlen(keys[i]) && memcmp(line, keys[i], strlen(keys[i])) == 0)
			return true;
	return false;
}

/*
 * Keeps a line behind the header that counts, until a whole one takes its place: wherever the
 * input is left, those are the lines with which it can be gone on with.
 */
static enum status header_keep(struct zeek_log *log, const char *line, size_t size,
			       struct message *message)
{
	char *larger;

	if (!header_counts(line, size) || log->header_size + size >= HEADER_MAX)
		return STATUS_OK;
	larger = realloc(log->header, log->header_size + size + 1);
	if (!larger)
		return message_out_of_memory(message);
	log->header = larger;
	memcpy(larger + log->header_size, line, size);
	larger[log->header_size + size] = '\n';
	log->header_size += size + 1;
	log->header_changed = true;
	return STATUS_OK;
}

static enum status line_take(void *state, struct intake *intake, const char *line, size_t size,
			     struct message *message)
{
	struct zeek_log *log = state;

	if (*line == '#') {
		const enum status status = header_keep(log, line, size, message);

		return status == STATUS_OK ? header_take(log, intake, line, size, message) : status;
	}
	if (log->field_count == 0) {
		intake_fault(intake, FAULT_FIELDS);
		return STATUS_OK;
	}
	return row_take(log, intake, line, size, message);
}

static enum status zeek_log_take(void *state, struct intake *intake, const char *bytes, size_t size,
				 bool last, size_t *used, struct message *message)
{
	struct zeek_log *log = state;
	enum status status =
		parser_lines(state, intake, bytes, size, last, used, line_take, message);

	/* Once for all lines of a header. */
	if (status == STATUS_OK && log->header_changed && log->header)
		status = intake_header(intake, log->header, log->header_size, message);
	log->header_changed = false;
	return status;
}

static void zeek_log_free(void *state)
{
	struct zeek_log *log = state;

	free(log->names);
	free(log->fields);
	free(log->header);
	free(log);
}

enum status zeek_log_open(const struct parser_options *options, struct parser *parser,
			  struct message *message)
{
	struct zeek_log *log = calloc(1, sizeof(*log));

	if (!log)
		return message_out_of_memory(message);
	log->options = options;
	log->separator = '\t';
	mark_set(&log->empty, "(empty)", 7);
	mark_set(&log->unset, "-", 1);
	strncpy(log->path, options->table ? options->table : "conn", INTAKE_NAME_MAX);
	*parser = (struct parser){.take = zeek_log_take, .free = zeek_log_free, .state = log};
	return STATUS_OK;
}
