#include "index_cleanup.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/rowid.h"
#include "database/database.h"

/* Of a table with source and segment: what has no source, */
#define NO_SOURCE(table)                                                                           \
	"WITH RECURSIVE present(source) AS (SELECT min(source) FROM " table                        \
	" UNION ALL SELECT (SELECT min(source) FROM " table                                        \
	" h WHERE h.source > present.source) FROM present WHERE present.source IS NOT NULL) "      \
	"SELECT source FROM present WHERE source IS NOT NULL AND source NOT IN (SELECT id FROM "   \
	"connbits_source)"
#define DELETE_OF_SOURCE(table, rows)                                                              \
	"DELETE FROM " table " WHERE rowid IN (SELECT rowid FROM " table                           \
	" WHERE source = :value LIMIT " rows ")"

/* and what lies behind the last row that is indexed. */
#define WATERMARK "iif(first_row > last_row, -9223372036854775807 - 1, last_row >> :segment_shift)"
#define BEHIND(table)                                                                              \
	"SELECT id FROM connbits_source s WHERE EXISTS (SELECT 1 FROM " table                      \
	" WHERE source = id AND segment > " WATERMARK ")"
#define DELETE_BEHIND(table, rows)                                                                 \
	"DELETE FROM " table " WHERE rowid IN (SELECT h.rowid FROM " table                         \
	" h JOIN connbits_source s ON s.id = h.source WHERE h.source = :value AND h.segment "      \
	"> " WATERMARK " LIMIT " rows ")"

/*
 * What no reader sees, each as a question for one value, the rest of which is
 * then deleted in slices: a live writer of the same file never waits long.
 */
static const struct garbage {
	const char *find;   /* one value */
	const char *delete; /* a slice of what goes with it, :value */
} garbage_kinds[] = {
	/* Of another table, what a stopped job has begun is for that table's next job. */
	{"SELECT id FROM connbits_source WHERE table_name IS NULL AND id <> :kept AND (building IS "
	 "NULL "
	 "OR :table IS NULL OR building = :table COLLATE NOCASE)",
	 "DELETE FROM connbits_source WHERE id = :value"},
	/* Pending filters have the negative number of their source. */
	{"SELECT source FROM connbits_filter WHERE source NOT IN (SELECT id FROM connbits_source)",
	 "DELETE FROM connbits_filter WHERE source = :value"},
	/* One look-up a filter: the table may have millions of bitmaps. */
	{"WITH RECURSIVE present(filter) AS (SELECT min(filter) FROM connbits_bitmap UNION ALL "
	 "SELECT (SELECT min(filter) FROM connbits_bitmap b WHERE b.filter > present.filter) FROM "
	 "present WHERE present.filter IS NOT NULL) SELECT filter FROM present WHERE filter IS NOT "
	 "NULL AND filter NOT IN (SELECT id FROM connbits_filter)",
	 /* Up to the next filter that is left, and about a megabyte at a time. */
	 "DELETE FROM connbits_bitmap WHERE rowid IN (SELECT id FROM (SELECT id, sum(size) OVER "
	 "(ORDER BY id) - size AS before FROM (SELECT rowid AS id, length(bitmap) AS size FROM "
	 "connbits_bitmap WHERE filter BETWEEN :value AND iif(typeof(:value) = 'integer', "
	 "coalesce((SELECT "
	 "min(id) - 1 FROM connbits_filter WHERE id > :value), 9223372036854775807), :value) LIMIT "
	 "1024)) "
	 "WHERE before < 1048576)"},
	{"WITH RECURSIVE present(filter) AS (SELECT min(filter) FROM connbits_day UNION ALL "
	 "SELECT (SELECT min(filter) FROM connbits_day d WHERE d.filter > present.filter) FROM "
	 "present WHERE present.filter IS NOT NULL) SELECT filter FROM present WHERE filter IS NOT "
	 "NULL AND filter NOT IN (SELECT id FROM connbits_filter)",
	 "DELETE FROM connbits_day WHERE filter = :value AND day IN (SELECT day FROM connbits_day "
	 "WHERE filter = :value LIMIT 16384)"},
	{NO_SOURCE("connbits_set"), DELETE_OF_SOURCE("connbits_set", "1")},
	{NO_SOURCE("connbits_header"), DELETE_OF_SOURCE("connbits_header", "256")},
	{NO_SOURCE("connbits_column"), DELETE_OF_SOURCE("connbits_column", "16")},
	/* Of an index that does without. */
	{"SELECT id FROM connbits_source s WHERE NOT s.packed AND EXISTS (SELECT 1 FROM "
	 "connbits_column c WHERE c.source = s.id)",
	 DELETE_OF_SOURCE("connbits_column", "16")},
	/* Bitmaps and headers are written ahead of the commit that moves the watermark behind them.
	 */
	{"SELECT f.id FROM connbits_filter f JOIN connbits_source s ON s.id = f.source WHERE "
	 "EXISTS "
	 "(SELECT 1 FROM connbits_bitmap WHERE filter = f.id AND chunk > iif(first_row > last_row, "
	 "-9223372036854775807 - 1, last_row >> :chunk_shift))",
	 "DELETE FROM connbits_bitmap WHERE rowid IN (SELECT b.rowid FROM connbits_bitmap b JOIN "
	 "connbits_filter f ON f.id = b.filter JOIN connbits_source s ON s.id = f.source WHERE "
	 "b.filter = :value AND b.chunk > iif(first_row > last_row, -9223372036854775807 - 1, "
	 "last_row "
	 ">> :chunk_shift) LIMIT 16)"},
	{BEHIND("connbits_header"), DELETE_BEHIND("connbits_header", "256")},
	{BEHIND("connbits_column"), DELETE_BEHIND("connbits_column", "16")},
};

static void number_bind(sqlite3_stmt *statement, const char *parameter, int64_t number)
{
	const int place = sqlite3_bind_parameter_index(statement, parameter);

	if (place)
		sqlite3_bind_int64(statement, place, number);
}

static enum status table_bind(sqlite3_stmt *statement, const char *table, struct message *message)
{
	const int place = sqlite3_bind_parameter_index(statement, ":table");

	return place ? database_bind_text(statement, place, table, message) : STATUS_OK;
}

static void shifts_bind(sqlite3_stmt *statement)
{
	number_bind(statement, ":chunk_shift", CHUNK_SHIFT);
	number_bind(statement, ":segment_shift", SEGMENT_SHIFT);
}

/*
 * Finds the first piece of garbage of a kind. *value, whatever its type, is
 * the caller's to free with sqlite3_value_free; NULL where there is none.
 */
static enum status garbage_find(sqlite3 *database, const struct garbage *kind,
				const struct index_kept *kept, sqlite3_value **value,
				struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status =
		database_prepare(database, &statement, message, "%s LIMIT 1", kind->find);

	*value = NULL;
	if (status == STATUS_OK) {
		number_bind(statement, ":kept", kept->source);
		shifts_bind(statement);
		status = table_bind(statement, kept->table, message);
	}
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		*value = sqlite3_value_dup(sqlite3_column_value(statement, 0));
		if (!*value)
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

/* How cleaning goes along with others. */
struct manners {
	const char *path; /* of the file, for messages */
	struct reader_gate *gate;
	const volatile sig_atomic_t *stop; /* NULL, or not 0 once the job should end */
};

/* Runs the statement in a transaction of its own, once nobody else is in its way. */
static enum status slice_delete(sqlite3 *database, sqlite3_stmt *statement,
				struct reader_gate *gate, bool *deleted, struct message *message)
{
	double asked;
	double begun;
	enum status status;

	reader_gate_close(gate);
	asked = clock_seconds();
	status = database_begin(database, message);
	begun = clock_seconds();
	if (status == STATUS_OK) {
		status = database_run(statement, message);
		*deleted = status == STATUS_OK && sqlite3_changes(database) > 0;
		status = database_end(database, status, message);
	}
	reader_gate_open(gate, begun - asked, clock_seconds() - begun);
	return status;
}

/* *deleted says whether there was anything. */
static enum status garbage_delete(sqlite3 *database, const struct garbage *kind,
				  const sqlite3_value *value, const struct manners *manners,
				  bool *deleted, struct message *message)
{
	sqlite3_stmt *statement;
	bool more = true;
	enum status status = database_prepare(database, &statement, message, "%s", kind->delete);

	*deleted = false;
	if (status == STATUS_OK) {
		shifts_bind(statement);
		if (sqlite3_bind_value(statement, sqlite3_bind_parameter_index(statement, ":value"),
				       value) != SQLITE_OK)
			status = database_failed(database, message);
	}
	while (status == STATUS_OK && more) {
		if (manners->stop && *manners->stop)
			status = message_set(message, STATUS_FAILED, "interrupted");
		else
			status = slice_delete(database, statement, manners->gate, &more, message);
		*deleted |= more;
	}
	sqlite3_finalize(statement);
	return status;
}

/* Removes all garbage of a kind. */
static enum status garbage_clean(sqlite3 *database, const struct garbage *kind,
				 const struct index_kept *kept, const struct manners *manners,
				 struct message *message)
{
	for (;;) {
		sqlite3_value *value;
		bool deleted;
		enum status status = garbage_find(database, kind, kept, &value, message);

		if (status != STATUS_OK || !value)
			return status;
		status = garbage_delete(database, kind, value, manners, &deleted, message);
		sqlite3_value_free(value);
		if (status != STATUS_OK)
			return status;
		if (!deleted)
			return message_set(message, STATUS_FAILED,
					   "%s: the index is damaged beyond clearing up; remove "
					   "its connbits_ tables and build it again",
					   manners->path);
	}
}

enum status index_cleanup_run(sqlite3 *database, const char *path, const struct index_kept *kept,
			      struct reader_gate *gate, const volatile sig_atomic_t *stop,
			      struct message *message)
{
	const struct manners manners = {.path = path, .gate = gate, .stop = stop};
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && i < sizeof(garbage_kinds) / sizeof(*garbage_kinds); i++)
		status = garbage_clean(database, &garbage_kinds[i], kept, &manners, message);
	return status;
}
