#include "filter_list.h"

#include "base/command.h"
#include "database/database.h"

static enum status log_is_ahead(sqlite3 *database, struct answer_index *index, bool *ahead,
				struct message *message)
{
	struct layout *layout = &index->source.layout;
	sqlite3_stmt *statement;
	int row;
	enum status status = layout_check(database, "main", layout, message);

	if (status != STATUS_OK)
		return status;
	status = database_prepare(database, &statement, message,
				  "SELECT EXISTS (SELECT 1 FROM main.\"%w\" WHERE %s > %lld)",
				  layout->table, layout->rowid,
				  index->source.first_row > index->source.last_row
					  ? (long long)INT64_MIN
					  : (long long)index->source.last_row);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*ahead = status == STATUS_OK && row && sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

enum status filter_list_write(sqlite3 *database, struct answer_index *index, FILE *stream,
			      enum row_format format, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	struct row_output *output = NULL;
	bool ahead;
	int row = 1;
	enum status status = log_is_ahead(database, index, &ahead, message);

	if (status == STATUS_OK)
		status = index_filters_list(database, index->database_name, index->source.id,
					    ahead ? "behind" : "current", &statement, message);
	if (status == STATUS_OK && index->several && format == ROW_TABLE) {
		fputs("table ", stream);
		command_write_safely(stream, index->source.layout.table);
		fputs(" (", stream);
		command_write_safely(stream, index->source.layout.schema);
		fputs(")\n", stream);
	}
	if (status == STATUS_OK && !(output = row_output_open(stream, format, statement)))
		status = message_out_of_memory(message);
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
