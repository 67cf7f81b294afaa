#include "filter_list.h"

#include "base/command.h"
#include "database/database.h"
#include "rows_behind.h"

enum status filter_list_write(sqlite3 *database, struct answer_index *index, FILE *stream,
			      enum row_format format, size_t width, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	struct row_output *output = NULL;
	const bool brief = width > 0 && format == ROW_TABLE;
	uint64_t behind;
	int row = 1;
	enum status status = rows_behind_count(database, index, 1, &behind, message);

	if (status == STATUS_OK)
		status = index_filters_list(database, index->database_name, index->source.id,
					    behind || index->log_first != INT64_MIN ? "behind"
										    : "current",
					    brief, &statement, message);
	if (status == STATUS_OK && index->several && format == ROW_TABLE) {
		fputs("table ", stream);
		command_write_safely(stream, index->source.layout.table);
		fputs(" (", stream);
		command_write_safely(stream, index->source.layout.schema);
		fputs(")\n", stream);
	}
	if (status == STATUS_OK && !(output = row_output_open(stream, format, statement)))
		status = message_out_of_memory(message);
	if (status == STATUS_OK && brief)
		row_output_cut(output, width);
	while (status == STATUS_OK && row) {
		status = database_step(statement, &row, message);
		if (status == STATUS_OK && row)
			status = row_output_write(output, statement, message);
	}
	if (status == STATUS_OK)
		status = row_output_close(output, message);
	else
		row_output_abandon(output);
	sqlite3_finalize(statement);
	return status;
}
