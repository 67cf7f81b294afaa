#include "page_reader.h"

#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "page_file.h"
#include "page_record.h"
#include "page_table.h"
#include "page_tree.h"
#include "row_field.h"

enum { FIELDS = ROLE_COUNT + 1, TIME = ROLE_COUNT };

/* A value that SQLite gives a row whose record ends before the column. */
struct column_default {
	bool known;
	struct field field;
	char *text; /* of the field */
};

struct page_reader {
	sqlite3 *database;
	const struct layout *layout;
	const char *bars; /* why never; or NULL */
	struct page_file *file;
	struct page_tree *tree;
	struct page_record *record;
	struct page_table table;
	bool table_known;
	uint32_t cookie; /* of the schema that the table was looked up in */
	struct column_default defaults[PAGE_COLUMNS_MAX];
	int64_t first;
	int64_t last;
	struct field fields[FIELDS]; /* by roles, with the time behind them */
};

static bool no(const char **why, const char *reason)
{
	*why = reason;
	return false;
}

struct page_reader *page_reader_new(sqlite3 *database, const struct layout *layout)
{
	struct page_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->database = database;
	reader->layout = layout;
	reader->file = page_file_new(database, &reader->bars);
	reader->tree = page_tree_new(reader->file);
	reader->record = page_record_new(reader->file);
	if (!reader->file || !reader->tree || !reader->record) {
		page_reader_free(reader);
		return NULL;
	}
	return reader;
}

static void defaults_forget(struct page_reader *reader)
{
	for (size_t i = 0; i < PAGE_COLUMNS_MAX; i++) {
		free(reader->defaults[i].text);
		reader->defaults[i] = (struct column_default){.known = false};
	}
}

void page_reader_free(struct page_reader *reader)
{
	if (!reader)
		return;
	defaults_forget(reader);
	page_record_free(reader->record);
	page_tree_free(reader->tree);
	page_file_free(reader->file);
	free(reader);
}

/* Looks the table up where its schema has changed. */
static bool table_settle(struct page_reader *reader, const char **why)
{
	const struct page_geometry *geometry = page_file_geometry(reader->file);
	const char *columns[FIELDS];

	if (reader->table_known && reader->cookie == geometry->cookie)
		return true;
	reader->table_known = false;
	defaults_forget(reader);
	for (int role = 0; role < ROLE_COUNT; role++)
		columns[role] = reader->layout->columns[role];
	columns[TIME] = reader->layout->timestamp;
	if (!page_table_find(&reader->table, reader->database, reader->layout->table, columns,
			     FIELDS, why))
		return false;
	reader->table_known = true;
	reader->cookie = geometry->cookie;
	memset(reader->fields, 0, sizeof(reader->fields));
	return true;
}

bool page_reader_begin(struct page_reader *reader, int64_t first, int64_t last, const char **why)
{
	if (reader->bars)
		return no(why, reader->bars);
	reader->first = first;
	reader->last = last;
	return page_file_begin(reader->file, why) && table_settle(reader, why) &&
	       page_tree_seek(reader->tree, reader->table.root, first, why);
}

/* Keeps a value that a statement has. */
static bool default_keep(struct column_default *kept, sqlite3_stmt *row, const char **why)
{
	if (!row_field_read(row, 0, true, &kept->field))
		return no(why, "there is not enough memory to read pages");
	if (kept->field.kind == FIELD_TEXT || kept->field.kind == FIELD_BLOB) {
		kept->text = malloc(kept->field.length + 1);
		if (!kept->text)
			return no(why, "there is not enough memory to read pages");
		if (kept->field.length > 0)
			memcpy(kept->text, kept->field.text, kept->field.length);
		kept->field.text = kept->text;
	}
	kept->known = true;
	return true;
}

/* Asks SQLite what a row has for a column that its record lacks. All such rows have the same. */
static bool default_ask(struct page_reader *reader, size_t item, int64_t rowid, const char **why)
{
	struct message ignored;
	sqlite3_stmt *statement;
	int row = 0;
	bool kept = false;

	if (database_prepare(reader->database, &statement, &ignored,
			     "SELECT \"%w\" FROM main.\"%w\" WHERE %s = ?1",
			     reader->table.names[item], reader->layout->table,
			     reader->layout->rowid) == STATUS_OK) {
		sqlite3_bind_int64(statement, 1, rowid);
		kept = database_step(statement, &row, &ignored) == STATUS_OK && row &&
		       default_keep(&reader->defaults[item], statement, why);
	}
	sqlite3_finalize(statement);
	return kept || no(why, "SQLite does not tell the default of a column");
}

static bool row_read(struct page_reader *reader, const struct page_cell *cell, struct page_row *row,
		     const char **why)
{
	const struct page_table *table = &reader->table;
	size_t present;

	if (!page_record_read(reader->record, cell, &table->columns, reader->fields, &present, why))
		return false;
	for (; present < table->columns.count; present++) {
		struct column_default *value = &reader->defaults[present];

		if (!value->known && !default_ask(reader, present, cell->rowid, why))
			return false;
		reader->fields[table->columns.items[present].field] = value->field;
	}
	for (size_t i = 0; i < table->copy_count; i++)
		reader->fields[table->copies[i].to] = reader->fields[table->copies[i].from];
	for (size_t i = 0; i < table->rowid_count; i++)
		reader->fields[table->rowids[i]] =
			(struct field){.kind = FIELD_INTEGER, .integer = cell->rowid};
	*row = (struct page_row){.found = true,
				 .rowid = cell->rowid,
				 .fields = reader->fields,
				 .time = &reader->fields[TIME]};
	return true;
}

bool page_reader_next(struct page_reader *reader, struct page_row *row, const char **why)
{
	struct page_cell cell;

	row->found = false;
	for (;;) {
		bool found;

		if (!page_tree_next(reader->tree, &cell, &found, why))
			return false;
		/* SQLite, too, looks at the row behind the last one. */
		if (!found || cell.rowid > reader->last)
			return true;
		if (cell.rowid >= reader->first)
			return row_read(reader, &cell, row, why);
	}
}

bool page_reader_end(struct page_reader *reader, const char **why)
{
	return page_file_end(reader->file, why);
}
