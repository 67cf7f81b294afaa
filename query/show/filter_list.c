#include "filter_list.h"

#include "base/command.h"
#include "database/database.h"
#include "index/set_reader.h"
#include "rows_behind.h"

/* Writes all rows of a statement, cut to a width unless that is 0. */
static enum status statement_write(sqlite3_stmt *statement, FILE *stream, enum row_format format,
				   size_t width, struct message *message)
{
	struct row_output *output = row_output_open(stream, format, statement);
	int row = 1;
	enum status status = output ? STATUS_OK : message_out_of_memory(message);

	if (output && width)
		row_output_cut(output, width);
	while (status == STATUS_OK && row) {
		status = database_step(statement, &row, message);
		if (status == STATUS_OK && row)
			status = row_output_write(output, statement, message);
	}
	if (status == STATUS_OK)
		return row_output_close(output, message);
	row_output_abandon(output);
	return status;
}

/* The address sets are a table of their own behind that of the filters. */
static enum status sets_write(sqlite3 *database, const struct answer_index *index, FILE *stream,
			      size_t width, struct message *message)
{
	struct index_sets sets;
	sqlite3_stmt *statement = NULL;
	enum status status =
		index_sets_read(database, index->database_name, index->source.id, &sets, message);

	if (status == STATUS_OK && sets.count) {
		putc('\n', stream);
		status = index_sets_list(database, index->database_name, index->source.id,
					 &statement, message);
		if (status == STATUS_OK)
			status = statement_write(statement, stream, ROW_TABLE, width, message);
	}
	sqlite3_finalize(statement);
	index_sets_free(&sets);
	return status;
}

enum status filter_list_write(sqlite3 *database, struct answer_index *index, FILE *stream,
			      enum row_format format, size_t width, struct message *message)
{
	const bool brief = width > 0 && format == ROW_TABLE;
	sqlite3_stmt *statement = NULL;
	uint64_t behind;
	enum status status = rows_behind_count(database, index, 1, &behind, message);

	if (status == STATUS_OK)
		status = index_filters_list(database, index->database_name, index->source.id,
					    behind || index->log_first != INT64_MIN ? "behind"
										    : "current",
					    brief, format != ROW_TABLE, &statement, message);
	if (status == STATUS_OK && index->several && format == ROW_TABLE) {
		fputs("table ", stream);
		command_write_safely(stream, index->source.layout.table);
		fputs(" (", stream);
		command_write_safely(stream, index->source.layout.schema);
		fputs(")\n", stream);
	}
	if (status == STATUS_OK)
		status = statement_write(statement, stream, format, brief ? width : 0, message);
	sqlite3_finalize(statement);
	if (status == STATUS_OK && format == ROW_TABLE)
		status = sets_write(database, index, stream, brief ? width : 0, message);
	return status;
}
