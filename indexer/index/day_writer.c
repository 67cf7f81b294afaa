#include "day_writer.h"

#include "database/database.h"
#include "packet/day_text.h"

/* What is run for one change; ?1: filter, ?2: day, ?3: rows. */
struct day_statements {
	sqlite3_stmt *add;
	sqlite3_stmt *lessen; /* where more are left */
	sqlite3_stmt *drop;   /* where none is */
};

static enum status statements_open(sqlite3 *database, const char *table, int64_t source,
				   struct day_statements *statements, struct message *message)
{
	enum status status = database_prepare(
		database, &statements->add, message,
		"INSERT INTO %s (source, filter, day, rows) VALUES (%lld, ?1, ?2, ?3) ON CONFLICT "
		"(filter, day) DO UPDATE SET rows = rows + excluded.rows",
		table, (long long)source);

	if (status == STATUS_OK)
		status = database_prepare(database, &statements->lessen, message,
					  "UPDATE %s SET rows = rows - ?3 WHERE filter = ?1 AND "
					  "day = ?2 AND rows > ?3",
					  table);
	if (status == STATUS_OK)
		status = database_prepare(
			database, &statements->drop, message,
			"DELETE FROM %s WHERE filter = ?1 AND day = ?2 AND rows = ?3", table);
	return status;
}

static void statements_close(struct day_statements *statements)
{
	sqlite3_finalize(statements->add);
	sqlite3_finalize(statements->lessen);
	sqlite3_finalize(statements->drop);
}

static enum status change_run(sqlite3_stmt *statement, const struct write_day *day,
			      const char *text, size_t length, struct message *message)
{
	sqlite3 *database = sqlite3_db_handle(statement);

	sqlite3_bind_int64(statement, 1, day->filter);
	if (sqlite3_bind_text(statement, 2, text, (int)length, SQLITE_STATIC) != SQLITE_OK)
		return database_failed(database, message);
	sqlite3_bind_int64(statement, 3, day->rows < 0 ? -day->rows : day->rows);
	return database_run(statement, message);
}

static enum status day_take(sqlite3 *database, const struct day_statements *statements,
			    const struct write_day *day, const char *text, size_t length,
			    struct message *message)
{
	enum status status = change_run(statements->lessen, day, text, length, message);

	if (status != STATUS_OK || sqlite3_changes(database) > 0)
		return status;
	status = change_run(statements->drop, day, text, length, message);
	if (status != STATUS_OK || sqlite3_changes(database) > 0)
		return status;
	return message_set(message, STATUS_FAILED,
			   "the index is damaged: connbits_day has fewer rows of filter %lld on %s "
			   "than are to be taken off; build it again with connbits-index --rebuild",
			   (long long)day->filter, text);
}

static enum status changes_write(sqlite3 *database, const char *table, int64_t source,
				 const struct write_day *days, size_t count,
				 struct message *message)
{
	struct day_statements statements = {0};
	enum status status = statements_open(database, table, source, &statements, message);

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		char text[DAY_TEXT_SIZE];
		const size_t length = day_text(days[i].day, text);

		status = days[i].rows < 0
				 ? day_take(database, &statements, &days[i], text, length, message)
				 : change_run(statements.add, &days[i], text, length, message);
	}
	statements_close(&statements);
	return status;
}

enum status days_write(sqlite3 *database, int64_t source, const struct write_day *days,
		       size_t count, struct message *message)
{
	return changes_write(database, "main.connbits_day", source, days, count, message);
}

enum status days_remove(sqlite3 *database, const int64_t *filters, size_t count,
			struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(database, &statement, message,
					      "DELETE FROM main.connbits_day WHERE filter = ?1");

	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		sqlite3_bind_int64(statement, 1, filters[i]);
		status = database_run(statement, message);
	}
	sqlite3_finalize(statement);
	return status;
}

enum status days_recount_begin(sqlite3 *database, struct message *message)
{
	return database_execute(database,
				"CREATE TEMP TABLE connbits_recount (source, filter, day, rows, "
				"PRIMARY KEY (filter, day)) WITHOUT ROWID",
				message);
}

enum status days_recount_add(sqlite3 *database, const struct write_day *days, size_t count,
			     struct message *message)
{
	return changes_write(database, "temp.connbits_recount", 0, days, count, message);
}

enum status days_recount_compare(sqlite3 *database, int64_t source, struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		database, &statement, message,
		"WITH stored AS (SELECT d.filter, d.day, d.rows FROM main.connbits_day d WHERE "
		"d.filter IN (SELECT id FROM main.connbits_filter WHERE source = %lld)) "
		"SELECT (SELECT name FROM main.connbits_filter WHERE id = filter), day, "
		"(SELECT rows FROM stored s WHERE s.filter = d.filter AND s.day = d.day), "
		"(SELECT rows FROM temp.connbits_recount r WHERE r.filter = d.filter AND r.day = "
		"d.day) FROM (SELECT filter, day FROM (SELECT filter, day, rows FROM stored EXCEPT "
		"SELECT filter, day, rows FROM temp.connbits_recount) UNION SELECT filter, day "
		"FROM (SELECT filter, day, rows FROM temp.connbits_recount EXCEPT SELECT filter, "
		"day, rows FROM stored)) d LIMIT 1",
		(long long)source);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		status = message_set(
			message, STATUS_FAILED,
			"verification failed: filter '%.255s' has %lld rows on %.40s in "
			"connbits_day, %lld in its bitmap; build the index again with "
			"connbits-index --rebuild",
			(const char *)sqlite3_column_text(statement, 0),
			(long long)sqlite3_column_int64(statement, 2),
			(const char *)sqlite3_column_text(statement, 1),
			(long long)sqlite3_column_int64(statement, 3));
	sqlite3_finalize(statement);
	return status;
}
