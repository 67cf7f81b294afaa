#include "set_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "packet/address_list_bytes.h"

static void text_copy(sqlite3_stmt *statement, int column, char *place, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	snprintf(place, size, "%s", text ? text : "");
}

static enum status set_append(struct index_sets *sets, sqlite3_stmt *statement,
			      struct message *message)
{
	const char *name = (const char *)sqlite3_column_text(statement, 0);
	struct index_set *items = realloc(sets->items, (sets->count + 1) * sizeof(*items));
	struct index_set *set;

	if (!items)
		return message_out_of_memory(message);
	sets->items = items;
	set = &items[sets->count];
	*set = (struct index_set){.name = strdup(name ? name : ""),
				  .entries = (uint64_t)sqlite3_column_int64(statement, 2)};
	if (!set->name)
		return message_out_of_memory(message);
	sets->count++;
	text_copy(statement, 1, set->digest, sizeof(set->digest));
	text_copy(statement, 3, set->read_at, sizeof(set->read_at));
	return database_values(statement, STATUS_OK, message);
}

enum status index_sets_read(sqlite3 *database, const char *database_name, int64_t source,
			    struct index_sets *sets, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(database, &statement, message,
					      "SELECT name, digest, entries, read_at FROM "
					      "\"%w\".connbits_set WHERE source = %lld ORDER BY "
					      "name",
					      database_name, (long long)source);

	*sets = (struct index_sets){0};
	while (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = set_append(sets, statement, message);
	}
	sqlite3_finalize(statement);
	if (status != STATUS_OK)
		index_sets_free(sets);
	return status;
}

bool index_set_exists(sqlite3 *database, const char *database_name, int64_t source,
		      const char *name)
{
	struct message ignored;
	bool exists = false;

	return database_asks(database, &exists, &ignored,
			     "SELECT 1 FROM \"%w\".connbits_set WHERE source = %lld AND name = %Q",
			     database_name, (long long)source, name) == STATUS_OK &&
	       exists;
}

void index_sets_free(struct index_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		free(sets->items[i].name);
	free(sets->items);
	*sets = (struct index_sets){0};
}

enum status index_set_judge(const char *name, enum status status, struct message *message)
{
	const struct message cause = *message;

	if (status == STATUS_OK || message_is_passing(&cause))
		return status;
	return message_wrap(message, status, cause.code, "the address set '%.100s': %.500s", name,
			    cause.text);
}

/* Told of the bytes of a set, which are valid until it returns. */
typedef enum status (*bytes_visitor)(const uint8_t *bytes, size_t size, void *made,
				     struct message *message);

static enum status bytes_visit(sqlite3 *database, const char *database_name, int64_t source,
			       const char *name, bytes_visitor visit, void *made, bool *found,
			       struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(database, &statement, message,
					      "SELECT bytes FROM \"%w\".connbits_set WHERE source "
					      "= %lld AND name = %Q",
					      database_name, (long long)source, name);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*found = status == STATUS_OK && row;
	if (*found) {
		const void *bytes = sqlite3_column_blob(statement, 0);
		const size_t size = (size_t)sqlite3_column_bytes(statement, 0);

		status = database_values(statement, STATUS_OK, message);
		if (status == STATUS_OK)
			status = index_set_judge(
				name, visit(bytes, bytes ? size : 0, made, message), message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status list_visit(const uint8_t *bytes, size_t size, void *made,
			      struct message *message)
{
	return address_list_decode(bytes, size, made, message);
}

/* Reads a blob piece by piece into memory of its own: as a value SQLite would copy it once more. */
static enum status blob_read(sqlite3 *database, const char *database_name, int64_t rowid,
			     uint8_t **bytes, size_t *size, struct message *message)
{
	sqlite3_blob *blob = NULL;
	enum status status = STATUS_OK;

	if (sqlite3_blob_open(database, database_name, "connbits_set", "bytes", rowid, 0, &blob) !=
	    SQLITE_OK)
		return database_failed(database, message);
	*size = (size_t)sqlite3_blob_bytes(blob);
	*bytes = malloc(*size + 1);
	if (!*bytes)
		status = message_out_of_memory(message);
	else if (sqlite3_blob_read(blob, *bytes, (int)*size, 0) != SQLITE_OK)
		status = database_failed(database, message);
	sqlite3_blob_close(blob);
	return status;
}

enum status index_set_bytes(sqlite3 *database, const char *database_name, int64_t source,
			    const char *name, uint8_t **bytes, size_t *size, bool *found,
			    struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(database, &statement, message,
					      "SELECT rowid FROM \"%w\".connbits_set WHERE source "
					      "= %lld AND name = %Q",
					      database_name, (long long)source, name);

	*bytes = NULL;
	*size = 0;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*found = status == STATUS_OK && row;
	if (*found)
		status = blob_read(database, database_name, sqlite3_column_int64(statement, 0),
				   bytes, size, message);
	sqlite3_finalize(statement);
	return status;
}

static enum status set_visit(const uint8_t *bytes, size_t size, void *made, struct message *message)
{
	return address_set_read(bytes, size, made, message);
}

enum status index_set_load(sqlite3 *database, const char *database_name, int64_t source,
			   const char *name, struct address_list *list, bool *found,
			   struct message *message)
{
	*list = (struct address_list){0};
	return bytes_visit(database, database_name, source, name, list_visit, list, found, message);
}

enum status index_set_make(sqlite3 *database, const char *database_name, int64_t source,
			   const char *name, struct address_set **set, bool *found,
			   struct message *message)
{
	*set = NULL;
	return bytes_visit(database, database_name, source, name, set_visit, set, found, message);
}
