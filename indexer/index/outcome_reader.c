#include "outcome_reader.h"

#include <stdlib.h>

#include "base/little_endian.h"
#include "database/database.h"

enum status outcome_row_subtract(sqlite3_stmt *row, int column, uint64_t *totals,
				 struct message *message)
{
	const uint8_t *outcomes = sqlite3_column_blob(row, column);

	if (database_values(row, STATUS_OK, message) != STATUS_OK)
		return STATUS_FAILED;
	if (!outcomes || sqlite3_column_bytes(row, column) != INDEX_OUTCOMES_SIZE)
		return message_set(message, STATUS_FAILED,
				   "the index is damaged (the outcomes of a segment); build it "
				   "again with connbits-index --rebuild");
	for (size_t outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		const uint32_t rows = read_little_endian_32(outcomes + outcome * 4);

		if (rows > totals[outcome])
			return message_set(message, STATUS_FAILED,
					   "the index is damaged (a segment has more rows than all "
					   "of it); build it again with connbits-index --rebuild");
		totals[outcome] -= rows;
	}
	return STATUS_OK;
}

enum status outcome_reader_list(sqlite3 *database, const struct index_source *source, int64_t first,
				int64_t last, int64_t *numbers, size_t *count,
				struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT segment FROM connbits_header WHERE source = %lld AND segment BETWEEN %lld "
		"AND %lld",
		(long long)source->id, (long long)first, (long long)last);

	*count = 0;
	while (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		if (*count > (uint64_t)last - (uint64_t)first)
			status = message_set(message, STATUS_FAILED,
					     "the index is damaged (numbers of segments); build it "
					     "again with connbits-index --rebuild");
		else
			numbers[(*count)++] = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return status;
}

struct outcome_reader {
	sqlite3_stmt *statement; /* of segment ?1 */
};

enum status outcome_reader_open(sqlite3 *database, int64_t source, struct outcome_reader **reader,
				struct message *message)
{
	struct outcome_reader *opened = calloc(1, sizeof(*opened));
	enum status status;

	*reader = NULL;
	if (!opened)
		return message_out_of_memory(message);
	status = database_prepare(
		database, &opened->statement, message,
		"SELECT outcomes FROM connbits_header WHERE source = %lld AND segment = ?1",
		(long long)source);
	if (status == STATUS_OK)
		*reader = opened;
	else
		outcome_reader_close(opened);
	return status;
}

enum status outcome_reader_subtract(struct outcome_reader *reader, int64_t segment,
				    uint64_t *totals, struct message *message)
{
	int row;
	enum status status;

	sqlite3_bind_int64(reader->statement, 1, segment);
	status = database_step(reader->statement, &row, message);
	if (status == STATUS_OK && row)
		status = outcome_row_subtract(reader->statement, 0, totals, message);
	sqlite3_reset(reader->statement);
	return status;
}

void outcome_reader_close(struct outcome_reader *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->statement);
	free(reader);
}
