#include "log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "database/database.h"
#include "database/database_open.h"

static enum status bounds_read(sqlite3 *log, struct source *source, struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status status;

	/* Two look-ups, not min() and max() in one SELECT: that would scan the table. */
	status = database_prepare(log, &statement, message,
				  "SELECT (SELECT min(%s) FROM main.\"%w\"), "
				  "(SELECT max(%s) FROM main.\"%w\")",
				  source->layout.rowid, source->layout.table, source->layout.rowid,
				  source->layout.table);
	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK) {
		source->empty = sqlite3_column_type(statement, 0) == SQLITE_NULL;
		source->first = sqlite3_column_int64(statement, 0);
		source->last = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return status;
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

enum status source_describe(sqlite3 *connection, const char *path, struct layout *layout,
			    struct source *source, struct message *message)
{
	enum status status;

	*source = (struct source){.path = path, .layout = *layout};
	*layout = (struct layout){0};
	status = layout_check(connection, "main", &source->layout, message);
	if (status == STATUS_OK)
		status = bounds_read(connection, source, message);
	if (status == STATUS_OK)
		status = database_encoding(connection, source->encoding, sizeof(source->encoding),
					   message);
	if (status == STATUS_OK && !source->empty)
		status = fingerprint_take(connection, "main", &source->layout, source->first,
					  source->last, &source->fingerprint, message);
	source->text_is_utf8 = strcmp(source->encoding, "UTF-8") == 0;
	if (status == STATUS_OK && !file_identify(path, &source->device, &source->inode))
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	return status;
}

enum status source_open(const char *path, struct layout *layout, struct source *source,
			struct message *message)
{
	sqlite3 *connection;
	enum status status = database_open_moment(path, &connection, message);

	*source = (struct source){0};
	if (status == STATUS_OK)
		status = source_describe(connection, path, layout, source, message);
	else
		layout_free(layout);
	sqlite3_close(connection);
	return status;
}

enum status source_check(const struct source *source, bool tracked, struct message *message)
{
	struct message cause;
	uint64_t device;
	uint64_t inode;
	sqlite3 *log;
	enum status status;

	if (!file_identify(source->path, &device, &inode) || device != source->device ||
	    inode != source->inode)
		return message_set(message, STATUS_FAILED,
				   "%s: another file has taken its place while it was read; run "
				   "again",
				   source->path);
	cause.text[0] = '\0';
	status = database_open(source->path, DATABASE_READ, &log, message);
	if (status == STATUS_OK && !source->empty)
		status = fingerprint_check(log, "main", &source->layout, &source->fingerprint,
					   tracked, &cause, message);
	if (status == STATUS_OK && *cause.text)
		status = message_set(
			message, STATUS_FAILED,
			"%s: was renumbered or replaced while it was read (%.300s); run "
			"again",
			source->path, cause.text);
	sqlite3_close(log);
	return status;
}

void source_free(struct source *source)
{
	layout_free(&source->layout);
}
