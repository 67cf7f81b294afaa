#include "column_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"
#include "database/payload_file.h"

/* A segment, and the row ids of its columns. */
struct listed_segment {
	int64_t number;
	bool there[STORED_COLUMNS];
	int64_t rowids[STORED_COLUMNS];
};

struct column_list {
	struct listed_segment *items;
	size_t count;
	size_t capacity;
};

struct column_file {
	struct column_list *list; /* of the first one */
	bool is_first;
	struct payload_file *payloads;
	struct found_column {
		struct column_file *file;
		struct payload payload;
	} columns_found[STORED_COLUMNS];
	const struct listed_segment *segment;
	struct column_supply supply;
	struct segment_columns *columns;
};

static enum status list_add(struct column_list *list, int64_t number, struct message *message)
{
	struct listed_segment *larger;
	const size_t capacity = list->capacity * 2 + 256;

	if (list->count == list->capacity) {
		larger = realloc(list->items, capacity * sizeof(*larger));
		if (!larger)
			return message_out_of_memory(message);
		list->items = larger;
		list->capacity = capacity;
	}
	list->items[list->count++] = (struct listed_segment){.number = number};
	return STATUS_OK;
}

/* Notes the column on which the statement stands. */
static enum status row_note(struct column_list *list, sqlite3_stmt *row, struct message *message)
{
	const int64_t number = sqlite3_column_int64(row, 0);
	const int64_t column = sqlite3_column_int64(row, 1);
	enum status status = STATUS_OK;

	/* A number that is stored as text, say, is none of a segment. */
	if (list->count && number < list->items[list->count - 1].number)
		return message_set(message, STATUS_FAILED,
				   "the index is damaged (numbers of segments); build it again "
				   "with connbits-index --rebuild");
	if (list->count == 0 || number > list->items[list->count - 1].number)
		status = list_add(list, number, message);
	if (status == STATUS_OK && column >= 0 && column < STORED_COLUMNS) {
		list->items[list->count - 1].there[column] = true;
		list->items[list->count - 1].rowids[column] = sqlite3_column_int64(row, 2);
	}
	return status;
}

static enum status list_read(sqlite3 *database, const char *database_name,
			     const struct index_source *source, struct column_list *list,
			     struct message *message)
{
	sqlite3_stmt *statement;
	int row = source->first_row <= source->last_row;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT segment, column, rowid FROM \"%w\".connbits_column WHERE source = %lld AND "
		"segment BETWEEN %lld AND %lld ORDER BY segment, column",
		database_name, (long long)source->id, (long long)segment_of(source->first_row),
		(long long)segment_of(source->last_row));

	while (status == STATUS_OK && row) {
		status = database_step(statement, &row, message);
		if (status == STATUS_OK && row)
			status = row_note(list, statement, message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status payload_bytes(void *context, size_t at, size_t size, uint8_t *out,
				 struct message *message)
{
	const struct found_column *found = context;

	if (payload_read(found->file->payloads, &found->payload, at, size, out))
		return STATUS_OK;
	return column_bytes_damaged(message, "its pages are not as they should be");
}

static enum status payload_open(void *context, enum stored_column column, column_read *read,
				void **read_context, size_t *size, struct message *message)
{
	struct column_file *file = context;
	struct found_column *found = &file->columns_found[column];

	*read = payload_bytes;
	*read_context = found;
	*size = 0;
	if (!file->segment->there[column])
		return STATUS_OK;
	if (!payload_find(file->payloads, file->segment->rowids[column], &found->payload))
		return column_bytes_damaged(message, "its page is not as it should be");
	*size = found->payload.size;
	return STATUS_OK;
}

static struct column_file *file_new(struct column_list *list, struct payload_file *payloads)
{
	struct column_file *file = calloc(1, sizeof(*file));

	if (!file || !payloads) {
		free(file);
		return NULL;
	}
	file->list = list;
	file->payloads = payloads;
	file->supply = (struct column_supply){.open = payload_open, .context = file};
	for (size_t i = 0; i < STORED_COLUMNS; i++)
		file->columns_found[i].file = file;
	file->columns = segment_columns_new();
	if (file->columns)
		return file;
	free(file);
	return NULL;
}

/* Whether the file says of a column what SQLite says: of the first one and of the last one. */
static bool file_agrees(struct column_file *file, sqlite3 *database, const char *database_name)
{
	const size_t places[] = {0, file->list->count - 1};
	bool agrees = true;

	for (size_t i = 0; agrees && i < 2; i++) {
		const struct listed_segment *segment = &file->list->items[places[i]];
		struct payload payload;
		sqlite3_blob *blob = NULL;
		uint8_t *both = NULL;

		if (!segment->there[STORED_SHAPE])
			continue;
		agrees = payload_find(file->payloads, segment->rowids[STORED_SHAPE], &payload) &&
			 sqlite3_blob_open(database, database_name, "connbits_column", "bytes",
					   segment->rowids[STORED_SHAPE], 0, &blob) == SQLITE_OK &&
			 (size_t)sqlite3_blob_bytes(blob) == payload.size &&
			 payload.size <= COLUMN_BYTES_MAX &&
			 (both = malloc((size_t)2 * payload.size + 1)) != NULL &&
			 payload_read(file->payloads, &payload, 0, payload.size, both) &&
			 sqlite3_blob_read(blob, both + payload.size, (int)payload.size, 0) ==
				 SQLITE_OK &&
			 memcmp(both, both + payload.size, payload.size) == 0;
		sqlite3_blob_close(blob);
		free(both);
	}
	return agrees;
}

enum status column_file_open(sqlite3 *database, const char *database_name,
			     const struct index_source *source, struct column_file **file,
			     struct message *message)
{
	struct payload_file *payloads =
		payload_file_open(database, database_name, "connbits_column");
	struct column_list *list = NULL;
	enum status status = STATUS_OK;

	*file = NULL;
	if (!payloads)
		return STATUS_OK;
	list = calloc(1, sizeof(*list));
	if (!list)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = list_read(database, database_name, source, list, message);
	if (status == STATUS_OK && !(*file = file_new(list, payloads)))
		status = message_out_of_memory(message);
	if (status != STATUS_OK) {
		payload_file_close(payloads);
		free(list ? list->items : NULL);
		free(list);
		return status;
	}
	(*file)->is_first = true;
	if (list->count && !file_agrees(*file, database, database_name)) {
		column_file_close(*file);
		*file = NULL;
	}
	return STATUS_OK;
}

struct column_file *column_file_again(const struct column_file *first)
{
	struct payload_file *payloads = payload_file_again(first->payloads);
	struct column_file *file = file_new(first->list, payloads);

	if (!file)
		payload_file_close(payloads);
	return file;
}

bool column_file_moved(const struct column_file *file)
{
	return payload_file_moved(file->payloads);
}

size_t column_file_segments(const struct column_file *file)
{
	return file->list->count;
}

struct segment_columns *column_file_begin(struct column_file *file, size_t place, int64_t *number)
{
	file->segment = &file->list->items[place];
	*number = file->segment->number;
	segment_columns_begin(file->columns, &file->supply);
	return file->columns;
}

void column_file_close(struct column_file *file)
{
	if (!file)
		return;
	payload_file_close(file->payloads);
	if (file->is_first) {
		free(file->list->items);
		free(file->list);
	}
	segment_columns_free(file->columns);
	free(file);
}
