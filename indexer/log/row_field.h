/* A value of a row that SQLite stands on, or hands to a function, as what packet reads. */
#ifndef CONNBITS_LOG_ROW_FIELD_H
#define CONNBITS_LOG_ROW_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "database/sqlite.h"
#include "packet/reading.h"

/*
 * False where there is no memory. The text is valid until the statement goes on.
 *
 * In a UTF-8 file sqlite3_value_blob gives the text where it lies, while
 * sqlite3_value_text first copies it to add a terminator that nobody needs.
 */
static inline bool row_value_read(sqlite3_value *value, bool text_is_utf8, struct field *field)
{
	switch (sqlite3_value_type(value)) {
	case SQLITE_NULL:
		field->kind = FIELD_NULL;
		return true;
	case SQLITE_INTEGER:
		field->kind = FIELD_INTEGER;
		field->integer = sqlite3_value_int64(value);
		return true;
	case SQLITE_TEXT:
		field->kind = FIELD_TEXT;
		field->text = text_is_utf8 ? sqlite3_value_blob(value)
					   : (const char *)sqlite3_value_text(value);
		field->length = (size_t)sqlite3_value_bytes(value);
		return field->text || field->length == 0;
	case SQLITE_BLOB:
		field->kind = FIELD_BLOB;
		field->text = sqlite3_value_blob(value);
		field->length = (size_t)sqlite3_value_bytes(value);
		return field->text || field->length == 0;
	default:
		field->kind = FIELD_REAL;
		field->real = sqlite3_value_double(value);
		return true;
	}
}

/* The same of a column of the row at hand. */
static inline bool row_field_read(sqlite3_stmt *statement, int column, bool text_is_utf8,
				  struct field *field)
{
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_NULL:
		field->kind = FIELD_NULL;
		return true;
	case SQLITE_INTEGER:
		field->kind = FIELD_INTEGER;
		field->integer = sqlite3_column_int64(statement, column);
		return true;
	case SQLITE_TEXT:
		field->kind = FIELD_TEXT;
		field->text = text_is_utf8 ? sqlite3_column_blob(statement, column)
					   : (const char *)sqlite3_column_text(statement, column);
		field->length = (size_t)sqlite3_column_bytes(statement, column);
		return field->text || field->length == 0;
	case SQLITE_BLOB:
		field->kind = FIELD_BLOB;
		field->text = sqlite3_column_blob(statement, column);
		field->length = (size_t)sqlite3_column_bytes(statement, column);
		return field->text || field->length == 0;
	default:
		field->kind = FIELD_REAL;
		field->real = sqlite3_column_double(statement, column);
		return true;
	}
}

#endif
