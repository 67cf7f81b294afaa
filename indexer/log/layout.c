#include "layout.h"

#include <stdlib.h>
#include <string.h>

#include "column_expression.h"
#include "database/table.h"

const char *layout_role_name(enum role role)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_TYPE] = "type",
		[ROLE_TRANSPORT] = "transport",
		[ROLE_SOURCE_HOST] = "source_host",
		[ROLE_DESTINATION_HOST] = "destination_host",
		[ROLE_SOURCE_PORT] = "source_port",
		[ROLE_DESTINATION_PORT] = "destination_port",
		[ROLE_ICMP_TYPE] = "icmp_type",
		[ROLE_ICMP_CODE] = "icmp_code",
		[ROLE_PROTOCOL] = "ip_protocol",
		[ROLE_SOURCE_HOST6] = "source_host6",
		[ROLE_DESTINATION_HOST6] = "destination_host6",
	};

	return names[role];
}

bool layout_set_text(char **place, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(*place);
	*place = copy;
	return copy || !text;
}

enum status layout_table_check(sqlite3 *log, const char *database_name, const char *table,
			       struct message *message)
{
	enum table_kind kind;
	enum status status = table_find(log, database_name, table, &kind, NULL, message);

	if (status != STATUS_OK)
		return status;
	switch (kind) {
	case TABLE_ORDINARY:
		return STATUS_OK;
	case TABLE_VIEW:
		return message_set(
			message, STATUS_FAILED,
			"'%.200s' is a view and has no row ids; index the table behind it", table);
	case TABLE_WITHOUT_ROWID:
		return message_set(
			message, STATUS_FAILED,
			"'%.200s' is a WITHOUT ROWID table; its rows have no ids to index", table);
	case TABLE_VIRTUAL:
		return message_set(
			message, STATUS_FAILED,
			"'%.200s' is a virtual table; only ordinary tables can be indexed", table);
	default:
		return message_set(message, STATUS_FAILED,
				   "the log has no table '%.200s'; name the right one with --table "
				   "or in [source]",
				   table);
	}
}

/* The column that is the row id, quoted for SQL, or NULL. sqlite3_free it. */
static enum status rowid_column_find(sqlite3 *log, const char *database_name, const char *table,
				     char **quoted, struct message *message)
{
	char *column;
	enum status status = table_rowid_column(log, database_name, table, &column, message);

	*quoted = NULL;
	if (status == STATUS_OK && column) {
		*quoted = sqlite3_mprintf("\"%w\"", column);
		if (!*quoted)
			status = message_out_of_memory(message);
	}
	free(column);
	return status;
}

/*
 * rowid, _rowid_ and oid name the row id unless a column has taken the name
 * (www.sqlite.org/lang_createtable.html#rowid). Without a column for it, VACUUM
 * may give rows other ids.
 */
static enum status rowid_find(sqlite3 *log, const char *database_name, struct layout *layout,
			      struct message *message)
{
	static const char *const names[] = {"rowid", "_rowid_", "oid"};
	const char *usable = NULL;
	char *column;
	enum status status = rowid_column_find(log, database_name, layout->table, &column, message);

	layout->rows_move = !column;
	layout->rowid_taken = false;
	for (size_t i = 0; status == STATUS_OK && !usable && i < 3; i++) {
		bool taken;

		status = table_has_column(log, database_name, layout->table, names[i], &taken,
					  message);
		if (status == STATUS_OK && !taken)
			usable = names[i];
		else if (status == STATUS_OK && i == 0)
			layout->rowid_taken = !column || sqlite3_stricmp(column, "\"rowid\"") != 0;
	}
	if (status == STATUS_OK && !usable)
		usable = column;
	if (status == STATUS_OK && !usable)
		status = message_set(
			message, STATUS_FAILED,
			"the table '%.200s' has columns named rowid, _rowid_ and oid and no "
			"INTEGER PRIMARY KEY, so that nothing is left to ask for its row ids; "
			"rename one",
			layout->table);
	if (status == STATUS_OK && !layout_set_text(&layout->rowid, usable))
		status = message_out_of_memory(message);
	sqlite3_free(column);
	return status;
}

/* What a stored index says is held against the same rules as what a catalogue says. */
static enum status expression_check(const char *expression, const char *role,
				    struct message *message)
{
	struct message cause;

	if (column_expression_check(expression, &cause) == STATUS_OK)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED, "'%s' is not an expression: %.700s", role,
			   cause.text);
}

static enum status column_check(sqlite3 *log, const char *database_name,
				const struct layout *layout, enum role role,
				struct message *message)
{
	const char *column = layout->columns[role];
	bool found;
	enum status status;

	if (!column)
		return STATUS_OK;
	if (column_expression_is(column))
		return expression_check(column, layout_role_name(role), message);
	status = table_has_column(log, database_name, layout->table, column, &found, message);
	if (status != STATUS_OK || found)
		return status;
	return message_set(message, STATUS_FAILED,
			   "the table '%.200s' has no column '%.200s' (for %s)%s", layout->table,
			   column, layout_role_name(role),
			   strchr(column, '(') ? "; an SQL expression goes in parentheses" : "");
}

/* Nothing but the time of exported packets needs the timestamp: without its column there is none.
 */
static enum status timestamp_check(sqlite3 *log, const char *database_name, struct layout *layout,
				   struct message *message)
{
	bool found = false;
	enum status status;

	if (!layout->timestamp)
		return STATUS_OK;
	if (column_expression_is(layout->timestamp))
		return expression_check(layout->timestamp, LAYOUT_TIMESTAMP, message);
	status = table_has_column(log, database_name, layout->table, layout->timestamp, &found,
				  message);
	if (status == STATUS_OK && !found) {
		free(layout->timestamp);
		layout->timestamp = NULL;
	}
	return status;
}

/* The table's name as the log writes it: the user may have written it in another case. */
static enum status table_name_settle(sqlite3 *log, const char *database_name, struct layout *layout,
				     struct message *message)
{
	enum table_kind kind;
	char *name;
	enum status status = table_find(log, database_name, layout->table, &kind, &name, message);

	if (status != STATUS_OK || !name)
		return status;
	free(layout->table);
	layout->table = name;
	return STATUS_OK;
}

enum status layout_check(sqlite3 *log, const char *database_name, struct layout *layout,
			 struct message *message)
{
	enum status status = layout_table_check(log, database_name, layout->table, message);

	if (status == STATUS_OK)
		status = table_name_settle(log, database_name, layout, message);
	for (int role = 0; status == STATUS_OK && role < ROLE_COUNT; role++)
		status = column_check(log, database_name, layout, (enum role)role, message);
	if (status == STATUS_OK)
		status = timestamp_check(log, database_name, layout, message);
	if (status == STATUS_OK)
		status = rowid_find(log, database_name, layout, message);
	return status;
}

const char *layout_missing(const struct layout *layout)
{
	if (!layout->columns[ROLE_SOURCE_HOST])
		return layout_role_name(ROLE_SOURCE_HOST);
	if (!layout->columns[ROLE_TRANSPORT] && !layout->columns[ROLE_PROTOCOL] &&
	    !layout->reading.has_protocol)
		return layout_role_name(ROLE_TRANSPORT);
	if (layout->reading.direction != DIRECTION_FIXED && !layout->columns[ROLE_TYPE])
		return layout_role_name(ROLE_TYPE);
	return NULL;
}

static bool icmp_is_given(const struct layout *layout)
{
	switch (layout->reading.icmp) {
	case ICMP_COLUMNS:
		return layout->columns[ROLE_ICMP_TYPE] && layout->columns[ROLE_ICMP_CODE];
	case ICMP_NETFLOW:
		return layout->columns[ROLE_DESTINATION_PORT];
	default:
		return layout->columns[ROLE_SOURCE_PORT] && layout->columns[ROLE_DESTINATION_PORT];
	}
}

struct header_gaps layout_gaps(const struct layout *layout)
{
	struct header_gaps gaps = {
		.source_port = !layout->columns[ROLE_SOURCE_PORT],
		.destination_port = !layout->columns[ROLE_DESTINATION_PORT],
		.icmp = !icmp_is_given(layout),
		.table = layout->table,
		.schema = layout->schema,
	};

	/* Either end may be the source. */
	if (layout->reading.direction != DIRECTION_FIXED)
		gaps.source_port = gaps.destination_port =
			gaps.source_port || gaps.destination_port;
	return gaps;
}

enum status layout_copy(const struct layout *layout, struct layout *copy, struct message *message)
{
	bool copied;

	*copy = (struct layout){.reading = layout->reading,
				.rows_move = layout->rows_move,
				.rowid_taken = layout->rowid_taken};
	copied = layout_set_text(&copy->table, layout->table) &&
		 layout_set_text(&copy->schema, layout->schema) &&
		 layout_set_text(&copy->rowid, layout->rowid) &&
		 layout_set_text(&copy->timestamp, layout->timestamp);
	for (int role = 0; copied && role < ROLE_COUNT; role++)
		copied = layout_set_text(&copy->columns[role], layout->columns[role]);
	return copied ? STATUS_OK : message_out_of_memory(message);
}

bool layout_has_expressions(const struct layout *layout)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		if (column_expression_is(layout->columns[role]))
			return true;
	return column_expression_is(layout->timestamp);
}

static bool reads_rows(const char *column)
{
	return column_expression_is(column) && column_expression_reads_rows(column);
}

const char *layout_reads_rows(const struct layout *layout)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		if (reads_rows(layout->columns[role]))
			return layout_role_name((enum role)role);
	return reads_rows(layout->timestamp) ? LAYOUT_TIMESTAMP : NULL;
}

void layout_column_append(sqlite3_str *sql, const char *column)
{
	if (column_expression_is(column))
		sqlite3_str_appendall(sql, column);
	else
		sqlite3_str_appendf(sql, "\"%w\"", column);
}

static void select_append(sqlite3_str *list, const char *column)
{
	sqlite3_str_appendall(list, ", ");
	if (column)
		layout_column_append(list, column);
	else
		sqlite3_str_appendall(list, "NULL");
}

char *layout_select_list(const struct layout *layout, bool with_time)
{
	sqlite3_str *list = sqlite3_str_new(NULL);

	sqlite3_str_appendall(list, layout->rowid);
	for (int role = 0; role < ROLE_COUNT; role++)
		select_append(list, layout->columns[role]);
	if (with_time)
		select_append(list, layout->timestamp);
	return sqlite3_str_finish(list);
}

void layout_free(struct layout *layout)
{
	free(layout->table);
	free(layout->schema);
	free(layout->rowid);
	free(layout->timestamp);
	for (int role = 0; role < ROLE_COUNT; role++)
		free(layout->columns[role]);
	*layout = (struct layout){0};
}
