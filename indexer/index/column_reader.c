#include "column_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowid.h"
#include "database/database.h"

/* A column of the segment that is read. */
struct stored_place {
	bool there;
	int64_t rowid;
	sqlite3 *database;
	sqlite3_blob *blob;
	bool is_open; /* the blob is this segment's */
};

struct column_reader {
	sqlite3 *database;
	char *database_name;
	sqlite3_stmt *list; /* segment, column and row id, from segment ?1 on */
	bool ahead;	    /* it stands on a row, the first one behind `number` */
	bool any;	    /* `places` are of: */
	int64_t number;
	int64_t last; /* segment; less than the first one where the source is empty */
	struct stored_place places[STORED_COLUMNS];
	struct column_supply supply;
	struct segment_columns *columns;
};

static enum status blob_read(void *context, size_t at, size_t size, uint8_t *out,
			     struct message *message)
{
	struct stored_place *place = context;

	if (sqlite3_blob_read(place->blob, out, (int)size, (int)at) == SQLITE_OK)
		return STATUS_OK;
	return database_failed(place->database, message);
}

/* One handle a column goes from segment to segment: to open another one costs more. */
static enum status blob_open(void *context, enum stored_column column, column_read *read,
			     void **read_context, size_t *size, struct message *message)
{
	struct column_reader *reader = context;
	struct stored_place *place = &reader->places[column];
	int code = SQLITE_OK;

	*read = blob_read;
	*read_context = place;
	*size = 0;
	if (!place->there)
		return STATUS_OK;
	if (!place->is_open)
		code = place->blob ? sqlite3_blob_reopen(place->blob, place->rowid)
				   : sqlite3_blob_open(reader->database, reader->database_name,
						       "connbits_column", "bytes", place->rowid, 0,
						       &place->blob);
	if (code != SQLITE_OK)
		return database_failed(reader->database, message);
	place->is_open = true;
	*size = (size_t)sqlite3_blob_bytes(place->blob);
	return STATUS_OK;
}

enum status column_reader_open(sqlite3 *database, const char *database_name,
			       const struct index_source *source, struct column_reader **reader,
			       struct message *message)
{
	struct column_reader *opened = calloc(1, sizeof(*opened));
	enum status status = opened ? STATUS_OK : message_out_of_memory(message);

	*reader = opened;
	if (!opened)
		return status;
	opened->database = database;
	opened->supply = (struct column_supply){.open = blob_open, .context = opened};
	opened->last =
		source->first_row > source->last_row ? INT64_MIN : segment_of(source->last_row);
	column_reader_rest(opened);
	opened->database_name = strdup(database_name);
	opened->columns = segment_columns_new();
	if (!opened->database_name || !opened->columns)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = database_prepare(
			database, &opened->list, message,
			"SELECT segment, column, rowid FROM \"%w\".connbits_column WHERE source = "
			"%lld AND segment BETWEEN max(?1, %lld) AND %lld ORDER BY segment, column",
			database_name, (long long)source->id,
			(long long)segment_of(source->first_row), (long long)opened->last);
	if (status != STATUS_OK) {
		column_reader_close(opened);
		*reader = NULL;
	}
	return status;
}

static enum status list_step(struct column_reader *reader, struct message *message)
{
	int row;
	enum status status = database_step(reader->list, &row, message);

	reader->ahead = status == STATUS_OK && row;
	return status;
}

/* Notes where the columns are of the segment on which the list stands, and goes behind them. */
static enum status places_note(struct column_reader *reader, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < STORED_COLUMNS; i++)
		reader->places[i].there = reader->places[i].is_open = false;
	reader->number = sqlite3_column_int64(reader->list, 0);
	reader->any = true;
	while (status == STATUS_OK && reader->ahead &&
	       sqlite3_column_int64(reader->list, 0) == reader->number) {
		const int64_t column = sqlite3_column_int64(reader->list, 1);

		if (column >= 0 && column < STORED_COLUMNS) {
			reader->places[column].there = true;
			reader->places[column].rowid = sqlite3_column_int64(reader->list, 2);
		}
		status = list_step(reader, message);
	}
	return status;
}

enum status column_reader_next(struct column_reader *reader, int64_t from, int64_t *number,
			       bool *found, struct message *message)
{
	enum status status = STATUS_OK;

	*found = false;
	if (from > reader->last)
		return STATUS_OK;
	/* Whoever goes on from segment to segment goes on in the list. */
	if (!reader->ahead || !reader->any || from != reader->number + 1) {
		sqlite3_reset(reader->list);
		sqlite3_bind_int64(reader->list, 1, from);
		status = list_step(reader, message);
	}
	reader->any = false;
	if (status != STATUS_OK || !reader->ahead)
		return status;
	status = places_note(reader, message);
	*number = reader->number;
	/* A number that is stored as text, say, would be found again for ever. */
	*found = status == STATUS_OK && *number >= from && *number <= reader->last;
	return status;
}

enum status column_reader_begin(struct column_reader *reader, int64_t number,
				struct segment_columns **columns, struct message *message)
{
	int64_t next;
	bool found;
	enum status status = STATUS_OK;

	*columns = reader->columns;
	segment_columns_begin(reader->columns, &reader->supply);
	if (reader->any && reader->number == number)
		return STATUS_OK;
	status = column_reader_next(reader, number, &next, &found, message);
	if (found && next == number)
		return status;
	for (size_t i = 0; i < STORED_COLUMNS; i++)
		reader->places[i].there = false;
	/* The one that was met is to be found again. */
	reader->any = false;
	return status;
}

bool column_reader_has(const struct column_reader *reader)
{
	bool there = false;

	for (size_t i = 0; i < STORED_COLUMNS; i++)
		there |= reader->places[i].there;
	return there;
}

enum status column_reader_copy(struct column_reader *reader, int64_t number,
			       struct packed_columns *packed, struct message *message)
{
	struct segment_columns *columns;
	size_t size = 0;
	size_t used = 0;
	enum status status = column_reader_begin(reader, number, &columns, message);
	column_read read;
	void *context;

	*packed = (struct packed_columns){0};
	for (int i = 0; status == STATUS_OK && i < STORED_COLUMNS; i++) {
		status = blob_open(reader, (enum stored_column)i, &read, &context,
				   &packed->sizes[i], message);
		size += packed->sizes[i];
	}
	if (status == STATUS_OK && !(packed->bytes = malloc(size + 1)))
		status = message_out_of_memory(message);
	for (int i = 0; status == STATUS_OK && i < STORED_COLUMNS; i++) {
		if (packed->sizes[i])
			status = blob_read(&reader->places[i], 0, packed->sizes[i],
					   packed->bytes + used, message);
		used += packed->sizes[i];
	}
	if (status != STATUS_OK)
		free(packed->bytes);
	return status;
}

enum status column_reader_damaged(int64_t number, const struct message *cause,
				  struct message *message)
{
	if (message_is_passing(cause)) {
		*message = *cause;
		return STATUS_FAILED;
	}
	return message_wrap(message, STATUS_FAILED, cause->code,
			    "segment %lld of the index: %.300s; build it again with connbits-index "
			    "--rebuild",
			    (long long)number, cause->text);
}

enum status column_reader_headers(struct column_reader *reader, int64_t number, bool with_times,
				  struct segment *segment, struct message *message)
{
	struct segment_columns *columns;
	struct message cause = {.code = 0};
	enum status status = column_reader_begin(reader, number, &columns, &cause);

	segment_reset(segment, number);
	if (status == STATUS_OK && column_reader_has(reader))
		status = segment_columns_headers(columns, kernels_best(), number, segment, &cause);
	if (status == STATUS_OK && column_reader_has(reader) && with_times)
		status = segment_columns_times(columns, segment, &cause);
	column_reader_rest(reader);
	return status == STATUS_OK ? STATUS_OK : column_reader_damaged(number, &cause, message);
}

enum status column_reader_complete(const struct index_source *source, uint64_t headers,
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

void column_reader_rest(struct column_reader *reader)
{
	sqlite3_reset(reader->list);
	reader->ahead = false;
	reader->any = false;
	for (size_t i = 0; i < STORED_COLUMNS; i++) {
		sqlite3_blob_close(reader->places[i].blob);
		reader->places[i] = (struct stored_place){.database = reader->database};
	}
}

void column_reader_close(struct column_reader *reader)
{
	if (!reader)
		return;
	column_reader_rest(reader);
	sqlite3_finalize(reader->list);
	segment_columns_free(reader->columns);
	free(reader->database_name);
	free(reader);
}
