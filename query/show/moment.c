#include "moment.h"

#include <string.h>

#include "base/clock.h"
#include "database/database.h"
#include "packet/header.h"

enum { ROWS_BETWEEN = 64 };

static const double seconds_held = 0.05;

/* A pragma of one value, as text or as a number. */
static enum status pragma_read(sqlite3 *database, const char *name, const char *pragma,
			       bool *is_wal, int64_t *number, struct message *message)
{
	sqlite3_stmt *statement;
	const char *text = NULL;
	int row = 0;
	enum status status =
		database_prepare(database, &statement, message, "PRAGMA \"%w\".%s", name, pragma);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		text = (const char *)sqlite3_column_text(statement, 0);
	*is_wal = text && strcmp(text, "wal") == 0;
	*number = status == STATUS_OK && row ? sqlite3_column_int64(statement, 0) : 0;
	if (status == STATUS_OK)
		status = database_values(statement, status, message);
	sqlite3_finalize(statement);
	return status;
}

static enum status yields_find(struct moment *moment, struct message *message)
{
	const char *names[] = {moment->index->database_name, "main"};
	const unsigned holds[] = {ANSWER_HOLD_INDEX, ANSWER_HOLD_LOG};
	enum status status = STATUS_OK;

	for (int i = 0; status == STATUS_OK && i < 2; i++) {
		bool is_wal;
		int64_t ignored;

		status = pragma_read(moment->database, names[i], "journal_mode", &is_wal, &ignored,
				     message);
		if (!is_wal)
			moment->yields |= holds[i];
	}
	return status;
}

static enum status version_read(struct moment *moment, int64_t *version, struct message *message)
{
	bool ignored;

	return pragma_read(moment->database, "main", "data_version", &ignored, version, message);
}

enum status moment_begin(sqlite3 *database, struct answer_index *index, const char *log_path,
			 struct moment *moment, struct message *message)
{
	enum status status;

	*moment = (struct moment){.database = database,
				  .index = index,
				  .log_path = log_path,
				  .since = clock_seconds()};
	status = yields_find(moment, message);
	if (status == STATUS_OK)
		status = version_read(moment, &moment->log_version, message);
	return status;
}

void moment_rest(struct moment *moment, unsigned which)
{
	answer_index_let(moment->index, moment->yields & which);
}

enum status moment_resume(struct moment *moment, unsigned which, struct message *message)
{
	bool same = true;
	int64_t version = 0;
	enum status status = answer_index_hold(moment->database, moment->index,
					       moment->yields & which, &same, message);

	if (status == STATUS_OK && !same)
		return message_set(message, STATUS_FAILED,
				   "the index was brought up to date while the answer was read; "
				   "run again");
	if (status == STATUS_OK)
		status = version_read(moment, &version, message);
	moment->changed |= version != moment->log_version;
	moment->log_version = version;
	moment->since = clock_seconds();
	return status;
}

static bool is_time(const struct moment *moment)
{
	return clock_seconds() - moment->since >= seconds_held;
}

bool moment_pause_due(const struct moment *moment)
{
	return (moment->yields & ANSWER_HOLD_INDEX) && is_time(moment);
}

enum status moment_pause(struct moment *moment, struct message *message)
{
	moment_rest(moment, ANSWER_HOLD_INDEX);
	return moment_resume(moment, ANSWER_HOLD_INDEX, message);
}

static bool pause_is_due(void *context)
{
	return moment_pause_due(context);
}

static enum status pause_search(void *context, struct message *message)
{
	return moment_pause(context, message);
}

struct search_pause moment_search_pause(struct moment *moment)
{
	return (struct search_pause){.due = pause_is_due, .run = pause_search, .context = moment};
}

enum status moment_go_on(struct moment *moment, struct message *message)
{
	if (!moment->yields || ++moment->rows % ROWS_BETWEEN != 0 || !is_time(moment))
		return STATUS_OK;
	moment_rest(moment, moment->yields);
	return moment_resume(moment, moment->yields, message);
}

static enum status readers_open(struct moment *moment, struct message *message)
{
	enum status status;

	if (!moment->index->source.packed)
		return message_set(message, STATUS_FAILED,
				   "the log was changed while the answer was read, and the index "
				   "has no headers to tell which rows are others now; run again");
	status = log_open(moment->log_path, &moment->index->source.layout, &moment->log, message);
	if (status == STATUS_OK)
		status = log_reader_open(&moment->log, &moment->reader, message);
	if (status == STATUS_OK)
		status = stored_headers_open(
			moment->database, moment->index->database_name, &moment->index->source,
			moment->log.layout.timestamp != NULL, &moment->headers, message);
	return status;
}

/* Holds a row of the log against its stored header and time. What is gone does not differ. */
static enum status row_compare(struct moment *moment, int64_t rowid, bool *differs,
			       struct message *message)
{
	uint8_t built[HEADER_IPV6_SIZE];
	struct connection connection;
	enum outcome outcome;
	const uint8_t *stored;
	size_t captured;
	int64_t found_row;
	int64_t time;
	bool found;
	enum status status =
		stored_headers_find(moment->headers, rowid, &stored, &captured, message);

	*differs = false;
	if (status == STATUS_OK)
		status = log_reader_row(moment->reader, rowid, &found, &found_row, &outcome,
					&connection, message);
	if (status != STATUS_OK || !found || found_row != rowid)
		return status;
	if (outcome != OUTCOME_HEADER)
		*differs = stored || !outcome_is_skipped(outcome);
	else
		*differs = !stored || header_build(&connection, built) != captured ||
			   memcmp(built, stored, captured) != 0;
	if (*differs || !stored)
		return STATUS_OK;
	status = log_reader_time(moment->reader, rowid, &time, message);
	*differs = stored_headers_time(moment->headers) != time;
	return status;
}

enum status moment_row(struct moment *moment, int64_t rowid, struct message *message)
{
	bool differs = false;
	enum status status = moment_go_on(moment, message);

	if (status != STATUS_OK || !moment->changed)
		return status;
	if (!moment->headers)
		status = readers_open(moment, message);
	if (status == STATUS_OK)
		status = row_compare(moment, rowid, &differs, message);
	if (status == STATUS_OK && differs)
		return message_set(message, STATUS_FAILED,
				   "row %lld of the log was changed while the answer was read; "
				   "bring the index up to date with connbits-index, and run again",
				   (long long)rowid);
	return status;
}

void moment_end(struct moment *moment)
{
	log_reader_close(moment->reader);
	stored_headers_close(moment->headers);
	log_free(&moment->log);
}
