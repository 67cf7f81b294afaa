#include "intake.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct batch_bytes {
	struct batch_bytes *next;
	size_t used;
	size_t size;
	char bytes[];
};

enum { BYTES_BLOCK = 1 << 16 };

struct fault_words {
	const char *word;
	const char *text;
};

static const struct fault_words faults[FAULT_COUNT] = {
	[FAULT_FIELDS] = {"fields", "another number of fields than the header has"},
	[FAULT_QUOTE] = {"quotes", "a quote that does not end, or text behind one"},
	[FAULT_HEADER] = {"header", "a line of Zeek's header that cannot be read"},
	[FAULT_JSON] = {"json", "not one JSON object"},
	[FAULT_DEPTH] = {"depth", "JSON nested more than 32 deep"},
	[FAULT_LONG] = {"long", "longer than 1 MiB"},
	[FAULT_ZERO] = {"zero", "a byte 0 in a text"},
	[FAULT_PACKET] = {"packet", "an IP header that contradicts itself"},
	[FAULT_NO_ADDRESS] = {"no_address", "without the addresses of a connection"},
	[FAULT_COLUMNS] = {"columns", "with values beyond 500 columns"},
	[FAULT_TABLES] = {"tables", "events beyond 200 kinds"},
	[FAULT_NOT_IP] = {"not_ip", "not IP"},
	[FAULT_FRAGMENT] = {"fragment", "fragments behind the first"},
	[FAULT_CUT] = {"cut", "captured too short for their ports"},
	[FAULT_EXTENSION] = {"extension", "with IPv6 extension headers"},
};

const char *fault_word(enum fault fault)
{
	return faults[fault].word;
}

const char *fault_text(enum fault fault)
{
	return faults[fault].text;
}

bool fault_keeps_row(enum fault fault)
{
	return fault == FAULT_COLUMNS || fault == FAULT_EXTENSION;
}

void intake_fault(struct intake *intake, enum fault fault)
{
	intake->faults[fault]++;
	if (fault < FAULT_MALFORMED && intake->named_count < INTAKE_NAMED_MAX)
		intake->named[intake->named_count++] =
			(struct fault_place){.line = intake->line, .fault = fault};
}

/* Makes room for one more item of `each` bytes. */
static enum status reserve(void **items, size_t count, size_t *capacity, size_t each,
			   struct message *message)
{
	const size_t larger = *capacity ? *capacity * 2 : 16;
	void *moved;

	if (count < *capacity)
		return STATUS_OK;
	moved = realloc(*items, larger * each);
	if (!moved)
		return message_out_of_memory(message);
	*items = moved;
	*capacity = larger;
	return STATUS_OK;
}

static char *text_copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* A table's name as it can be: long ones are cut. */
static size_t name_bound(size_t size)
{
	return size < INTAKE_NAME_MAX ? size : INTAKE_NAME_MAX;
}

static enum status batch_table_add(struct row_batch *batch, size_t table, const char *name,
				   const struct table_use *use, struct message *message)
{
	struct new_table *larger =
		realloc(batch->tables, (batch->table_count + 1) * sizeof(*larger));
	struct new_table *made;

	if (!larger)
		return message_out_of_memory(message);
	batch->tables = larger;
	made = &larger[batch->table_count++];
	*made = (struct new_table){.table = table,
				   .name = text_copy(name),
				   .use = {.source = text_copy(use->source),
					   .time = text_copy(use->time),
					   .preferred = use->preferred,
					   .given = use->given,
					   .columns = text_copy(use->columns)}};
	if (!made->name || (use->source && !made->use.source) || (use->time && !made->use.time) ||
	    (use->columns && !made->use.columns))
		return message_out_of_memory(message);
	return STATUS_OK;
}

enum status intake_table(struct intake *intake, const char *name, size_t name_size,
			 const struct table_use *use, size_t *table, struct message *message)
{
	const size_t size = name_bound(name_size);
	struct intake_table *larger;
	char *copy;

	for (*table = 0; *table < intake->table_count; ++*table)
		if (strncasecmp(intake->tables[*table].name, name, size) == 0 &&
		    intake->tables[*table].name[size] == '\0')
			return STATUS_OK;
	if (*table == INTAKE_TABLES_MAX)
		return STATUS_OK;
	larger = realloc(intake->tables, (intake->table_count + 1) * sizeof(*larger));
	if (!larger)
		return message_out_of_memory(message);
	intake->tables = larger;
	copy = strndup(name, size);
	if (!copy)
		return message_out_of_memory(message);
	larger[intake->table_count++] = (struct intake_table){.name = copy};
	return batch_table_add(intake->batch, *table, copy, use, message);
}

/* FNV-1a, of ASCII letters in lower case. */
static uint32_t name_hash(const char *name, size_t size)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < size; i++) {
		const unsigned char byte = (unsigned char)name[i];

		hash ^= byte >= 'A' && byte <= 'Z' ? byte + 32U : byte;
		hash *= 16777619U;
	}
	return hash;
}

static bool column_is(const struct intake_column *column, uint32_t hash, const char *name,
		      size_t size)
{
	return column->hash == hash && strncasecmp(column->name, name, size) == 0 &&
	       column->name[size] == '\0';
}

enum status intake_column(struct intake *intake, size_t table, const char *name, size_t name_size,
			  const char *type, size_t guess, size_t *column, struct message *message)
{
	struct intake_table *owner = &intake->tables[table];
	struct row_batch *batch = intake->batch;
	const size_t size = name_size ? name_bound(name_size) : 1;
	uint32_t hash;
	void *items = owner->columns;
	enum status status;
	char *copy;

	if (name_size == 0)
		name = "_";
	hash = name_hash(name, size);
	*column = guess;
	if (guess < owner->column_count && column_is(&owner->columns[guess], hash, name, size))
		return STATUS_OK;
	for (*column = 0; *column < owner->column_count; ++*column)
		if (column_is(&owner->columns[*column], hash, name, size))
			return STATUS_OK;
	if (*column == INTAKE_COLUMNS_MAX)
		return STATUS_OK;
	status = reserve(&items, owner->column_count, &owner->column_capacity,
			 sizeof(*owner->columns), message);
	owner->columns = items;
	items = batch->columns;
	if (status == STATUS_OK)
		status = reserve(&items, batch->column_count, &batch->column_capacity,
				 sizeof(*batch->columns), message);
	batch->columns = items;
	if (status != STATUS_OK)
		return status;
	copy = strndup(name, size);
	batch->columns[batch->column_count] =
		(struct new_column){.table = table, .name = strndup(name, size), .type = type};
	if (!copy || !batch->columns[batch->column_count].name) {
		free(copy);
		free(batch->columns[batch->column_count].name);
		return message_out_of_memory(message);
	}
	batch->column_count++;
	owner->columns[owner->column_count++] = (struct intake_column){.name = copy, .hash = hash};
	return STATUS_OK;
}

struct import_value *intake_row(struct intake *intake, size_t count, struct message *message)
{
	struct row_batch *batch = intake->batch;
	struct import_value *values;
	void *items = batch->rows;

	if (reserve(&items, batch->row_count, &batch->row_capacity, sizeof(*batch->rows),
		    message) != STATUS_OK)
		return NULL;
	batch->rows = items;
	if (batch->value_capacity - batch->value_count < count) {
		const size_t capacity = (batch->value_capacity + count) * 2;
		struct import_value *larger =
			realloc(batch->values, capacity * sizeof(*batch->values));

		if (!larger) {
			message_out_of_memory(message);
			return NULL;
		}
		batch->values = larger;
		batch->value_capacity = capacity;
	}
	values = batch->values + batch->value_count;
	memset(values, 0, count * sizeof(*values));
	return values;
}

void intake_row_take(struct intake *intake, size_t table, size_t count)
{
	struct row_batch *batch = intake->batch;

	batch->rows[batch->row_count++] = (struct batch_row){
		.table = (uint32_t)table, .count = (uint32_t)count, .first = batch->value_count};
	batch->value_count += count;
}

char *intake_bytes(struct intake *intake, size_t size, struct message *message)
{
	struct batch_bytes *block = intake->batch->bytes;
	char *bytes;

	if (!block || block->size - block->used < size) {
		const size_t room = size > BYTES_BLOCK ? size : BYTES_BLOCK;

		block = malloc(sizeof(*block) + room);
		if (!block) {
			message_out_of_memory(message);
			return NULL;
		}
		*block = (struct batch_bytes){.next = intake->batch->bytes, .size = room};
		intake->batch->bytes = block;
	}
	bytes = block->bytes + block->used;
	block->used += size;
	return bytes;
}

enum status intake_header(struct intake *intake, const char *header, size_t size,
			  struct message *message)
{
	struct row_batch *batch = intake->batch;

	free(batch->header);
	batch->header = malloc(size ? size : 1);
	if (!batch->header)
		return message_out_of_memory(message);
	memcpy(batch->header, header, size);
	batch->header_size = size;
	return STATUS_OK;
}

static void bytes_free(struct row_batch *batch)
{
	while (batch->bytes) {
		struct batch_bytes *next = batch->bytes->next;

		free(batch->bytes);
		batch->bytes = next;
	}
}

void batch_clear(struct row_batch *batch)
{
	bytes_free(batch);
	free(batch->header);
	batch->header = NULL;
	for (size_t i = 0; i < batch->table_count; i++) {
		free(batch->tables[i].name);
		free((char *)batch->tables[i].use.source);
		free((char *)batch->tables[i].use.time);
		free((char *)batch->tables[i].use.columns);
	}
	for (size_t i = 0; i < batch->column_count; i++)
		free(batch->columns[i].name);
	batch->table_count = 0;
	batch->column_count = 0;
	batch->row_count = 0;
	batch->value_count = 0;
	batch->text_size = 0;
}

void batch_free(struct row_batch *batch)
{
	batch_clear(batch);
	free(batch->text);
	free(batch->values);
	free(batch->rows);
	free(batch->tables);
	free(batch->columns);
	*batch = (struct row_batch){0};
}

void intake_free(struct intake *intake)
{
	for (size_t i = 0; i < intake->table_count; i++) {
		for (size_t j = 0; j < intake->tables[i].column_count; j++)
			free(intake->tables[i].columns[j].name);
		free(intake->tables[i].columns);
		free(intake->tables[i].name);
	}
	free(intake->tables);
	*intake = (struct intake){0};
}
