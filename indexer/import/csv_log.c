#include "csv_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column_roles.h"
#include "head_digest.h"
#include "text/csv_fields.h"

enum {
	BLANKS_LEAST = 4,
	HEADER_MAX = 1 << 16,
	NAME_KEPT = INTAKE_NAME_MAX - 16 /* room for a number */
};

struct csv_column {
	char *name;
	size_t column;
	bool text; /* its values are text, whatever they look like */
};

struct csv_log {
	char delimiter;
	char *header; /* its line, to know it again */
	size_t header_size;
	struct csv_column *columns;
	size_t count;
	struct csv_field *fields; /* of a record */
	char *table_name;
	size_t table;
	bool opened; /* the table is known to the intake */
	struct column_roles roles;
	char columns_digest[HEAD_DIGEST_SIZE * 2 + 1];
	bool nfdump;
	bool summary; /* nfdump's has begun */
};

/* The separator of the first line: the most frequent of those that people use. */
static char delimiter_find(const char *line, size_t size)
{
	static const char delimiters[] = "\t,;|";
	size_t blanks = 0;
	char best = '\0';
	size_t most = 0;

	for (const char *delimiter = delimiters; *delimiter; delimiter++) {
		size_t count = 0;

		for (size_t i = 0; i < size; i++)
			count += line[i] == *delimiter;
		if (count > most) {
			most = count;
			best = *delimiter;
		}
	}
	/* Cloud providers write flows with single blanks. */
	for (size_t i = 0; i < size; i++)
		blanks += line[i] == ' ';
	if (!best && blanks >= BLANKS_LEAST)
		best = ' ';
	return best;
}

/* The first line, without a byte order mark. Returns where it begins. */
static const char *first_line(const char *head, size_t size, size_t *length)
{
	const size_t mark = size >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	const char *end = memchr(head + mark, '\n', size - mark);

	*length = (size_t)((end ? end : head + size) - (head + mark));
	return head + mark;
}

/* Gives the fields of the header, in a copy that the caller frees. NULL without memory. */
static char *header_split(const char *line, size_t length, char delimiter, struct csv_field *fields,
			  size_t *count)
{
	char *copy = malloc(length + 1);
	struct csv_record record;

	if (!copy)
		return NULL;
	memcpy(copy, line, length);
	copy[length] = '\0';
	if (length > 0 && *copy == '#')
		*copy = ' ';
	record = csv_record_take(copy, length, delimiter, true, HEADER_MAX, fields,
				 INTAKE_COLUMNS_MAX);
	*count = record.end == CSV_RECORD ? record.count : 0;
	for (size_t i = 0; i < *count && i < INTAKE_COLUMNS_MAX; i++)
		if (fields[i].doubled)
			fields[i].size = csv_field_copy(&fields[i], copy + (fields[i].text - copy));
	return copy;
}

static void names_of_fields(const struct csv_field *fields, size_t count, struct column_name *names)
{
	for (size_t i = 0; i < count; i++)
		names[i] = (struct column_name){.text = fields[i].text, .size = fields[i].size};
}

bool csv_log_is(const char *head, size_t size, bool *known)
{
	struct csv_field *fields = calloc(INTAKE_COLUMNS_MAX, sizeof(*fields));
	struct column_name *names = calloc(INTAKE_COLUMNS_MAX, sizeof(*names));
	size_t length;
	const char *line = first_line(head, size, &length);
	const char delimiter = delimiter_find(line, length);
	size_t count = 0;
	char *copy = NULL;

	*known = false;
	if (fields && names && delimiter && !memchr(line, '\0', length))
		copy = header_split(line, length, delimiter, fields, &count);
	if (count > 0 && count <= INTAKE_COLUMNS_MAX) {
		names_of_fields(fields, count, names);
		*known = column_roles_guess(names, count);
	}
	/* Then what is wrong is the number of columns. */
	*known |= count > INTAKE_COLUMNS_MAX;
	free(copy);
	free(names);
	free(fields);
	return count > 1 && (delimiter != ' ' || *known);
}

static bool fields_say(const struct csv_log *log, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (i >= log->count || strcmp(log->columns[i].name, names[i]) != 0)
			return false;
	return true;
}

/* nfdump's own columns, as versions 1.6 and 1.7 write them. */
static bool is_nfdump(const struct csv_log *log)
{
	static const char *const old[] = {"ts", "te", "td", "sa", "da", "sp", "dp", "pr"};
	static const char *const later[] = {"firstSeen", "duration", "proto",  "srcAddr",
					    "srcPort",	 "dstAddr",  "dstPort"};

	return fields_say(log, old, sizeof(old) / sizeof(*old)) ||
	       fields_say(log, later, sizeof(later) / sizeof(*later));
}

static bool name_is_taken(const struct csv_log *log, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(log->columns[i].name, name) == 0)
			return true;
	return false;
}

/* A name that no other column has, from what the header says. */
static enum status column_name_make(struct csv_log *log, size_t place,
				    const struct csv_field *field, struct message *message)
{
	char name[INTAKE_NAME_MAX + 1];
	size_t size = field->size < NAME_KEPT ? field->size : NAME_KEPT;

	memcpy(name, field->text, size);
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)name[i] < ' ')
			name[i] = '_';
	if (size == 0)
		size = (size_t)snprintf(name, sizeof(name), "column_%zu", place + 1);
	name[size] = '\0';
	for (size_t number = place + 1; name_is_taken(log, place, name); number++)
		snprintf(name + size, sizeof(name) - size, "_%zu", number);
	log->columns[place].name = strdup(name);
	return log->columns[place].name ? STATUS_OK : message_out_of_memory(message);
}

/* A column that has one value that is no number is text. */
static void record_sample(struct csv_log *log)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct csv_field *field = &log->fields[i];
		bool integer;

		if (field->size > 0)
			log->columns[i].text |= field->quoted ||
						!text_is_number(field->text, field->size, &integer);
	}
}

/* Which columns are numbers, by the whole records of the head. */
static void types_find(struct csv_log *log, const char *head, size_t size)
{
	size_t at = 0;

	while (at < size) {
		const struct csv_record record =
			csv_record_take(head + at, size - at, log->delimiter, false, HEADER_MAX,
					log->fields, log->count);

		if (record.end == CSV_WAITS)
			break;
		/* Where files were joined, the header comes again. */
		if (record.end == CSV_RECORD && record.count == log->count &&
		    (record.used < log->header_size ||
		     memcmp(head + at, log->header, log->header_size) != 0))
			record_sample(log);
		at += record.used;
	}
}

static void column_fix(struct csv_log *log, enum column_role role, bool text)
{
	const int column = log->roles.columns[role];

	if (column != COLUMN_NONE)
		log->columns[column].text = text;
}

/* By which a file with the same columns is known. */
static void columns_digest(struct csv_log *log)
{
	uint8_t digest[HEAD_DIGEST_SIZE] = {0};

	for (size_t i = 0; i < log->count; i++)
		head_digest_go_on(digest, log->columns[i].name, strlen(log->columns[i].name) + 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(log->columns_digest + i * 2, 3, "%02x", digest[i]);
}

static bool same_columns(const struct csv_log *log, const struct parser_options *options)
{
	return options->source_columns && strcmp(options->source_columns, log->columns_digest) == 0;
}

static enum status columns_find(struct csv_log *log, const struct parser_options *options,
				const struct csv_field *fields, struct message *message)
{
	struct column_name *names = calloc(log->count, sizeof(*names));
	enum status status = names ? STATUS_OK : message_out_of_memory(message);

	for (size_t i = 0; status == STATUS_OK && i < log->count; i++) {
		status = column_name_make(log, i, &fields[i], message);
		if (status == STATUS_OK)
			names[i] = (struct column_name){.text = log->columns[i].name,
							.size = strlen(log->columns[i].name)};
	}
	log->nfdump = status == STATUS_OK && is_nfdump(log);
	if (status == STATUS_OK)
		columns_digest(log);
	if (status == STATUS_OK)
		status = column_roles_find(
			names, log->count,
			&(struct column_hints){
				.map = options->map,
				.map_count = options->map_count,
				.source = same_columns(log, options) ? options->source : NULL,
				.icmp = log->nfdump ? "icmp = netflow\n" : NULL},
			&log->roles, message);
	free(names);
	return status;
}

/* The header's line as it stands, to know it again. */
static enum status header_keep(struct csv_log *log, const char *line, size_t length,
			       struct message *message)
{
	log->delimiter = delimiter_find(line, length);
	log->header_size = length;
	log->header = malloc(length + 1);
	if (!log->header)
		return message_out_of_memory(message);
	memcpy(log->header, line, length);
	return STATUS_OK;
}

/* Names and roles of the columns that the header has. */
static enum status header_read(struct csv_log *log, const struct parser_options *options,
			       struct message *message)
{
	struct csv_field *fields = calloc(INTAKE_COLUMNS_MAX, sizeof(*fields));
	char *copy = fields ? header_split(log->header, log->header_size, log->delimiter, fields,
					   &log->count)
			    : NULL;
	enum status status = copy ? STATUS_OK : message_out_of_memory(message);

	if (status == STATUS_OK && (log->count == 0 || log->count > INTAKE_COLUMNS_MAX ||
				    memchr(log->header, '\0', log->header_size))) {
		message_set(message, STATUS_FAILED,
			    "its first line is no header of 1 to %d columns", INTAKE_COLUMNS_MAX);
		status = STATUS_FAILED;
	}
	if (status == STATUS_OK) {
		log->columns = calloc(log->count, sizeof(*log->columns));
		log->fields = calloc(log->count, sizeof(*log->fields));
		log->table_name = strdup(options->table ? options->table : "flows");
		status = log->columns && log->fields && log->table_name
				 ? columns_find(log, options, fields, message)
				 : message_out_of_memory(message);
	}
	free(copy);
	free(fields);
	return status;
}

static enum status csv_log_prepare(struct csv_log *log, const struct parser_options *options,
				   const char *head, size_t size, struct message *message)
{
	size_t length;
	const char *line = first_line(head, size, &length);
	const size_t behind = (size_t)(line - head) + length + 1;
	enum status status = header_keep(log, line, length, message);

	if (status == STATUS_OK)
		status = header_read(log, options, message);
	if (status != STATUS_OK || !log->columns || !log->fields)
		return status;
	if (behind < size)
		types_find(log, head + behind, size - behind);
	column_fix(log, COLUMN_SOURCE_HOST, true);
	column_fix(log, COLUMN_DESTINATION_HOST, true);
	column_fix(log, COLUMN_SOURCE_PORT, false);
	column_fix(log, COLUMN_DESTINATION_PORT, false);
	return status;
}

/* nfdump's type.code of ICMP as NetFlow has it; false for anything else. */
static bool icmp_port(const struct csv_field *field, int64_t *port)
{
	const char *point = memchr(field->text, '.', field->size);
	int64_t type;
	int64_t code;

	if (!point || !text_integer(field->text, (size_t)(point - field->text), &type) ||
	    !text_integer(point + 1, field->size - (size_t)(point - field->text) - 1, &code) ||
	    type < 0 || type > 255 || code < 0 || code > 255)
		return false;
	*port = type * 256 + code;
	return true;
}

static enum status field_value(const struct csv_log *log, struct intake *intake, size_t place,
			       struct import_value *value, struct message *message)
{
	const struct csv_field *field = &log->fields[place];
	int64_t port;
	char *copy;

	if (field->doubled) {
		copy = intake_bytes(intake, field->size, message);
		if (!copy)
			return STATUS_FAILED;
		*value = value_of_text(copy, csv_field_copy(field, copy));
	} else if (field->size == 2 && memcmp(field->text, "::", 2) == 0 &&
		   ((int)place == log->roles.columns[COLUMN_SOURCE_HOST6] ||
		    (int)place == log->roles.columns[COLUMN_DESTINATION_HOST6])) {
		/* So exporters write that a flow is of IPv4. */
	} else if (field->size > 0 || field->quoted) {
		if (log->nfdump && (int)place == log->roles.columns[COLUMN_DESTINATION_PORT] &&
		    icmp_port(field, &port))
			*value = value_of_integer(port);
		else
			*value = log->columns[place].text || field->quoted
					 ? value_of_text(field->text, field->size)
					 : value_of_number(field->text, field->size);
	}
	return STATUS_OK;
}

/* Makes the table and its columns once the intake is there. */
static enum status table_open(struct csv_log *log, struct intake *intake, struct message *message)
{
	const struct table_use use = {.source = log->roles.source,
				      .time = log->roles.time,
				      .preferred = true,
				      .given = log->roles.given,
				      .columns = log->columns_digest};
	enum status status = intake_table(intake, log->table_name, strlen(log->table_name), &use,
					  &log->table, message);

	log->opened = true;
	for (size_t i = 0; status == STATUS_OK && i < log->count; i++)
		status = intake_column(
			intake, log->table, log->columns[i].name, strlen(log->columns[i].name),
			log->columns[i].text ? "text" : "", i, &log->columns[i].column, message);
	return status;
}

static enum status record_keep(struct csv_log *log, struct intake *intake, const char *bytes,
			       const struct csv_record *record, struct message *message)
{
	struct import_value *values;
	enum status status = STATUS_OK;

	if (record->count != log->count) {
		intake_fault(intake, FAULT_FIELDS);
		return STATUS_OK;
	}
	if (memchr(bytes, '\0', record->used)) {
		intake_fault(intake, FAULT_ZERO);
		return STATUS_OK;
	}
	values = intake_row(intake, log->count, message);
	if (!values)
		return STATUS_FAILED;
	for (size_t i = 0; status == STATUS_OK && i < log->count; i++)
		status = field_value(log, intake, i, &values[log->columns[i].column], message);
	if (status == STATUS_OK)
		intake_row_take(intake, log->table, log->count);
	return status;
}

/* The header, also once more where files were joined; nfdump's summary; an empty line. */
static bool line_is_skipped(struct csv_log *log, const char *line, size_t size)
{
	if (size >= log->header_size && memcmp(line, log->header, log->header_size) == 0 &&
	    (size == log->header_size || line[log->header_size] == '\n')) {
		log->summary = false;
		return true;
	}
	if (log->nfdump && size >= 7 && memcmp(line, "Summary", 7) == 0)
		log->summary = true;
	return log->summary || *line == '\n' || (*line == '\r' && size > 1 && line[1] == '\n');
}

static enum status csv_log_take(void *state, struct intake *intake, const char *bytes, size_t size,
				bool last, size_t *used, struct message *message)
{
	struct csv_log *log = state;
	enum status status = log->opened ? STATUS_OK : table_open(log, intake, message);

	*used = 0;
	if (intake->line == 0 && size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		*used = 3;
	while (status == STATUS_OK && *used < size) {
		const char *line = bytes + *used;
		const size_t left = size - *used;
		const char *end = memchr(line, '\n', left);
		struct csv_record record;

		if (!end && !last)
			break;
		if (line_is_skipped(log, line, left)) {
			*used += end ? (size_t)(end - line) + 1 : left;
			intake->line++;
			continue;
		}
		record = csv_record_take(line, left, log->delimiter, last, LINE_MAX_BYTES,
					 log->fields, log->count);
		if (record.end == CSV_WAITS)
			break;
		intake->line++;
		if (record.end == CSV_BROKEN)
			intake_fault(intake, FAULT_QUOTE);
		else if (record.used > LINE_MAX_BYTES + 2)
			intake_fault(intake, FAULT_LONG);
		else
			status = record_keep(log, intake, line, &record, message);
		intake->line += record.lines - 1;
		*used += record.used;
	}
	return status;
}

static void csv_log_free(void *state)
{
	struct csv_log *log = state;

	for (size_t i = 0; log->columns && i < log->count; i++)
		free(log->columns[i].name);
	free(log->columns);
	free(log->fields);
	free(log->header);
	free(log->table_name);
	column_roles_free(&log->roles);
	free(log);
}

enum status csv_log_open(const struct parser_options *options, const char *head, size_t size,
			 struct parser *parser, struct message *message)
{
	struct csv_log *log = calloc(1, sizeof(*log));
	size_t length;
	enum status status;

	if (!log)
		return message_out_of_memory(message);
	first_line(head, size, &length);
	status = csv_log_prepare(log, options, head, size, message);
	if (status != STATUS_OK) {
		csv_log_free(log);
		return status;
	}
	*parser = (struct parser){.take = csv_log_take,
				  .free = csv_log_free,
				  .state = log,
				  .header_size = (size_t)(first_line(head, size, &length) - head) +
						 length + (length < size)};
	return STATUS_OK;
}
