#include "import_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/platform.h"
#include "database/database.h"
#include "log/import_mapping.h"

enum { OPEN_ROWS_MAX = 1 << 20 };

static const char tables_sql[] =
	"CREATE TABLE IF NOT EXISTS connbits_import_file ("
	"id INTEGER PRIMARY KEY, path TEXT NOT NULL, way TEXT NOT NULL, into_table TEXT NOT NULL, "
	"head_size INTEGER NOT NULL, head BLOB NOT NULL, offset INTEGER NOT NULL, "
	"lines INTEGER NOT NULL, rows INTEGER NOT NULL, tail_size INTEGER NOT NULL, "
	"tail BLOB NOT NULL, open_table TEXT, open_first INTEGER, open_last INTEGER, "
	"device INTEGER, inode INTEGER, size INTEGER, changed INTEGER, header BLOB, imported_at "
	"TEXT) "
	"STRICT;" IMPORT_MAPPING_TABLE;

/* Of a file that is made now: rows go in an eighth faster than with pages of 4 KiB. */
static const char new_file_sql[] = "PRAGMA page_size = 16384";

enum status import_ledger_open(sqlite3 *log, struct message *message)
{
	enum status status = database_execute(log, new_file_sql, message);

	return status == STATUS_OK ? database_execute(log, tables_sql, message) : status;
}

enum status import_ledger_source(sqlite3 *log, const char *table, char **source, char **columns,
				 struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT source, columns FROM connbits_import_table WHERE name = %Q "
		"AND source IS NOT NULL AND columns IS NOT NULL",
		table);

	*source = NULL;
	*columns = NULL;
	if (status != STATUS_OK)
		return status;
	status = database_step(statement, &row, message);
	if (status == STATUS_OK && row) {
		const char *text = (const char *)sqlite3_column_text(statement, 0);

		const char *names = (const char *)sqlite3_column_text(statement, 1);

		*source = text ? strdup(text) : NULL;
		*columns = names ? strdup(names) : NULL;
		if (!*source || !*columns)
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status;
}

static int64_t changed_at(const struct stat *stat)
{
	/* Nobody can set it back. */
	const struct timespec changed = platform_changed(stat);

	return (int64_t)changed.tv_sec * 1000000000 + changed.tv_nsec;
}

static enum status key_bind(sqlite3_stmt *statement, const struct ledger_key *key, int from,
			    struct message *message)
{
	enum status status = database_bind_text(statement, from, key->way, message);

	return status == STATUS_OK ? database_bind_text(statement, from + 1, key->table, message)
				   : status;
}

static void stat_bind(sqlite3_stmt *statement, const struct stat *stat, int from)
{
	sqlite3_bind_int64(statement, from, (int64_t)stat->st_dev);
	sqlite3_bind_int64(statement, from + 1, (int64_t)stat->st_ino);
	sqlite3_bind_int64(statement, from + 2, (int64_t)stat->st_size);
	sqlite3_bind_int64(statement, from + 3, changed_at(stat));
}

enum status import_ledger_seen(sqlite3 *log, const struct ledger_key *key, const struct stat *stat,
			       bool *same, struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT 1 FROM connbits_import_file WHERE way = ?1 AND into_table = ?2 AND device "
		"= ?3 AND inode = ?4 AND size = ?5 AND changed = ?6");

	*same = false;
	if (status != STATUS_OK)
		return status;
	status = key_bind(statement, key, 1, message);
	stat_bind(statement, stat, 3);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	*same = status == STATUS_OK && row;
	sqlite3_finalize(statement);
	return status;
}

/* A digest of the row; false where it is none. */
static bool digest_take(sqlite3_stmt *row, int column, uint8_t digest[static HEAD_DIGEST_SIZE])
{
	const void *bytes = sqlite3_column_blob(row, column);

	if (!bytes || sqlite3_column_bytes(row, column) != HEAD_DIGEST_SIZE)
		return false;
	memcpy(digest, bytes, HEAD_DIGEST_SIZE);
	return true;
}

static bool header_take(sqlite3_stmt *row, int column, struct ledger_file *file)
{
	const void *bytes = sqlite3_column_blob(row, column);

	file->header_size = (size_t)sqlite3_column_bytes(row, column);
	if (!bytes)
		return sqlite3_column_type(row, column) == SQLITE_NULL;
	file->header = malloc(file->header_size + 1);
	if (file->header)
		memcpy(file->header, bytes, file->header_size);
	return file->header != NULL;
}

static enum status file_take(sqlite3_stmt *row, struct ledger_file *file, struct message *message)
{
	const unsigned char *table = sqlite3_column_text(row, 7);
	const int64_t first = sqlite3_column_int64(row, 8);
	const int64_t last = sqlite3_column_int64(row, 9);

	file->id = sqlite3_column_int64(row, 0);
	file->offset = (uint64_t)sqlite3_column_int64(row, 3);
	file->lines = (uint64_t)sqlite3_column_int64(row, 4);
	file->rows = (uint64_t)sqlite3_column_int64(row, 5);
	file->tail_size = (size_t)sqlite3_column_int64(row, 6);
	file->open_first = 1;
	file->open_last = 0;
	/* Of one line there are never many. */
	if (table && strlen((const char *)table) <= INTAKE_NAME_MAX && first > 0 && last >= first &&
	    last - first < OPEN_ROWS_MAX) {
		snprintf(file->open_table, sizeof(file->open_table), "%s", (const char *)table);
		file->open_first = first;
		file->open_last = last;
	}
	file->was_offset = file->offset;
	file->was_open = first;
	file->noted = sqlite3_column_type(row, 13) != SQLITE_NULL;
	file->device = sqlite3_column_int64(row, 13);
	file->inode = sqlite3_column_int64(row, 14);
	file->size = sqlite3_column_int64(row, 15);
	file->changed = sqlite3_column_int64(row, 16);
	file->path = strdup(
		sqlite3_column_text(row, 12) ? (const char *)sqlite3_column_text(row, 12) : "");
	if (!file->path || !header_take(row, 11, file))
		return message_out_of_memory(message);
	return database_values(row, STATUS_OK, message);
}

/* Holds one row against the head. */
static bool row_fits(sqlite3_stmt *row, const char *head, size_t head_size,
		     struct ledger_file *file)
{
	const int64_t size = sqlite3_column_int64(row, 1);
	uint8_t digest[HEAD_DIGEST_SIZE];

	if (size <= 0 || (uint64_t)size > head_size || !digest_take(row, 2, file->head) ||
	    !digest_take(row, 10, file->tail))
		return false;
	head_digest(head, (size_t)size, digest);
	file->head_size = (size_t)size;
	return memcmp(digest, file->head, sizeof(digest)) == 0;
}

static enum status newest_find(sqlite3 *log, int64_t *newest, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(log, &statement, message,
					      "SELECT max(id) FROM connbits_import_file");

	if (status != STATUS_OK)
		return status;
	status = database_step(statement, &row, message);
	*newest = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return status;
}

enum status import_ledger_find(sqlite3 *log, const struct ledger_key *key, const char *head,
			       size_t head_size, size_t tried, struct ledger_file *file,
			       struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status = database_prepare(
		log, &statement, message,
		"SELECT id, head_size, head, offset, lines, rows, tail_size, open_table, "
		"open_first, open_last, tail, header, path, device, "
		"inode, size, changed FROM connbits_import_file WHERE way = "
		"?1 AND "
		"into_table = ?2 AND head_size <= ?3 ORDER BY offset DESC, id DESC");

	*file = (struct ledger_file){.open_first = 1};
	if (status == STATUS_OK)
		status = newest_find(log, &file->newest, message);
	if (status == STATUS_OK)
		status = key_bind(statement, key, 1, message);
	sqlite3_bind_int64(statement, 3, (int64_t)head_size);
	while (status == STATUS_OK) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		if (!row_fits(statement, head, head_size, file) || tried-- > 0)
			continue;
		status = file_take(statement, file, message);
		break;
	}
	sqlite3_finalize(statement);
	return status;
}

/* All but the key: from ?1 on. */
static enum status file_bind(sqlite3_stmt *statement, const struct ledger_file *file,
			     struct message *message)
{
	enum status status;

	sqlite3_bind_int64(statement, 1, (int64_t)file->head_size);
	sqlite3_bind_int64(statement, 3, (int64_t)file->offset);
	sqlite3_bind_int64(statement, 4, (int64_t)file->lines);
	sqlite3_bind_int64(statement, 5, (int64_t)file->rows);
	sqlite3_bind_int64(statement, 6, (int64_t)file->tail_size);
	status = database_bind_blob(statement, 2, file->head, sizeof(file->head), message);
	if (status == STATUS_OK)
		status = database_bind_blob(statement, 7, file->tail, sizeof(file->tail), message);
	if (status == STATUS_OK && file->open_first <= file->open_last) {
		status = database_bind_text(statement, 8, file->open_table, message);
		sqlite3_bind_int64(statement, 9, file->open_first);
		sqlite3_bind_int64(statement, 10, file->open_last);
	}
	if (status == STATUS_OK && file->header)
		status =
			database_bind_blob(statement, 11, file->header, file->header_size, message);
	return status;
}

static enum status moved_meanwhile(const struct ledger_key *key, struct message *message)
{
	return message_set(message, STATUS_FAILED,
			   "%s: another connbits-import is at this file; run again", key->path);
}

static enum status file_update(sqlite3 *log, const struct ledger_key *key,
			       const struct ledger_file *file, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		log, &statement, message,
		"UPDATE connbits_import_file SET head_size = ?1, head = ?2, offset = ?3, lines = "
		"?4, rows = ?5, tail_size = ?6, tail = ?7, open_table = ?8, open_first = ?9, "
		"open_last = ?10, header = ?11, device = NULL, imported_at = "
		"strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ') WHERE id = ?12 AND offset = ?13 AND "
		"coalesce(open_first, 0) = ?14");

	if (status != STATUS_OK)
		return status;
	status = file_bind(statement, file, message);
	sqlite3_bind_int64(statement, 12, file->id);
	sqlite3_bind_int64(statement, 13, (int64_t)file->was_offset);
	sqlite3_bind_int64(statement, 14, file->was_open);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	if (status == STATUS_OK && sqlite3_changes(log) != 1)
		return moved_meanwhile(key, message);
	return status;
}

/* Whether another import has begun with this file since it was looked for. */
static enum status file_is_taken(sqlite3 *log, const struct ledger_key *key,
				 const struct ledger_file *file, struct message *message)
{
	sqlite3_stmt *statement;
	int row = 0;
	enum status status =
		database_prepare(log, &statement, message,
				 "SELECT 1 FROM connbits_import_file WHERE way = ?1 AND "
				 "into_table = ?2 AND head = ?3 AND id > ?4");

	if (status != STATUS_OK)
		return status;
	status = key_bind(statement, key, 1, message);
	if (status == STATUS_OK)
		status = database_bind_blob(statement, 3, file->head, sizeof(file->head), message);
	sqlite3_bind_int64(statement, 4, file->newest);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	sqlite3_finalize(statement);
	return status == STATUS_OK && row ? moved_meanwhile(key, message) : status;
}

static enum status file_insert(sqlite3 *log, const struct ledger_key *key, struct ledger_file *file,
			       struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = file_is_taken(log, key, file, message);

	if (status != STATUS_OK)
		return status;
	status = database_prepare(
		log, &statement, message,
		"INSERT INTO connbits_import_file (head_size, head, offset, lines, rows, "
		"tail_size, tail, open_table, open_first, open_last, header, way, into_table, "
		"path, imported_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
		"?13, ?14, "
		"strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ'))");

	if (status != STATUS_OK)
		return status;
	status = file_bind(statement, file, message);
	if (status == STATUS_OK)
		status = key_bind(statement, key, 12, message);
	if (status == STATUS_OK)
		status = database_bind_text(statement, 14, key->path, message);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	if (status == STATUS_OK)
		file->id = sqlite3_last_insert_rowid(log);
	return status;
}

enum status import_ledger_write(sqlite3 *log, const struct ledger_key *key,
				struct ledger_file *file, struct message *message)
{
	const enum status status = file->id ? file_update(log, key, file, message)
					    : file_insert(log, key, file, message);

	file->was_offset = file->offset;
	file->was_open = file->open_first <= file->open_last ? file->open_first : 0;
	return status;
}

bool import_ledger_lies(const struct ledger_file *file)
{
	struct stat now;

	return file->noted && stat(file->path, &now) == 0 && file->device == (int64_t)now.st_dev &&
	       file->inode == (int64_t)now.st_ino && file->size == (int64_t)now.st_size &&
	       file->changed == changed_at(&now);
}

void import_ledger_free(struct ledger_file *file)
{
	free(file->header);
	free(file->path);
	*file = (struct ledger_file){.open_first = 1};
}

enum status import_ledger_done(sqlite3 *log, const struct ledger_key *key, int64_t id,
			       const struct stat *stat, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(
		log, &statement, message,
		"UPDATE connbits_import_file SET path = ?1, device = ?2, inode = ?3, size = ?4, "
		"changed = ?5 WHERE id = ?6");

	if (status != STATUS_OK)
		return status;
	status = database_bind_text(statement, 1, key->path, message);
	stat_bind(statement, stat, 2);
	sqlite3_bind_int64(statement, 6, id);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}
