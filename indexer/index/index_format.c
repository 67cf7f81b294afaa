#include "index_format.h"

#include "database/database.h"
#include "database/table.h"

/* The tables, and the view of one of them, as SQLite keeps their text. */
static const struct {
	const char *name;
	const char *sql;
} tables[] = {
	{"connbits_format", "CREATE TABLE connbits_format (version INTEGER NOT NULL)"},
	{"connbits_source",
	 "CREATE TABLE connbits_source ("
	 " id INTEGER PRIMARY KEY,"
	 " table_name TEXT UNIQUE," /* NULL while the index is being built */
	 " building TEXT,"	    /* the table's name meanwhile */
	 " schema TEXT NOT NULL,"
	 " columns TEXT NOT NULL," /* JSON: role to column, and how values are read: layout.h */
	 " rows INTEGER NOT NULL DEFAULT 0,"
	 " headers INTEGER NOT NULL DEFAULT 0,"
	 " listen INTEGER NOT NULL DEFAULT 0,"
	 " skipped_type INTEGER NOT NULL DEFAULT 0,"
	 " skipped_transport INTEGER NOT NULL DEFAULT 0,"
	 " skipped_address INTEGER NOT NULL DEFAULT 0,"
	 " skipped_family INTEGER NOT NULL DEFAULT 0,"
	 " skipped_port INTEGER NOT NULL DEFAULT 0,"
	 " first_row INTEGER NOT NULL,"
	 " last_row INTEGER NOT NULL," /* the watermark; less than first_row for an empty log */
	 " fingerprints BLOB,"
	 " log_stamp BLOB,"	    /* of the log's file: file_stamp.h */
	 " identity TEXT NOT NULL," /* random: 16 digits of one build, 16 of one commit */
	 " packed INTEGER NOT NULL,"
	 " inside INTEGER NOT NULL," /* the index is in the log's own file */
	 " tracked INTEGER NOT NULL,"
	 " reading INTEGER NOT NULL DEFAULT 0," /* enum index_reading */
	 " mark TEXT NOT NULL DEFAULT '',"	/* of the log's notes: notes_reader.h */
	 " next_mark TEXT NOT NULL DEFAULT '',"
	 " indexed_at TEXT)"},
	{"connbits_filter",
	 "CREATE TABLE connbits_filter ("
	 " id INTEGER PRIMARY KEY,"
	 " source INTEGER NOT NULL," /* negative while the filter is pending */
	 " name TEXT NOT NULL,"
	 " kind TEXT NOT NULL DEFAULT 'pcap'," /* "pcap" or "rows", or "" of the built-in
						* ones: what the expression is
						*/
	 " expression TEXT NOT NULL,"
	 " digest TEXT NOT NULL DEFAULT ''," /* of the condition that was
					      * evaluated: program_digest.h
					      */
	 " description TEXT NOT NULL,"
	 " position INTEGER NOT NULL,"
	 " rows INTEGER NOT NULL DEFAULT 0,"
	 " indexed_at TEXT,"
	 " UNIQUE (source, name))"},
	{"connbits_bitmap", "CREATE TABLE connbits_bitmap ("
			    " filter INTEGER NOT NULL,"
			    " chunk INTEGER NOT NULL,"
			    " rows INTEGER NOT NULL,"
			    " bitmap BLOB NOT NULL,"
			    " PRIMARY KEY (filter, chunk))"},
	{"connbits_set", "CREATE TABLE connbits_set ("
			 " source INTEGER NOT NULL,"
			 " name TEXT NOT NULL,"
			 " digest TEXT NOT NULL," /* of its entries */
			 " entries INTEGER NOT NULL,"
			 " read_at TEXT NOT NULL,"
			 " bytes BLOB NOT NULL," /* address_list_bytes.h */
			 " PRIMARY KEY (source, name))"},
	{"connbits_header", "CREATE TABLE connbits_header ("
			    " source INTEGER NOT NULL,"
			    " segment INTEGER NOT NULL,"
			    " rows INTEGER NOT NULL,"  /* with a header */
			    " outcomes BLOB NOT NULL," /* rows by outcome */
			    " PRIMARY KEY (source, segment))"},
	{"connbits_column", "CREATE TABLE connbits_column ("
			    " source INTEGER NOT NULL,"
			    " segment INTEGER NOT NULL,"
			    " column INTEGER NOT NULL," /* segment_columns.h: enum stored_column */
			    " bytes BLOB NOT NULL,"
			    " PRIMARY KEY (source, segment, column))"},
	{"connbits_day", "CREATE TABLE connbits_day ("
			 " source INTEGER NOT NULL,"
			 " filter INTEGER NOT NULL,"
			 " day TEXT NOT NULL,"
			 " rows INTEGER NOT NULL,"
			 " PRIMARY KEY (filter, day)) WITHOUT ROWID"},
	{"connbits_daily",
	 "CREATE VIEW connbits_daily AS SELECT s.table_name, f.name, d.day, d.rows"
	 " FROM connbits_source s JOIN connbits_filter f ON f.source = s.id"
	 " JOIN connbits_day d ON d.filter = f.id WHERE s.table_name IS NOT NULL"},
};

enum { TABLES = sizeof(tables) / sizeof(*tables) };

enum status index_format_read(sqlite3 *database, const char *database_name, int *format,
			      struct message *message)
{
	sqlite3_stmt *statement;
	bool exists;
	int row;
	enum status status =
		database_asks(database, &exists, message,
			      "SELECT 1 FROM \"%w\".sqlite_master WHERE type = 'table' AND name = "
			      "'connbits_format'",
			      database_name);

	*format = 0;
	if (status != STATUS_OK || !exists)
		return status;
	status = database_prepare(database, &statement, message,
				  "SELECT max(version) FROM \"%w\".connbits_format", database_name);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && sqlite3_column_int64(statement, 0) > INDEX_FORMAT)
		status =
			message_set(message, STATUS_FAILED,
				    "the index has format %lld, this version reads up to %d; use a "
				    "newer connbits",
				    (long long)sqlite3_column_int64(statement, 0), INDEX_FORMAT);
	if (status == STATUS_OK)
		*format =
			sqlite3_column_int(statement, 0) < 1 ? 1 : sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

/* Names the first table that is missing, or not as it is made; NULL where all are. */
static enum status damaged_find(sqlite3 *database, const char **damaged, struct message *message)
{
	enum status status = STATUS_OK;

	*damaged = NULL;
	for (size_t i = 0; status == STATUS_OK && !*damaged && i < TABLES; i++) {
		bool whole;

		status = database_asks(database, &whole, message,
				       "SELECT 1 FROM main.sqlite_master WHERE type IN ('table', "
				       "'view') AND name = %Q AND sql = %Q",
				       tables[i].name, tables[i].sql);
		if (status == STATUS_OK && !whole)
			*damaged = tables[i].name;
	}
	return status;
}

enum status index_format_inspect(sqlite3 *database, int *format, const char **damaged,
				 struct message *message)
{
	enum status status = index_format_read(database, "main", format, message);

	*damaged = NULL;
	/* It has no version that could be read. */
	if (status != STATUS_OK && message->code == SQLITE_ERROR)
		*damaged = tables[0].name;
	else if (status == STATUS_OK && *format == INDEX_FORMAT)
		status = damaged_find(database, damaged, message);
	if (!*damaged)
		return status;
	*format = INDEX_FORMAT_DAMAGED;
	return STATUS_OK;
}

enum status index_format_exists(sqlite3 *database, const char *database_name, bool *exists,
				struct message *message)
{
	int format;
	enum status status = index_format_read(database, database_name, &format, message);

	*exists = status == STATUS_OK && format > 0;
	if (*exists && format < INDEX_FORMAT)
		return message_set(message, STATUS_FAILED,
				   "the index has format %d, which an earlier connbits made; build "
				   "it anew with connbits-index LOG CATALOGUE",
				   format);
	return status;
}

/*
 * A file of the index's own has large pages, since its blobs are: headers are
 * read a tenth faster. SQLite ignores the size and the encoding of a file that
 * has tables already.
 */
static enum status file_shape(sqlite3 *database, const char *encoding, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	int row;
	enum status status = database_execute(database, "PRAGMA page_size = 65536", message);

	if (status == STATUS_OK)
		status = database_prepare(database, &statement, message, "PRAGMA encoding = %Q",
					  encoding);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	sqlite3_finalize(statement);
	return status;
}

static enum status tables_drop(sqlite3 *database, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < TABLES; i++)
		status = table_drop(database, tables[i].name, message);
	return status;
}

static enum status tables_make(sqlite3 *database, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	enum status status = tables_drop(database, message);

	for (size_t i = 0; status == STATUS_OK && i < TABLES; i++)
		status = database_execute(database, tables[i].sql, message);
	if (status == STATUS_OK)
		status = database_prepare(database, &statement, message,
					  "INSERT INTO connbits_format VALUES (%d)", INDEX_FORMAT);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

enum status index_format_is_alone(sqlite3 *database, bool *alone, struct message *message)
{
	return database_asks(
		database, alone, message,
		"SELECT 1 FROM main.sqlite_master WHERE name = 'connbits_source' AND NOT EXISTS "
		"(SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE "
		"'sqlite\\_%%' ESCAPE '\\' AND name NOT LIKE 'connbits\\_%%' ESCAPE '\\')");
}

enum status index_format_make(sqlite3 *database, int format, const char *encoding,
			      struct message *message)
{
	enum status status = STATUS_OK;

	if (format == INDEX_FORMAT)
		return STATUS_OK;
	if (format == 0)
		status = file_shape(database, encoding, message);
	if (status == STATUS_OK)
		status = database_begin(database, message);
	if (status != STATUS_OK)
		return status;
	return database_end(database, tables_make(database, message), message);
}

/* False where it cannot be told. */
static bool kind_asks(sqlite3 *database, const char *condition, const char *table)
{
	struct message ignored;
	bool found;

	return database_asks(
		       database, &found, &ignored,
		       "SELECT 1 FROM connbits_source WHERE %s AND table_name IS NOT NULL AND "
		       "(%Q IS NULL OR table_name = %Q COLLATE NOCASE)",
		       condition, table, table) == STATUS_OK &&
	       found;
}

void index_format_inherit(sqlite3 *database, const char *table, bool *tracked, bool *unpacked)
{
	*tracked = kind_asks(database, "tracked", table);
	*unpacked = kind_asks(database, "NOT packed", table);
}

void index_format_clear(sqlite3 *database)
{
	enum { BUSY_MILLISECONDS = 200 };
	struct message ignored;

	sqlite3_busy_timeout(database, BUSY_MILLISECONDS);
	if (database_execute(database, "BEGIN IMMEDIATE", &ignored) != STATUS_OK)
		return;
	if (database_end(database, tables_drop(database, &ignored), &ignored) == STATUS_OK)
		sqlite3_exec(database, "VACUUM", NULL, NULL, NULL);
}
