#include "page_compare.h"

#include <string.h>

/* SQLite's row is the one that was read by page. */
static bool row_same(sqlite3_stmt *row, const struct page_row *read)
{
	if (sqlite3_column_int64(row, 0) != read->rowid)
		return false;
	for (int i = 0; i <= ROLE_COUNT; i++) {
		const struct field *field = i < ROLE_COUNT ? &read->fields[i] : read->time;
		static const int types[] = {[FIELD_NULL] = SQLITE_NULL,
					    [FIELD_INTEGER] = SQLITE_INTEGER,
					    [FIELD_REAL] = SQLITE_FLOAT,
					    [FIELD_TEXT] = SQLITE_TEXT,
					    [FIELD_BLOB] = SQLITE_BLOB};
		const double real = sqlite3_column_double(row, i + 1);

		if (sqlite3_column_type(row, i + 1) != types[field->kind])
			return false;
		if (field->kind == FIELD_INTEGER &&
		    field->integer != sqlite3_column_int64(row, i + 1))
			return false;
		if (field->kind == FIELD_REAL && memcmp(&field->real, &real, sizeof(real)) != 0)
			return false;
		if (field->kind >= FIELD_TEXT) {
			const void *bytes = sqlite3_column_blob(row, i + 1);
			const size_t length = (size_t)sqlite3_column_bytes(row, i + 1);

			if (field->length != length ||
			    (length > 0 && memcmp(field->text, bytes, length) != 0))
				return false;
		}
	}
	return true;
}

/* Reads a span by page, and holds it against SQLite within the same transaction. */
struct page_span page_span_compare(sqlite3 *database, const struct layout *layout,
				   struct page_reader *reader, int64_t first, int64_t last)
{
	struct page_span pair = {0};
	char *columns = layout_select_list(layout, true);
	char *sql = sqlite3_mprintf(
		"SELECT %s FROM main.t WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid", columns);
	sqlite3_stmt *rows = NULL;
	struct page_row row;
	int code = sqlite3_prepare_v2(database, sql, -1, &rows, NULL);

	sqlite3_free(columns);
	sqlite3_free(sql);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(rows, 1, first);
		sqlite3_bind_int64(rows, 2, last);
		code = sqlite3_step(rows);
	}
	if (code == SQLITE_ROW) {
		pair.by_page = page_reader_begin(reader, first, last, &pair.why);
		while (pair.by_page) {
			pair.by_page = page_reader_next(reader, &row, &pair.why);
			if (!pair.by_page || !row.found)
				break;
			pair.differs = pair.differs || code != SQLITE_ROW || !row_same(rows, &row);
			pair.rows++;
			if (code == SQLITE_ROW)
				code = sqlite3_step(rows);
		}
		/* SQLite, too, has no more rows. */
		pair.differs = pair.differs || (pair.by_page && code == SQLITE_ROW);
		while (code == SQLITE_ROW)
			code = sqlite3_step(rows);
		pair.by_page = pair.by_page && page_reader_end(reader, &pair.why);
	}
	pair.failed = code != SQLITE_DONE;
	sqlite3_finalize(rows);
	return pair;
}
