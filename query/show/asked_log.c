#include "asked_log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "database/database.h"
#include "database/database_open.h"
#include "database/immutable.h"
#include "index/index_format.h"

static enum status attach(sqlite3 *database, const char *name, struct message *message)
{
	sqlite3_stmt *statement;
	enum status status = database_prepare(database, &statement, message,
					      "ATTACH %Q AS " DATABASE_INDEX_NAME, name);

	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

/* One that cannot be locked is read without, as a log is. */
static enum status attach_index(sqlite3 *database, const char *path, struct message *message)
{
	struct stat file;
	char *name;
	enum status status;

	if (stat(path, &file) != 0)
		return errno == ENOENT
			       ? message_set(message, STATUS_FAILED,
					     "%s: No such file or directory; connbits-index LOG "
					     "CATALOGUE --into %s makes it",
					     path, path)
			       : message_set(message, STATUS_FAILED, "%s: %s", path,
					     strerror(errno));
	name = sqlite3_mprintf("%s%s", *path == '/' ? "" : "./", path);
	if (!name)
		return message_out_of_memory(message);
	status = attach(database, name, message);
	sqlite3_free(name);
	if (status == STATUS_OK)
		return STATUS_OK;
	message_set(message, STATUS_FAILED, "%s: %s", path, sqlite3_errmsg(database));
	name = database_is_barred(sqlite3_errcode(database)) ? immutable_name(path) : NULL;
	if (name)
		status = attach(database, name, message);
	sqlite3_free(name);
	return status;
}

enum status asked_log_open(const char *log_path, const char *index_path, struct asked_log *log,
			   struct message *message)
{
	const bool attached = index_path && !database_same_file(index_path, log_path);
	enum status status;

	*log = (struct asked_log){.path = log_path,
				  .index_name = attached ? DATABASE_INDEX_NAME : "main"};
	if (attached)
		database_recover(index_path);
	database_recover(log_path);
	status = database_open(log_path, DATABASE_READ, &log->database, message);
	if (status == STATUS_OK && attached)
		status = attach_index(log->database, index_path, message);
	return status;
}

/* Finds how the log's row ids are asked for. */
static enum status layout_find(const struct asked_log *log, struct answer_index *index,
			       struct message *message)
{
	struct message cause;
	bool alone = false;
	enum status status = layout_check(log->database, "main", &index->source.layout, &cause);

	if (status == STATUS_OK)
		return STATUS_OK;
	if (index_format_is_alone(log->database, &alone, message) == STATUS_OK && alone)
		return message_set(message, STATUS_FAILED,
				   "%s: is an index and has no log in it; write connbits-query "
				   "LOG.sqlite --into %s",
				   log->path, log->path);
	*message = cause;
	return status;
}

enum status asked_log_find(const struct asked_log *log, const char *table,
			   struct answer_index *index, struct message *message)
{
	enum status status =
		answer_index_find(log->database, log->index_name, "main", table, index, message);

	return status == STATUS_OK ? layout_find(log, index, message) : status;
}

void asked_log_close(struct asked_log *log)
{
	sqlite3_close(log->database);
	*log = (struct asked_log){0};
}
