#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "database/database.h"
#include "database/database_open.h"
#include "database/immutable.h"

bool log_read_find(const char *word, enum log_read *read)
{
	static const char *const words[] = {
		[LOG_READ_BEST] = "best", [LOG_READ_SQL] = "sql", [LOG_READ_PAGES] = "pages"};

	for (int i = LOG_READ_BEST; i <= LOG_READ_PAGES; i++)
		if (strcmp(word, words[i]) == 0) {
			*read = (enum log_read)i;
			return true;
		}
	return false;
}

static enum status bounds_read(sqlite3 *connection, struct log *log, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status;

	/* Two look-ups, not min() and max() in one SELECT: that would scan the table. */
	status = database_prepare(connection, &statement, message,
				  "SELECT (SELECT min(%s) FROM main.\"%w\"), "
				  "(SELECT max(%s) FROM main.\"%w\")",
				  log->layout.rowid, log->layout.table, log->layout.rowid,
				  log->layout.table);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK) {
		log->empty = sqlite3_column_type(statement, 0) == SQLITE_NULL;
		log->first = sqlite3_column_int64(statement, 0);
		log->last = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status pragma_ask(sqlite3 *connection, const char *pragma, int64_t *number,
			      struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status =
		database_prepare(connection, &statement, message, "PRAGMA main.%s", pragma);

	*number = 0;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

static enum status is_wal(sqlite3 *connection, bool *wal, struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status =
		database_prepare(connection, &statement, message, "PRAGMA main.journal_mode");

	*wal = false;
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		*wal = sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
	sqlite3_finalize(statement);
	return status;
}

/*
 * SQLite reads what lacks of a last page as zeros, which may be a row with the id 0: such a file is
 * no log. With a write-ahead log the last pages may lie there alone.
 */
static enum status size_check(sqlite3 *connection, const char *path, struct message *message)
{
	struct stat file;
	int64_t pages;
	int64_t page_size;
	bool wal;
	enum status status = is_wal(connection, &wal, message);

	if (status == STATUS_OK)
		status = pragma_ask(connection, "page_count", &pages, message);
	if (status == STATUS_OK)
		status = pragma_ask(connection, "page_size", &page_size, message);
	if (status != STATUS_OK || wal || page_size <= 0 || stat(path, &file) != 0 ||
	    file.st_size / page_size >= pages)
		return status;
	return message_set(
		message, STATUS_FAILED,
		"%.300s: is cut off: %lld of its %lld bytes are there; take a whole copy, or "
		"make one of what is left with the .recover of sqlite3",
		path, (long long)file.st_size, (long long)pages * page_size);
}

static bool file_identify(const char *path, uint64_t *device, uint64_t *inode)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return false;
	*device = (uint64_t)file.st_dev;
	*inode = (uint64_t)file.st_ino;
	return true;
}

enum status log_describe(sqlite3 *connection, const char *path, struct layout *layout,
			 struct log *log, struct message *message)
{
	enum status status;

	*log = (struct log){.path = path, .layout = *layout};
	*layout = (struct layout){0};
	if (immutable_mark(connection, "main"))
		snprintf(log->mark, sizeof(log->mark), "%s", immutable_mark(connection, "main"));
	status = layout_check(connection, "main", &log->layout, message);
	if (status == STATUS_OK)
		status = size_check(connection, path, message);
	if (status == STATUS_OK)
		status = bounds_read(connection, log, message);
	if (status == STATUS_OK)
		status = database_encoding(connection, log->encoding, sizeof(log->encoding),
					   message);
	if (status == STATUS_OK && !log->empty)
		status = fingerprint_take(connection, "main", &log->layout, log->first, log->last,
					  &log->fingerprint, message);
	log->text_is_utf8 = strcmp(log->encoding, "UTF-8") == 0;
	if (status == STATUS_OK && !file_identify(path, &log->device, &log->inode))
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	return status;
}

enum status log_open(const char *path, struct layout *layout, struct log *log,
		     struct message *message)
{
	sqlite3 *connection;
	enum status status = database_open_moment(path, &connection, message);

	*log = (struct log){0};
	if (status == STATUS_OK)
		status = log_describe(connection, path, layout, log, message);
	else
		layout_free(layout);
	sqlite3_close(connection);
	return status;
}

/* A log that was opened without locks is to be as it was then. */
static enum status mark_check(const struct log *log, sqlite3 *connection, struct message *message)
{
	const char *mark = immutable_mark(connection, "main");

	if (!*log->mark || (mark && strcmp(mark, log->mark) == 0))
		return STATUS_OK;
	return message_set(message, STATUS_FAILED,
			   "%s: was changed while it was read without locks; run again", log->path);
}

enum status log_check(const struct log *log, bool tracked, struct file_stamp *stamp,
		      struct message *message)
{
	struct message cause;
	uint64_t device;
	uint64_t inode;
	sqlite3 *connection;
	enum status status;

	if (!file_identify(log->path, &device, &inode) || device != log->device ||
	    inode != log->inode)
		return message_set(message, STATUS_FAILED,
				   "%s: another file has taken its place while it was read; run "
				   "again",
				   log->path);
	cause.text[0] = '\0';
	*stamp = (struct file_stamp){.size = 0};
	status = database_open_moment(log->path, &connection, message);
	if (status == STATUS_OK)
		status = mark_check(log, connection, message);
	if (status == STATUS_OK && !log->empty)
		status = fingerprint_check(connection, "main", &log->layout, &log->fingerprint,
					   tracked, &cause, message);
	if (status == STATUS_OK && !log->empty)
		file_stamp_take(connection, "main", stamp);
	if (status == STATUS_OK && *cause.text)
		status = message_set(
			message, STATUS_FAILED,
			"%s: was renumbered or replaced while it was read (%.300s); run "
			"again",
			log->path, cause.text);
	sqlite3_close(connection);
	return status;
}

/* Counts the rows from row id first to last, both included. */
static enum status rows_count(const struct log *log, int64_t first, int64_t last, uint64_t *rows,
			      struct message *message)
{
	sqlite3 *connection;
	sqlite3_stmt *statement = NULL;
	int row = 0;
	enum status status = database_open(log->path, DATABASE_READ, &connection, message);

	if (status == STATUS_OK)
		status = database_prepare(
			connection, &statement, message,
			"SELECT count(*) FROM main.\"%w\" WHERE %s BETWEEN ?1 AND ?2",
			log->layout.table, log->layout.rowid);
	if (status == STATUS_OK) {
		sqlite3_bind_int64(statement, 1, first);
		sqlite3_bind_int64(statement, 2, last);
		status = database_step(statement, &row, message);
	}
	if (status == STATUS_OK && row)
		*rows = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(connection);
	return status;
}

enum status log_count_behind(const struct log *log, int64_t last, uint64_t *rows,
			     struct message *message)
{
	*rows = 0;
	if (log->empty || last >= log->last)
		return STATUS_OK;
	return rows_count(log, last == INT64_MIN ? last : last + 1, log->last, rows, message);
}

enum status log_count_since(const struct log *log, uint64_t *rows, struct message *message)
{
	*rows = 0;
	if (!log->empty && log->last == INT64_MAX)
		return STATUS_OK;
	return rows_count(log, log->empty ? INT64_MIN : log->last + 1, INT64_MAX, rows, message);
}

void log_free(struct log *log)
{
	layout_free(&log->layout);
}
