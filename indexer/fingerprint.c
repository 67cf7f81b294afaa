#include "fingerprint.h"

#include <string.h>

#include "database.h"
#include "little_endian.h"

/* FNV-1a, 64 bits (RFC 9923). */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *next = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ next[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Every value with its type and length, so that no two different rows run together. */
static uint64_t hash_row(sqlite3_stmt *row)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (int role = 0; role < ROLE_COUNT; role++) {
		int type = sqlite3_column_type(row, role + 1);
		uint8_t number[8] = {0};
		double real;

		hash = hash_bytes(hash, &(uint8_t){(uint8_t)type}, 1);
		if (type == SQLITE_INTEGER) {
			write_little_endian_64(number,
					       (uint64_t)sqlite3_column_int64(row, role + 1));
			hash = hash_bytes(hash, number, sizeof(number));
		} else if (type == SQLITE_FLOAT) {
			real = sqlite3_column_double(row, role + 1);
			hash = hash_bytes(hash, &real, sizeof(real));
		} else if (type != SQLITE_NULL) {
			const void *bytes =
				type == SQLITE_TEXT
					? (const void *)sqlite3_column_text(row, role + 1)
					: sqlite3_column_blob(row, role + 1);
			size_t length = (size_t)sqlite3_column_bytes(row, role + 1);

			write_little_endian_64(number, length);
			hash = hash_bytes(hash, number, sizeof(number));
			hash = hash_bytes(hash, bytes, bytes ? length : 0);
		}
	}
	return hash;
}

static enum status rows_prepare(sqlite3 *log, const char *database_name,
				const struct layout *layout, sqlite3_stmt **statement,
				struct message *message)
{
	char *columns = layout_select_list(layout);
	enum status status;

	*statement = NULL;
	if (!columns)
		return message_out_of_memory(message);
	status = database_prepare(log, statement, message,
				  "SELECT %s FROM \"%w\".\"%w\" WHERE %s >= ?1 ORDER BY %s LIMIT 1",
				  columns, database_name, layout->table, layout->rowid,
				  layout->rowid);
	sqlite3_free(columns);
	return status;
}

static void sample_add(struct fingerprint *fingerprint, int64_t rowid, uint64_t hash)
{
	uint8_t *sample = fingerprint->bytes + fingerprint->count * FINGERPRINT_BYTES;

	write_little_endian_64(sample, (uint64_t)rowid);
	write_little_endian_64(sample + 8, hash);
	fingerprint->count++;
}

enum status fingerprint_take(sqlite3 *log, const char *database_name, const struct layout *layout,
			     int64_t first, int64_t last, struct fingerprint *fingerprint,
			     struct message *message)
{
	uint64_t step = ((uint64_t)last - (uint64_t)first) / (FINGERPRINT_SAMPLES - 1);
	int64_t next = first;
	sqlite3_stmt *statement;
	enum status status = rows_prepare(log, database_name, layout, &statement, message);

	fingerprint->count = 0;
	for (int i = 0; status == STATUS_OK && i < FINGERPRINT_SAMPLES; i++) {
		int64_t wanted = i == FINGERPRINT_SAMPLES - 1
					 ? last
					 : (int64_t)((uint64_t)first + step * (uint64_t)i);
		int row;
		int64_t rowid;

		if (wanted < next)
			continue;
		sqlite3_bind_int64(statement, 1, wanted);
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		rowid = sqlite3_column_int64(statement, 0);
		if (rowid > last)
			break;
		sample_add(fingerprint, rowid, hash_row(statement));
		sqlite3_reset(statement);
		if (rowid == last)
			break;
		next = rowid + 1;
	}
	sqlite3_finalize(statement);
	return status;
}

/* True for a row that the log's triggers have noted. */
static enum status sample_is_tracked(sqlite3 *log, const char *database_name,
				     const struct layout *layout, int64_t rowid, bool *tracked,
				     struct message *message)
{
	return database_asks(
		log, tracked, message,
		"SELECT 1 FROM \"%w\".connbits_change WHERE table_name = %Q AND row = %lld",
		database_name, layout->table, (long long)rowid);
}

static enum status sample_check(sqlite3_stmt *statement, const uint8_t *sample, int64_t first,
				bool *any_left, struct message *cause, struct message *message)
{
	int64_t wanted = (int64_t)read_little_endian_64(sample);
	int row;
	enum status status;

	sqlite3_bind_int64(statement, 1, wanted);
	status = database_step(statement, &row, message);
	if (status != STATUS_OK)
		return status;
	if (row && sqlite3_column_int64(statement, 0) == wanted) {
		*any_left = true;
		if (hash_row(statement) != read_little_endian_64(sample + 8))
			message_set(cause, STATUS_FAILED,
				    "the row with id %lld is not the one that was indexed",
				    (long long)wanted);
		return STATUS_OK;
	}
	/* Deleted rows at the start are retention; a gap behind a row that is left is not. */
	if (wanted > first)
		message_set(cause, STATUS_FAILED, "the row with id %lld is gone",
			    (long long)wanted);
	return STATUS_OK;
}

/* The log's first row, to tell rows deleted at the start from others. */
static enum status first_row_read(sqlite3_stmt *statement, bool *any, int64_t *first,
				  struct message *message)
{
	int row;
	enum status status;

	sqlite3_bind_int64(statement, 1, INT64_MIN);
	status = database_step(statement, &row, message);
	*any = status == STATUS_OK && row;
	*first = *any ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	return status;
}

enum status fingerprint_check(sqlite3 *log, const char *database_name, const struct layout *layout,
			      const struct fingerprint *fingerprint, bool tracked,
			      struct message *cause, struct message *message)
{
	sqlite3_stmt *statement;
	bool any_left = false;
	bool any = false;
	int64_t first = 0;
	enum status status = rows_prepare(log, database_name, layout, &statement, message);

	cause->text[0] = '\0';
	if (status == STATUS_OK)
		status = first_row_read(statement, &any, &first, message);
	for (size_t i = 0; status == STATUS_OK && !*cause->text && i < fingerprint->count; i++) {
		const uint8_t *sample = fingerprint->bytes + i * FINGERPRINT_BYTES;
		bool excused = false;

		status = sample_check(statement, sample, any ? first : INT64_MIN, &any_left, cause,
				      message);
		sqlite3_reset(statement);
		if (status == STATUS_OK && *cause->text && tracked)
			status = sample_is_tracked(log, database_name, layout,
						   (int64_t)read_little_endian_64(sample), &excused,
						   message);
		if (excused) {
			cause->text[0] = '\0';
			any_left = true;
		}
	}
	sqlite3_finalize(statement);
	if (status != STATUS_OK || *cause->text || fingerprint->count == 0)
		return status;
	if (!any_left)
		message_set(cause, STATUS_FAILED, "none of the rows that were sampled is left");
	else if (any && first < (int64_t)read_little_endian_64(fingerprint->bytes))
		message_set(cause, STATUS_FAILED,
			    "row id %lld stands ahead of the first one that was indexed",
			    (long long)first);
	return status;
}
