/*
 * Rows of a statement as text: an aligned table, CSV (RFC 4180) or JSON
 * (RFC 8259). What a log holds may be hostile: control characters never reach
 * a terminal through the table.
 */
#ifndef CONNBITS_SHOW_ROW_OUTPUT_H
#define CONNBITS_SHOW_ROW_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/message.h"
#include "database/sqlite.h"

enum row_format { ROW_TABLE, ROW_CSV, ROW_JSON };

/* True and *format for "table", "csv" or "json". */
bool row_format_find(const char *name, enum row_format *format);

struct row_output;

/* Begins output of the statement's columns. NULL without memory. */
struct row_output *row_output_open(FILE *stream, enum row_format format, sqlite3_stmt *statement);

/* The last column of a table is cut, so that its lines have no more characters than that. */
void row_output_cut(struct row_output *output, size_t width);

/* Writes the row on which the statement stands. */
enum status row_output_write(struct row_output *output, sqlite3_stmt *statement,
			     struct message *message);

/* Writes what is left, checks that all of it was written, and frees output. */
enum status row_output_close(struct row_output *output, struct message *message);

/* Frees output without writing more, after a failure. */
void row_output_abandon(struct row_output *output);

#endif
