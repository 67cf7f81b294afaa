#include "rows_behind.h"

#include "database/database.h"

enum status rows_behind_count(sqlite3 *database, const struct answer_index *index, uint32_t limit,
			      uint64_t *rows, struct message *message)
{
	const struct index_source *source = &index->source;
	const bool none_indexed = source->first_row > source->last_row;
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT count(*) FROM (SELECT 1 FROM main.\"%w\" WHERE %s > %lld LIMIT %lld)",
		source->layout.table, source->layout.rowid,
		none_indexed ? (long long)INT64_MIN : (long long)source->last_row,
		(long long)limit);

	*rows = 0;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK)
		*rows = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}
