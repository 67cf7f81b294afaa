#include "json_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/json_members.h"
#include "zeek_log.h"

/* What Suricata's events have in common (docs.suricata.io, EVE JSON Format). */
static const char *const eve_columns[][2] = {
	{"timestamp", "text"}, {"flow_id", ""},	    {"event_type", "text"}, {"src_ip", "text"},
	{"src_port", ""},      {"dest_ip", "text"}, {"dest_port", ""},	    {"proto", "text"},
	{"icmp_type", ""},     {"icmp_code", ""},
};

static const char eve_source[] = "source_host = src_ip\n"
				 "source_port = src_port\n"
				 "destination_host = dest_ip\n"
				 "destination_port = dest_port\n"
				 "transport = proto\n"
				 "icmp_type = icmp_type\n"
				 "icmp_code = icmp_code\n"
				 "timestamp = timestamp\n"
				 "names = any\n";

/* Without these, connbits-index would not know the table for Zeek's. */
static const char *const zeek_columns[][2] = {
	{"ts", ""},	   {"id.orig_h", "text"}, {"id.orig_p", ""}, {"id.resp_h", "text"},
	{"id.resp_p", ""},
};

static const char zeek_default[] = "zeek";

enum json_kind { KIND_NONE, KIND_ZEEK, KIND_EVE };

struct json_log {
	const struct parser_options *options;
	struct json_members members;
	struct import_value *values; /* of one row, by column */
	size_t capacity;
};

static bool has(const struct json_members *members, const char *name)
{
	return json_member_find(members, name) < members->count;
}

static enum json_kind kind_of(const struct json_members *members)
{
	if (has(members, "id.orig_h") && has(members, "id.resp_h"))
		return KIND_ZEEK;
	if (has(members, "src_ip") && has(members, "dest_ip"))
		return KIND_EVE;
	return KIND_NONE;
}

/* Bytes ahead of a line that say nothing: blanks, and a byte order mark. */
static size_t blanks_ahead(const char *line, size_t size)
{
	size_t blank = size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (blank < size && (line[blank] == ' ' || line[blank] == '\t' || line[blank] == '\r' ||
				line[blank] == '\n'))
		blank++;
	return blank;
}

bool json_log_is(const char *head, size_t size, bool *known)
{
	struct json_members members = {0};
	struct message message;
	bool object = false;
	size_t at = blanks_ahead(head, size);

	*known = false;
	head += at;
	size -= at;
	at = 0;
	/* Statistics and other events without addresses may come first. */
	while (at < size && !*known) {
		const char *end = memchr(head + at, '\n', size - at);
		const size_t length = end ? (size_t)(end - head) - at : size - at;
		enum json_end parsed;

		if (length > 0 && head[at] != '{')
			break;
		if (json_members_read(&members, head + at, length, &parsed, &message) ==
			    STATUS_OK &&
		    parsed == JSON_OBJECT) {
			object = true;
			*known = kind_of(&members) != KIND_NONE || has(&members, "event_type");
		}
		at += length + 1;
	}
	/* One line that is longer than the head, or whose end is still to be written. */
	if (!object && size > 0 && *head == '{' && !memchr(head, '\n', size))
		object = *known = true;
	json_members_free(&members);
	return object;
}

/* Takes the letters, digits and _ of a text; others become _. Returns the size. */
static size_t name_clean(const char *text, size_t size, char *out, size_t most)
{
	size_t used = 0;

	for (; used < size && used < most; used++) {
		const char byte = text[used];
		const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
				   (byte >= '0' && byte <= '9');

		out[used] = byte;
		if (!plain)
			out[used] = '_';
	}
	return used;
}

/* The text of a member; of size 0 where it is none. */
static struct import_value member_text(const struct json_members *members, const char *name)
{
	const size_t place = json_member_find(members, name);
	const struct import_value none = {.kind = VALUE_TEXT, .text = ""};
	struct import_value value;

	if (place == members->count)
		return none;
	value = json_member_value(members, place);
	return value.kind == VALUE_TEXT ? value : none;
}

static size_t zeek_name(const struct json_log *log, char name[static INTAKE_NAME_MAX])
{
	const struct import_value path = member_text(&log->members, "_path");
	const char *file = log->options->file_name;
	size_t size;

	if (path.size > 0)
		return name_clean(path.text, path.size, name, INTAKE_NAME_MAX);
	if (has(&log->members, "conn_state"))
		file = "conn";
	size = file ? strcspn(file, ".-") : 0;
	/* http_20240102.log is one of http. */
	for (size_t i = 1; i < size; i++)
		if (file[i - 1] == '_' && file[i] >= '0' && file[i] <= '9')
			size = i - 1;
	return size ? name_clean(file, size, name, INTAKE_NAME_MAX)
		    : name_clean(zeek_default, strlen(zeek_default), name, INTAKE_NAME_MAX);
}

static size_t eve_name(const struct json_log *log, char name[static INTAKE_NAME_MAX])
{
	static const char prefix[] = "suricata_";
	const size_t size = sizeof(prefix) - 1;
	const struct import_value type = member_text(&log->members, "event_type");

	if (type.size == 0)
		return name_clean("events", strlen("events"), name, INTAKE_NAME_MAX);
	memcpy(name, prefix, size);
	return size + name_clean(type.text, type.size, name + size, INTAKE_NAME_MAX - size);
}

/* Columns that a table has whatever its first rows say. */
static enum status columns_begin(struct intake *intake, size_t table,
				 const char *const columns[][2], size_t count,
				 struct message *message)
{
	enum status status = STATUS_OK;
	size_t column;

	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = intake_column(intake, table, columns[i][0], strlen(columns[i][0]),
				       columns[i][1], i, &column, message);
	return status;
}

/* The table that the line belongs to. */
static enum status table_find(const struct json_log *log, struct intake *intake,
			      enum json_kind kind, size_t *table, struct message *message)
{
	static const char flow[] = "suricata_flow";
	const struct table_use eve_use = {.source = eve_source, .time = "timestamp"};
	struct table_use use = kind == KIND_ZEEK ? zeek_use : eve_use;
	const size_t before = intake->table_count;
	char name[INTAKE_NAME_MAX];
	size_t size = kind == KIND_ZEEK ? zeek_name(log, name) : eve_name(log, name);
	enum status status;

	use.preferred = size == sizeof(flow) - 1 && memcmp(name, flow, size) == 0;
	if (log->options->table) {
		size = strlen(log->options->table);
		size = size < INTAKE_NAME_MAX ? size : INTAKE_NAME_MAX;
		memcpy(name, log->options->table, size);
	}
	status = intake_table(intake, name, size, &use, table, message);
	if (status != STATUS_OK || intake->table_count == before)
		return status;
	return kind == KIND_ZEEK
		       ? columns_begin(intake, *table, zeek_columns,
				       sizeof(zeek_columns) / sizeof(*zeek_columns), message)
		       : columns_begin(intake, *table, eve_columns,
				       sizeof(eve_columns) / sizeof(*eve_columns), message);
}

static enum status value_place(struct json_log *log, size_t column, size_t *count,
			       struct message *message)
{
	if (column >= log->capacity) {
		struct import_value *larger =
			realloc(log->values, INTAKE_COLUMNS_MAX * sizeof(*log->values));

		if (!larger)
			return message_out_of_memory(message);
		log->values = larger;
		log->capacity = INTAKE_COLUMNS_MAX;
	}
	while (*count <= column)
		log->values[(*count)++] = (struct import_value){.kind = VALUE_NULL};
	return STATUS_OK;
}

/* Texts that were unescaped move to the batch, with which they live. */
static enum status text_keep(struct intake *intake, const struct json_member *member,
			     struct import_value *value, struct message *message)
{
	char *bytes;

	if (!member->own_text)
		return STATUS_OK;
	bytes = intake_bytes(intake, value->size ? value->size : 1, message);
	if (!bytes)
		return STATUS_FAILED;
	memcpy(bytes, value->text, value->size);
	value->text = bytes;
	return STATUS_OK;
}

static enum status row_make(struct json_log *log, struct intake *intake, size_t table,
			    struct message *message)
{
	const struct json_members *members = &log->members;
	struct import_value *values;
	size_t count = 0;
	size_t column = 0;
	bool beyond = false;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < members->count; i++) {
		const struct json_member *member = &members->items[i];
		struct import_value value = json_member_value(members, i);

		status = intake_column(intake, table, members->names + member->name,
				       member->name_size, "", column + (i > 0), &column, message);
		if (status == STATUS_OK && column == INTAKE_COLUMNS_MAX) {
			beyond = true;
			continue;
		}
		if (status == STATUS_OK)
			status = value_place(log, column, &count, message);
		if (status == STATUS_OK)
			status = text_keep(intake, member, &value, message);
		if (status == STATUS_OK)
			log->values[column] = value;
	}
	if (beyond)
		intake_fault(intake, FAULT_COLUMNS);
	values = status == STATUS_OK ? intake_row(intake, count, message) : NULL;
	if (!values)
		return STATUS_FAILED;
	memcpy(values, log->values, count * sizeof(*values));
	intake_row_take(intake, table, count);
	return STATUS_OK;
}

static enum status line_take(void *state, struct intake *intake, const char *line, size_t size,
			     struct message *message)
{
	static const enum fault faults[] = {
		[JSON_BROKEN] = FAULT_JSON, [JSON_DEEP] = FAULT_DEPTH, [JSON_ZERO] = FAULT_ZERO};
	struct json_log *log = state;
	const size_t blank = blanks_ahead(line, size);
	enum json_kind kind;
	enum json_end end;
	size_t table;
	enum status status;

	if (blank == size)
		return STATUS_OK;
	status = json_members_read(&log->members, line + blank, size - blank, &end, message);

	if (status != STATUS_OK)
		return status;
	if (end != JSON_OBJECT) {
		intake_fault(intake, faults[end]);
		return STATUS_OK;
	}
	kind = kind_of(&log->members);
	if (kind == KIND_NONE) {
		intake_fault(intake, FAULT_NO_ADDRESS);
		return STATUS_OK;
	}
	status = table_find(log, intake, kind, &table, message);
	if (status == STATUS_OK && table == INTAKE_TABLES_MAX) {
		intake_fault(intake, FAULT_TABLES);
		return STATUS_OK;
	}
	return status == STATUS_OK ? row_make(log, intake, table, message) : status;
}

static enum status json_log_take(void *state, struct intake *intake, const char *bytes, size_t size,
				 bool last, size_t *used, struct message *message)
{
	return parser_lines(state, intake, bytes, size, last, used, line_take, message);
}

static void json_log_free(void *state)
{
	struct json_log *log = state;

	json_members_free(&log->members);
	free(log->values);
	free(log);
}

enum status json_log_open(const struct parser_options *options, struct parser *parser,
			  struct message *message)
{
	struct json_log *log = calloc(1, sizeof(*log));

	if (!log)
		return message_out_of_memory(message);
	log->options = options;
	*parser = (struct parser){.take = json_log_take, .free = json_log_free, .state = log};
	return STATUS_OK;
}
