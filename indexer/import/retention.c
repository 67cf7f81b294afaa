#include "retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "database/database.h"
#include "database/table.h"
#include "log/row_field.h"
#include "packet/instant.h"

enum { ROWS_AT_A_TIME = 50000 };

static const int64_t year_1980 = INT64_C(315532800000000); /* microseconds */

bool retention_span(const char *text, int64_t *seconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	const size_t size = strlen(text);
	char digits[16];
	uint64_t number;

	if (size < 2 || size > sizeof(digits))
		return false;
	memcpy(digits, text, size - 1);
	digits[size - 1] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].letter == text[size - 1] &&
		    command_number(digits, 1, 1000000, &number)) {
			*seconds = (int64_t)number * units[i].seconds;
			return true;
		}
	return false;
}

/* One table while its old rows are looked for. */
struct old_rows {
	sqlite3 *log;
	const char *table;
	const char *key; /* by which SQL asks for its ids */
	int64_t before;	 /* microseconds */
	bool text_is_utf8;
	sqlite3_stmt *rows;   /* ids and times behind ?1 */
	sqlite3_stmt *remove; /* of id ?1 */
	int64_t *ids;
	size_t count;
	int64_t last; /* the last id that was looked at */
	bool end;
};

static enum status old_rows_open(struct old_rows *old, const char *column, struct message *message)
{
	enum status status = database_prepare(
		old->log, &old->rows, message,
		"SELECT \"%w\", \"%w\" FROM main.\"%w\" WHERE \"%w\" > ?1 ORDER BY 1", old->key,
		column, old->table, old->key);

	if (status == STATUS_OK)
		status = database_prepare(old->log, &old->remove, message,
					  "DELETE FROM main.\"%w\" WHERE \"%w\" = ?1", old->table,
					  old->key);
	old->ids = malloc(ROWS_AT_A_TIME * sizeof(*old->ids));
	return status == STATUS_OK && !old->ids ? message_out_of_memory(message) : status;
}

/* Gathers the next ids. */
static enum status old_rows_find(struct old_rows *old, struct retained_rows *retained,
				 struct message *message)
{
	enum status status = STATUS_OK;
	int row;

	old->count = 0;
	sqlite3_bind_int64(old->rows, 1, old->last);
	while (status == STATUS_OK && old->count < ROWS_AT_A_TIME) {
		struct field field;
		int64_t time;

		status = database_step(old->rows, &row, message);
		old->end = status == STATUS_OK && !row;
		if (status != STATUS_OK || !row)
			break;
		old->last = sqlite3_column_int64(old->rows, 0);
		if (!row_field_read(old->rows, 1, old->text_is_utf8, &field))
			status = message_out_of_memory(message);
		else if (!instant_read(&field, &time) || time < year_1980)
			retained->undated++;
		else if (time < old->before)
			old->ids[old->count++] = old->last;
	}
	sqlite3_reset(old->rows);
	return status;
}

static enum status old_rows_remove(const struct old_rows *old, struct message *message)
{
	enum status status;

	if (old->count == 0)
		return STATUS_OK;
	status = database_begin(old->log, message);
	for (size_t i = 0; status == STATUS_OK && i < old->count; i++) {
		sqlite3_bind_int64(old->remove, 1, old->ids[i]);
		status = database_run(old->remove, message);
	}
	return database_end(old->log, status, message);
}

static enum status table_clear(struct old_rows *old, const char *column,
			       struct retained_rows *retained, struct message *message)
{
	enum status status = old_rows_open(old, column, message);

	old->last = INT64_MIN;
	while (status == STATUS_OK && !old->end) {
		status = old_rows_find(old, retained, message);
		if (status == STATUS_OK)
			status = old_rows_remove(old, message);
		if (status == STATUS_OK)
			retained->removed += old->count;
	}
	sqlite3_finalize(old->rows);
	sqlite3_finalize(old->remove);
	free(old->ids);
	return status;
}

/* The table and its time as the ledger has them; a table that is gone is left out. */
static enum status entry_clear(sqlite3 *log, const char *table, const char *column, bool utf8,
			       int64_t before, struct retained_rows *retained,
			       struct message *message)
{
	struct old_rows old = {.log = log, .table = table, .before = before, .text_is_utf8 = utf8};
	enum table_kind kind;
	char *key = NULL;
	bool has = false;
	enum status status = table_find(log, "main", table, &kind, NULL, message);

	if (status == STATUS_OK && kind == TABLE_ORDINARY)
		status = table_has_column(log, "main", table, column, &has, message);
	if (status == STATUS_OK && has)
		status = table_rowid_column(log, "main", table, &key, message);
	old.key = key;
	if (status == STATUS_OK && key)
		status = table_clear(&old, column, retained, message);
	free(key);
	return status;
}

enum status retention_run(sqlite3 *log, int64_t microseconds, struct retained_rows *retained,
			  struct message *message)
{
	char encoding[16];
	sqlite3_stmt *tables;
	int row;
	enum status status = database_encoding(log, encoding, sizeof(encoding), message);

	if (status == STATUS_OK)
		status = database_prepare(
			log, &tables, message,
			"SELECT name, time FROM connbits_import_table WHERE time IS NOT NULL AND "
			"name NOT LIKE 'connbits\\_%%' ESCAPE '\\'");
	if (status != STATUS_OK)
		return status;
	while (status == STATUS_OK) {
		const char *table;
		const char *column;

		status = database_step(tables, &row, message);
		if (status != STATUS_OK || !row)
			break;
		table = (const char *)sqlite3_column_text(tables, 0);
		column = (const char *)sqlite3_column_text(tables, 1);
		status = table && column
				 ? entry_clear(log, table, column, strcmp(encoding, "UTF-8") == 0,
					       microseconds, retained, message)
				 : message_out_of_memory(message);
	}
	sqlite3_finalize(tables);
	return status;
}
