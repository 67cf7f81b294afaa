#include "row_calls.h"

#include <stdlib.h>

#include "base/rowid.h"
#include "database/database.h"
#include "packet/instant.h"
#include "row_field.h"

/* The function's name in SQL. */
#define TAKE "connbits_take"

struct row_calls {
	const struct log *log;
	sqlite3 *database;
	sqlite3_stmt *rows; /* from ?1 to ?2 */
	struct connection_memo *memo;
	struct segment *segment; /* at hand */
	bool any;
	bool in_order;
	int64_t last; /* row id that came */
};

/* One row: its id, its columns by role, its time. */
static void row_take(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct row_calls *calls = sqlite3_user_data(context);
	const int64_t rowid = sqlite3_value_int64(values[0]);
	const uint16_t low = segment_place(rowid);
	struct field fields[ROLE_COUNT + 1];
	struct connection connection;
	enum outcome outcome;

	(void)count;
	calls->in_order = calls->in_order && (!calls->any || rowid > calls->last);
	if (!calls->in_order)
		return;
	calls->any = true;
	calls->last = rowid;
	for (int column = 0; column <= ROLE_COUNT; column++)
		if (!row_value_read(values[column + 1], calls->log->text_is_utf8,
				    &fields[column])) {
			sqlite3_result_error_nomem(context);
			return;
		}
	outcome =
		connection_read_next(calls->memo, fields, &calls->log->layout.reading, &connection);
	if (calls->segment->timed &&
	    !instant_read(&fields[LAYOUT_TIME - 1], &calls->segment->times[low]))
		calls->segment->times[low] = INSTANT_NONE;
	segment_append(calls->segment, low, outcome, &connection);
}

static void rows_end(sqlite3_context *context)
{
	sqlite3_result_null(context);
}

enum status row_calls_open(const struct log *log, sqlite3 *database, struct row_calls **calls,
			   struct message *message)
{
	const struct layout *layout = &log->layout;
	struct row_calls *opened = calloc(1, sizeof(*opened));
	char *columns = layout_select_list(layout, true);
	enum status status = STATUS_OK;

	*calls = NULL;
	if (!opened || !columns || !(opened->memo = connection_memo_new()))
		status = message_out_of_memory(message);
	if (status == STATUS_OK) {
		opened->log = log;
		opened->database = database;
		if (sqlite3_create_function_v2(database, TAKE, -1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
					       opened, NULL, row_take, rows_end, NULL) != SQLITE_OK)
			status = database_failed(database, message);
	}
	/* No index has the rows in their order. */
	if (status == STATUS_OK)
		status = database_prepare(database, &opened->rows, message,
					  "SELECT " TAKE "(%s) FROM main.\"%w\" NOT INDEXED "
					  "WHERE %s BETWEEN ?1 AND ?2",
					  columns, layout->table, layout->rowid);
	sqlite3_free(columns);
	if (status == STATUS_OK) {
		*calls = opened;
		return status;
	}
	row_calls_close(opened);
	return status;
}

enum status row_calls_segment(struct row_calls *calls, int64_t number, struct segment *segment,
			      bool *read, struct message *message)
{
	int64_t last = segment_last_row(number);
	int row = 0;
	enum status status;

	if (last > calls->log->last)
		last = calls->log->last;
	calls->segment = segment;
	calls->any = false;
	calls->in_order = true;
	sqlite3_bind_int64(calls->rows, 1, segment_first_row(number));
	sqlite3_bind_int64(calls->rows, 2, last);
	status = database_step(calls->rows, &row, message);
	sqlite3_reset(calls->rows);
	*read = calls->in_order;
	return status;
}

void row_calls_close(struct row_calls *calls)
{
	if (!calls)
		return;
	sqlite3_finalize(calls->rows);
	connection_memo_free(calls->memo);
	free(calls);
}
