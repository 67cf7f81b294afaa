#include "header_reader.h"

#include <stdlib.h>

#include "base/little_endian.h"
#include "base/rowid.h"
#include "database/database.h"
#include "packet/segment_packing.h"

struct header_reader {
	sqlite3_stmt *next;
	sqlite3_stmt *bytes;
	int64_t last; /* segment; less than the first one where the source is empty */
};

enum status header_reader_open(sqlite3 *database, const char *database_name,
			       const struct index_source *source, struct header_reader **headers,
			       struct message *message)
{
	struct header_reader *opened = calloc(1, sizeof(*opened));
	enum status status;

	*headers = NULL;
	if (!opened)
		return message_out_of_memory(message);
	opened->last =
		source->first_row > source->last_row ? INT64_MIN : segment_of(source->last_row);
	status =
		database_prepare(database, &opened->next, message,
				 "SELECT min(segment) FROM \"%w\".connbits_header WHERE source = "
				 "%lld AND segment BETWEEN max(?1, %lld) AND %lld",
				 database_name, (long long)source->id,
				 (long long)segment_of(source->first_row), (long long)opened->last);
	if (status == STATUS_OK)
		status =
			database_prepare(database, &opened->bytes, message,
					 "SELECT packed FROM \"%w\".connbits_header WHERE source = "
					 "%lld AND segment = ?1",
					 database_name, (long long)source->id);
	if (status == STATUS_OK)
		*headers = opened;
	else
		header_reader_close(opened);
	return status;
}

enum status header_reader_next(struct header_reader *headers, int64_t from, int64_t *number,
			       bool *found, struct message *message)
{
	int row;
	enum status status;

	*found = false;
	if (from > headers->last)
		return STATUS_OK;
	sqlite3_bind_int64(headers->next, 1, from);
	status = database_step(headers->next, &row, message);
	if (status == STATUS_OK && row && sqlite3_column_type(headers->next, 0) != SQLITE_NULL) {
		*number = sqlite3_column_int64(headers->next, 0);
		/* A number that is stored as text, say, would be found again for ever. */
		*found = *number >= from && *number <= headers->last;
	}
	sqlite3_reset(headers->next);
	return status;
}

enum status header_reader_bytes(struct header_reader *headers, int64_t number,
				const uint8_t **bytes, size_t *size, struct message *message)
{
	int row;
	enum status status;

	*bytes = NULL;
	*size = 0;
	sqlite3_reset(headers->bytes);
	sqlite3_bind_int64(headers->bytes, 1, number);
	status = database_step(headers->bytes, &row, message);
	if (status != STATUS_OK || !row)
		return status;
	*bytes = sqlite3_column_blob(headers->bytes, 0);
	*size = (size_t)sqlite3_column_bytes(headers->bytes, 0);
	return database_values(headers->bytes, STATUS_OK, message);
}

enum status header_reader_unpack(const uint8_t *bytes, size_t size, int64_t number,
				 struct segment *segment, struct message *message)
{
	struct message cause;

	if (segment_packing_decode(bytes, size, number, segment, &cause) == STATUS_OK)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "segment %lld of the index: %.300s; build it again with connbits-index "
			   "--rebuild",
			   (long long)number, cause.text);
}

enum status header_reader_read(struct header_reader *headers, int64_t number,
			       struct segment *segment, struct message *message)
{
	const uint8_t *bytes;
	size_t size;
	enum status status = header_reader_bytes(headers, number, &bytes, &size, message);

	if (status == STATUS_OK)
		status = header_reader_unpack(bytes, size, number, segment, message);
	header_reader_rest(headers);
	return status;
}

enum status header_reader_complete(const struct index_source *source, uint64_t headers,
				   struct message *message)
{
	if (headers == source->outcomes[OUTCOME_HEADER])
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "the index is damaged: it has %llu headers where %llu are declared; "
			   "build it again with connbits-index --rebuild",
			   (unsigned long long)headers,
			   (unsigned long long)source->outcomes[OUTCOME_HEADER]);
}

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

enum status header_reader_list(sqlite3 *database, const struct index_source *source, int64_t first,
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

void header_reader_rest(struct header_reader *headers)
{
	sqlite3_reset(headers->bytes);
}

void header_reader_close(struct header_reader *headers)
{
	if (!headers)
		return;
	sqlite3_finalize(headers->next);
	sqlite3_finalize(headers->bytes);
	free(headers);
}
