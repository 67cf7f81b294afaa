#include "index_fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log/column_expression.h"
#include "log/fingerprint.h"
#include "log/notes_reader.h"

/* An index beside its log. */
struct fit_pair {
	sqlite3 *connection;
	const char *where; /* the attached database that has the log's table */
	const struct layout *layout;
	const struct log *log; /* the log to go on with; NULL: questions are to be answered */
	const struct index_source *indexed;
	bool noted; /* triggers have noted which rows are others now */
	struct index_fit *fit;
	struct message *message;
};

__attribute__((format(printf, 2, 3))) static enum status unfit(const struct fit_pair *pair,
							       const char *format, ...)
{
	va_list arguments;

	pair->fit->rebuild = true;
	va_start(arguments, format);
	vsnprintf(pair->fit->rebuild_why, sizeof(pair->fit->rebuild_why), format, arguments);
	va_end(arguments);
	return STATUS_OK;
}

static bool same_column(const char *a, const char *b)
{
	if (column_expression_is(a) || column_expression_is(b))
		return a && b && strcmp(a, b) == 0;
	return a == b || (a && b && sqlite3_stricmp(a, b) == 0);
}

static bool same_columns(const struct layout *a, const struct layout *b)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		if (!same_column(a->columns[role], b->columns[role]))
			return false;
	if (!same_column(a->timestamp, b->timestamp))
		return false;
	return reading_same(&a->reading, &b->reading);
}

/* Where nothing is read again, no noted row may be among those indexed. */
static enum status none_noted(const struct fit_pair *pair)
{
	bool found;
	int64_t row;
	enum status status = notes_find(pair->connection, pair->where, pair->layout,
					pair->indexed->last_row, &found, &row, pair->message);

	if (status == STATUS_OK && found)
		return unfit(pair, "the row with id %lld was changed or deleted", (long long)row);
	return status;
}

static enum status notes_fit(struct fit_pair *pair)
{
	struct notes_watch watch;
	bool installed;
	enum status status = notes_installed(pair->connection, pair->where, pair->layout,
					     &installed, pair->message);

	if (status == STATUS_OK && !installed)
		return unfit(pair, pair->log ? "the triggers that noted changes of the log are "
					       "gone or not as they were"
					     : "the triggers that noted its changes are gone");
	if (status == STATUS_OK)
		status = notes_watch_read(pair->connection, pair->where, pair->layout, &watch,
					  pair->message);
	if (status != STATUS_OK)
		return status;
	if (!index_source_marked(pair->indexed, watch.mark))
		return unfit(pair, pair->log
					   ? "what triggers noted of the log was for another "
					     "index, or the log was put back from a copy"
					   : "what triggers noted of it was for another index, or "
					     "it was put back from a copy");
	if (!pair->log)
		return none_noted(pair);
	pair->noted = true;
	return watch.ahead ? unfit(pair, "a row was inserted ahead of all others") : STATUS_OK;
}

static enum status bounds_fit(const struct fit_pair *pair)
{
	const struct index_source *indexed = pair->indexed;
	const struct log *log = pair->log;

	if (log->first < indexed->first_row)
		return unfit(pair,
			     "row id %lld stands ahead of the first one that was indexed, %lld",
			     (long long)log->first, (long long)indexed->first_row);
	if (log->last < indexed->last_row && !pair->noted)
		return unfit(pair,
			     "the log ends at row id %lld and was indexed up to %lld: it was cut "
			     "off, replaced or renumbered",
			     (long long)log->last, (long long)indexed->last_row);
	if (log->first > indexed->last_row)
		return unfit(pair, "none of the rows that were indexed is left");
	return STATUS_OK;
}

/* Whether the log's file is, byte for byte, the one that the index was made to fit. */
static bool same_file(const struct fit_pair *pair)
{
	struct file_stamp stamp;

	if (!pair->indexed->log_stamp.size)
		return false;
	file_stamp_take(pair->connection, pair->where, &stamp);
	return file_stamp_same(&stamp, &pair->indexed->log_stamp);
}

static enum status samples_fit(const struct fit_pair *pair)
{
	struct message cause;
	enum status status;

	if (same_file(pair))
		return STATUS_OK;
	status = fingerprint_check(pair->connection, pair->where, pair->layout,
				   &pair->indexed->fingerprint, pair->noted, &cause, pair->message);

	if (status == STATUS_OK && *cause.text)
		return unfit(pair, "%s", cause.text);
	return status;
}

static enum status pair_fits(struct fit_pair *pair)
{
	const struct index_source *indexed = pair->indexed;
	enum status status = STATUS_OK;

	*pair->fit = (struct index_fit){0};
	if (!same_columns(pair->layout, &indexed->layout))
		return unfit(pair, "other columns are indexed than before");
	if (pair->log && indexed->first_row > indexed->last_row)
		return STATUS_OK;
	if (pair->log && pair->log->empty)
		return unfit(pair, "the log is empty now");
	if (indexed->tracked)
		status = notes_fit(pair);
	if (status == STATUS_OK && !pair->fit->rebuild && pair->log)
		status = bounds_fit(pair);
	if (status == STATUS_OK && !pair->fit->rebuild)
		status = samples_fit(pair);
	return status;
}

enum status index_fit_go_on(sqlite3 *connection, const struct log *log,
			    const struct index_source *indexed, struct index_fit *fit,
			    struct message *message)
{
	struct fit_pair pair = {
		.connection = connection,
		.where = "main",
		.layout = &log->layout,
		.log = log,
		.indexed = indexed,
		.fit = fit,
		.message = message,
	};

	return pair_fits(&pair);
}

enum status index_fit_answer(sqlite3 *connection, const char *where, struct index_source *indexed,
			     struct index_fit *fit, struct message *message)
{
	struct fit_pair pair = {
		.connection = connection,
		.where = where,
		.layout = &indexed->layout,
		.indexed = indexed,
		.fit = fit,
		.message = message,
	};
	enum status status = layout_check(connection, where, &indexed->layout, message);

	return status == STATUS_OK ? pair_fits(&pair) : status;
}
