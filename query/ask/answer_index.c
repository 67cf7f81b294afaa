#include "answer_index.h"

#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "index/index_fit.h"

/*
 * The wanted attached database, or the first that has a finished index. One
 * that cannot be read counts only where no other serves.
 */
static enum status index_search(sqlite3 *database, const char *wanted, char **name,
				struct message *message)
{
	sqlite3_stmt *statement;
	int row;
	enum status first_failure = STATUS_OK;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT name FROM pragma_database_list WHERE (%Q IS NULL AND name <> 'temp') OR "
		"name = %Q COLLATE NOCASE ORDER BY seq",
		wanted, wanted);

	*name = NULL;
	while (status == STATUS_OK && !*name) {
		struct message failure;
		const char *candidate;
		bool finished = false;

		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		candidate = (const char *)sqlite3_column_text(statement, 0);
		if (!candidate) {
			status = message_out_of_memory(message);
			break;
		}
		if (index_is_finished(database, candidate, &finished, &failure) != STATUS_OK) {
			if (first_failure == STATUS_OK)
				*message = failure;
			first_failure = STATUS_FAILED;
			continue;
		}
		if (finished && !(*name = strdup(candidate)))
			status = message_out_of_memory(message);
	}
	sqlite3_finalize(statement);
	return status == STATUS_OK && !*name ? first_failure : status;
}

/* STATUS_OK where the index fits the log's table in that attached database. */
static enum status log_fits(sqlite3 *database, const char *where, struct answer_index *index,
			    struct message *message)
{
	struct index_fit fit;
	enum status status = index_fit_answer(database, where, &index->source, &fit, message);

	if (status == STATUS_OK && fit.rebuild)
		return message_set(message, STATUS_FAILED, "%s", fit.rebuild_why);
	return status;
}

/*
 * A bitmap of the wrong rows is worse than none. The log may be in the index's
 * file, in main or attached: one table that fits is enough, but none of those
 * that are there is too few.
 */
static enum status log_must_fit(sqlite3 *database, struct answer_index *index,
				struct message *message)
{
	sqlite3_stmt *statement;
	struct message cause;
	bool fits = false;
	bool refused = index->source.inside;
	size_t tables = 0;
	int row = 1;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT schema FROM pragma_table_list JOIN pragma_database_list d ON d.name = "
		"schema WHERE pragma_table_list.name = %Q COLLATE NOCASE AND schema <> 'temp' "
		"ORDER BY schema <> %Q COLLATE NOCASE, seq",
		index->source.layout.table, index->database_name);

	message_set(&cause, STATUS_FAILED, "the table '%.200s' is gone",
		    index->source.layout.table);
	while (status == STATUS_OK && !fits) {
		const char *where;
		struct message failure;

		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		where = (const char *)sqlite3_column_text(statement, 0);
		if (where && log_fits(database, where, index, &failure) == STATUS_OK)
			fits = true;
		else if (where && tables++ == 0)
			cause = failure;
		refused = true;
	}
	sqlite3_finalize(statement);
	if (status == STATUS_OK && refused && !fits)
		return message_set(message, STATUS_FAILED,
				   "the index no longer fits its log: %.400s; bring it up to date "
				   "with connbits-index",
				   cause.text);
	return status;
}

/* A statement that has not come to its end keeps its read transaction. */
static enum status snapshot_hold(sqlite3 *database, struct answer_index *index,
				 struct message *message)
{
	int row;
	enum status status =
		database_prepare(database, &index->snapshot, message,
				 "SELECT 1 FROM \"%w\".sqlite_master", index->database_name);

	if (status == STATUS_OK)
		status = database_step(index->snapshot, &row, message);
	return status;
}

/* An attached database by its file, or by its name where it has none. */
static const char *database_words(sqlite3 *database, const char *wanted)
{
	const char *path = wanted ? sqlite3_db_filename(database, wanted) : NULL;

	return path && *path ? path : wanted ? wanted : "any open database";
}

enum status answer_index_find(sqlite3 *database, const char *wanted, const char *table,
			      struct answer_index *index, struct message *message)
{
	bool found = false;
	enum status status;

	*index = (struct answer_index){0};
	status = index_search(database, wanted, &index->database_name, message);
	if (status == STATUS_OK && index->database_name)
		status = snapshot_hold(database, index, message);
	if (status == STATUS_OK && index->database_name)
		status = index_source_read(database, index->database_name, table, &index->source,
					   &found, message);
	if (status == STATUS_OK && !found && table && index->database_name)
		status = message_set(message, STATUS_FAILED,
				     "the index has no table '%.200s'; add it with connbits-index "
				     "LOG CATALOGUE --table",
				     table);
	else if (status == STATUS_OK && !found)
		status =
			message_set(message, STATUS_FAILED,
				    "no finished index in %.400s; make one with connbits-index LOG "
				    "CATALOGUE, or name the file that has it (--into, ATTACH)",
				    database_words(database, wanted));
	if (status == STATUS_OK)
		status =
			index_has_several(database, index->database_name, &index->several, message);
	if (status == STATUS_OK)
		status = log_must_fit(database, index, message);
	if (status != STATUS_OK)
		answer_index_free(index);
	return status;
}

void answer_index_rest(struct answer_index *index)
{
	sqlite3_finalize(index->snapshot);
	index->snapshot = NULL;
}

enum status answer_index_resume(sqlite3 *database, struct answer_index *index, bool *same,
				struct message *message)
{
	enum status status = snapshot_hold(database, index, message);

	*same = false;
	if (status == STATUS_OK)
		status = index_source_is_current(database, index->database_name, &index->source,
						 same, message);
	if (!*same)
		answer_index_rest(index);
	return status;
}

void answer_index_free(struct answer_index *index)
{
	answer_index_rest(index);
	free(index->database_name);
	index_source_free(&index->source);
	*index = (struct answer_index){0};
}
