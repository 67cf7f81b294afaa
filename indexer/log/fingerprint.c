#include "fingerprint.h"

#include <string.h>

#include "base/little_endian.h"
#include "database/database.h"
#include "notes_reader.h"
#include "row_connection.h"

enum {
	/* Where row ids are far apart, most looks find only that there is nothing. */
	FINGERPRINT_LOOKS = 1024,
};

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

	for (int column = 1; column <= LAYOUT_TIME; column++) {
		int type = sqlite3_column_type(row, column);
		uint8_t number[8] = {0};
		double real;

		hash = hash_bytes(hash, &(uint8_t){(uint8_t)type}, 1);
		if (type == SQLITE_INTEGER) {
			write_little_endian_64(number, (uint64_t)sqlite3_column_int64(row, column));
			hash = hash_bytes(hash, number, sizeof(number));
		} else if (type == SQLITE_FLOAT) {
			real = sqlite3_column_double(row, column);
			hash = hash_bytes(hash, &real, sizeof(real));
		} else if (type != SQLITE_NULL) {
			const void *bytes = type == SQLITE_TEXT
						    ? (const void *)sqlite3_column_text(row, column)
						    : sqlite3_column_blob(row, column);
			size_t length = (size_t)sqlite3_column_bytes(row, column);

			write_little_endian_64(number, length);
			hash = hash_bytes(hash, number, sizeof(number));
			hash = hash_bytes(hash, bytes, bytes ? length : 0);
		}
	}
	return hash;
}

/* The rows from ?1 on, one at a time. */
struct rows {
	struct row_connection *connection;
	const struct layout *layout;
	sqlite3_stmt *statement;
	sqlite3_stmt *first; /* the first row id from ?1 on; NULL where no row can fail */
};

static enum status rows_open(sqlite3 *log, const char *database_name, const struct layout *layout,
			     struct rows *rows, struct message *message)
{
	char *columns = layout_select_list(layout, true);
	enum status status;

	*rows = (struct rows){.layout = layout};
	if (!columns)
		return message_out_of_memory(message);
	status = row_connection_beside(log, database_name, layout, &rows->connection, message);
	if (status == STATUS_OK)
		status = row_connection_check(rows->connection, layout, message);
	if (status == STATUS_OK)
		status = database_prepare(
			row_connection_database(rows->connection), &rows->statement, message,
			"SELECT %s FROM \"%w\".\"%w\" WHERE %s >= ?1 ORDER BY %s LIMIT 1", columns,
			row_connection_name(rows->connection), layout->table, layout->rowid,
			layout->rowid);
	if (status == STATUS_OK && layout_has_expressions(layout))
		status = database_prepare(
			row_connection_database(rows->connection), &rows->first, message,
			"SELECT min(%s) FROM \"%w\".\"%w\" WHERE %s >= ?1", layout->rowid,
			row_connection_name(rows->connection), layout->table, layout->rowid);
	sqlite3_free(columns);
	return status;
}

/* What the row says, and where its expressions fail that they do. */
struct seen {
	bool found;
	int64_t rowid;
	uint64_t hash;
};

static enum status failed_seek(const struct rows *rows, int64_t from, struct seen *seen,
			       struct message *message)
{
	int row;
	enum status status = row_connection_check(rows->connection, rows->layout, message);

	seen->found = false;
	if (status != STATUS_OK)
		return status;
	sqlite3_bind_int64(rows->first, 1, from);
	status = row_connection_step(rows->connection, rows->first, &row, message);
	seen->found =
		status == STATUS_OK && row && sqlite3_column_type(rows->first, 0) != SQLITE_NULL;
	seen->rowid = seen->found ? sqlite3_column_int64(rows->first, 0) : 0;
	seen->hash = 0;
	sqlite3_reset(rows->first);
	return status;
}

/* Looks at the first row from `from` on. */
static enum status rows_seek(const struct rows *rows, int64_t from, struct seen *seen,
			     struct message *message)
{
	int row;
	enum status status;

	sqlite3_bind_int64(rows->statement, 1, from);
	status = row_connection_step(rows->connection, rows->statement, &row, message);
	seen->found = status == STATUS_OK && row;
	if (seen->found) {
		seen->rowid = sqlite3_column_int64(rows->statement, 0);
		seen->hash = hash_row(rows->statement);
		status = database_values(rows->statement, status, message);
	}
	sqlite3_reset(rows->statement);
	if (status != STATUS_OK && row_connection_row_failed(rows->connection))
		return failed_seek(rows, from, seen, message);
	return status;
}

static void rows_close(struct rows *rows)
{
	sqlite3_finalize(rows->statement);
	sqlite3_finalize(rows->first);
	row_connection_close(rows->connection);
}

/* Row ids between two samples that follow each other, where others may be. */
struct gap {
	int64_t first;
	int64_t last; /* less than first where there are none */
};

/* What a sampling has found so far: sample i + 1 follows behind gaps[i]. */
struct sampling {
	struct rows rows;
	struct message *message;
	size_t count;
	int64_t rowids[FINGERPRINT_SAMPLES];
	uint64_t hashes[FINGERPRINT_SAMPLES];
	struct gap gaps[FINGERPRINT_SAMPLES];
};

/* Finds the first row from `from` on. */
static enum status row_find(struct sampling *sampling, int64_t from, bool *found, int64_t *rowid,
			    uint64_t *hash)
{
	struct seen seen;
	enum status status = rows_seek(&sampling->rows, from, &seen, sampling->message);

	*found = seen.found;
	if (*found) {
		*rowid = seen.rowid;
		*hash = seen.hash;
	}
	return status;
}

static void sample_insert(struct sampling *sampling, size_t place, int64_t rowid, uint64_t hash)
{
	const size_t behind = sampling->count - place;

	memmove(sampling->rowids + place + 1, sampling->rowids + place,
		behind * sizeof(*sampling->rowids));
	memmove(sampling->hashes + place + 1, sampling->hashes + place,
		behind * sizeof(*sampling->hashes));
	memmove(sampling->gaps + place + 1, sampling->gaps + place,
		behind * sizeof(*sampling->gaps));
	sampling->rowids[place] = rowid;
	sampling->hashes[place] = hash;
	sampling->count++;
}

static bool widest_gap(const struct sampling *sampling, size_t *place)
{
	uint64_t widest = 0;

	for (size_t i = 0; i + 1 < sampling->count; i++) {
		const struct gap *gap = &sampling->gaps[i];
		const uint64_t width =
			gap->last < gap->first ? 0 : (uint64_t)gap->last - (uint64_t)gap->first + 1;

		if (width > widest) {
			widest = width;
			*place = i;
		}
	}
	return widest > 0;
}

/* Looks in the middle of a gap: what is there parts it in two, or its upper half is empty. */
static enum status gap_part(struct sampling *sampling, size_t place)
{
	const struct gap gap = sampling->gaps[place];
	const int64_t middle =
		(int64_t)((uint64_t)gap.first + ((uint64_t)gap.last - (uint64_t)gap.first) / 2);
	bool found;
	int64_t rowid;
	uint64_t hash;
	enum status status = row_find(sampling, middle, &found, &rowid, &hash);

	if (status != STATUS_OK)
		return status;
	sampling->gaps[place].last = middle - 1;
	if (found && rowid <= gap.last) {
		sample_insert(sampling, place + 1, rowid, hash);
		sampling->gaps[place + 1] = (struct gap){.first = rowid + 1, .last = gap.last};
	}
	return STATUS_OK;
}

/* The first and the last row, then the widest gap that is left, again and again. */
static enum status rows_sample(struct sampling *sampling, int64_t first, int64_t last)
{
	bool found;
	int64_t rowid;
	uint64_t hash;
	size_t place;
	enum status status = row_find(sampling, first, &found, &rowid, &hash);

	if (status != STATUS_OK || !found || rowid > last)
		return status;
	sample_insert(sampling, 0, rowid, hash);
	if (rowid == last)
		return STATUS_OK;
	sampling->gaps[0] = (struct gap){.first = rowid + 1, .last = last - 1};
	status = row_find(sampling, last, &found, &rowid, &hash);
	if (status != STATUS_OK || !found || rowid != last)
		return status;
	sample_insert(sampling, 1, rowid, hash);
	for (int looks = 0; status == STATUS_OK && looks < FINGERPRINT_LOOKS &&
			    sampling->count < FINGERPRINT_SAMPLES && widest_gap(sampling, &place);
	     looks++)
		status = gap_part(sampling, place);
	return status;
}

enum status fingerprint_take(sqlite3 *log, const char *database_name, const struct layout *layout,
			     int64_t first, int64_t last, struct fingerprint *fingerprint,
			     struct message *message)
{
	struct sampling sampling = {.message = message};
	enum status status = rows_open(log, database_name, layout, &sampling.rows, message);

	if (status == STATUS_OK)
		status = rows_sample(&sampling, first, last);
	rows_close(&sampling.rows);
	fingerprint->count = sampling.count;
	for (size_t i = 0; i < sampling.count; i++) {
		uint8_t *sample = fingerprint->bytes + i * FINGERPRINT_BYTES;

		write_little_endian_64(sample, (uint64_t)sampling.rowids[i]);
		write_little_endian_64(sample + 8, sampling.hashes[i]);
	}
	return status;
}

static enum status sample_check(const struct rows *rows, const uint8_t *sample, int64_t first,
				bool *any_left, struct message *cause, struct message *message)
{
	int64_t wanted = (int64_t)read_little_endian_64(sample);
	struct seen seen;
	enum status status = rows_seek(rows, wanted, &seen, message);

	if (status != STATUS_OK)
		return status;
	if (seen.found && seen.rowid == wanted) {
		*any_left = true;
		if (seen.hash != read_little_endian_64(sample + 8))
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
static enum status first_row_read(const struct rows *rows, bool *any, int64_t *first,
				  struct message *message)
{
	struct seen seen;
	enum status status = rows_seek(rows, INT64_MIN, &seen, message);

	*any = seen.found;
	*first = *any ? seen.rowid : 0;
	return status;
}

enum status fingerprint_check(sqlite3 *log, const char *database_name, const struct layout *layout,
			      const struct fingerprint *fingerprint, bool tracked,
			      struct message *cause, struct message *message)
{
	struct rows rows;
	bool any_left = false;
	bool any = false;
	int64_t first = 0;
	enum status status = rows_open(log, database_name, layout, &rows, message);

	cause->text[0] = '\0';
	if (status == STATUS_OK)
		status = first_row_read(&rows, &any, &first, message);
	for (size_t i = 0; status == STATUS_OK && !*cause->text && i < fingerprint->count; i++) {
		const uint8_t *sample = fingerprint->bytes + i * FINGERPRINT_BYTES;
		bool excused = false;

		status = sample_check(&rows, sample, any ? first : INT64_MIN, &any_left, cause,
				      message);
		if (status == STATUS_OK && *cause->text && tracked)
			status = notes_has_row(log, database_name, layout,
					       (int64_t)read_little_endian_64(sample), &excused,
					       message);
		if (excused) {
			cause->text[0] = '\0';
			any_left = true;
		}
	}
	rows_close(&rows);
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
