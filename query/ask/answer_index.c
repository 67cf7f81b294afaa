#include "answer_index.h"

#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "database/table.h"
#include "index/index_fit.h"

/* What is looked for, and why what was found so far is not it. */
struct index_search {
	sqlite3 *database;
	const char *wanted; /* the attached database that has the index; NULL: any but temp */
	const char *shown;  /* the one whose rows are shown; NULL: the one that the name means */
	char *table;	    /* NULL until it is known */
	struct message refusal;
	bool refused;
};

/* A statement that has not come to its end keeps its read transaction. */
static enum status snapshot_hold(sqlite3 *database, const char *name, sqlite3_stmt **snapshot,
				 struct message *message)
{
	int row;
	enum status status = database_prepare(database, snapshot, message,
					      "SELECT 1 FROM \"%w\".sqlite_master", name);

	if (status == STATUS_OK)
		status = database_step(*snapshot, &row, message);
	return status;
}

/* The index is held first: a log of a later moment has all rows that it has, and maybe more. */
static enum status log_hold(sqlite3 *database, struct answer_index *index, struct message *message)
{
	sqlite3_finalize(index->log_snapshot);
	index->log_snapshot = NULL;
	if (!index->shown || sqlite3_stricmp(index->shown, index->database_name) == 0)
		return STATUS_OK;
	return snapshot_hold(database, index->shown, &index->log_snapshot, message);
}

/* Finds the log's first row, which fits; rows ahead of it went since they were indexed. */
static enum status log_first_find(sqlite3 *database, struct answer_index *index,
				  struct message *message)
{
	const struct layout *layout = &index->source.layout;
	sqlite3_stmt *statement;
	int64_t first = INT64_MAX;
	int row = 0;
	enum status status = database_prepare(database, &statement, message,
					      "SELECT %s FROM \"%w\".\"%w\" ORDER BY 1 LIMIT 1",
					      layout->rowid, index->shown, layout->table);

	if (status == STATUS_OK)
		status = database_step(statement, &row, message);
	if (status == STATUS_OK && row)
		first = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	index->log_first = first > index->source.first_row ? first : INT64_MIN;
	return status;
}

/*
 * The first reason stays: it is about the database that goes before the others.
 * What says nothing about the index, a lock or an interrupt, ends the search.
 */
static enum status refuse(struct index_search *search, const struct message *reason,
			  struct message *message)
{
	if (message_is_passing(reason)) {
		*message = *reason;
		return STATUS_FAILED;
	}
	if (!search->refused)
		search->refusal = *reason;
	search->refused = true;
	return STATUS_OK;
}

/* Notes that the index stands for the table in that database, if there is one. */
static enum status shown_set(sqlite3 *database, const char *shown, struct answer_index *index,
			     struct message *message)
{
	enum table_kind kind;
	enum status status =
		table_find(database, shown, index->source.layout.table, &kind, NULL, message);

	free(index->shown);
	index->shown = NULL;
	if (status != STATUS_OK || kind == TABLE_MISSING)
		return status;
	index->shown = strdup(shown);
	return index->shown ? STATUS_OK : message_out_of_memory(message);
}

/* An attached database by its file, or by its name where it has none. */
static const char *database_words(sqlite3 *database, const char *wanted)
{
	const char *path = wanted ? sqlite3_db_filename(database, wanted) : NULL;

	return path && *path ? path : wanted ? wanted : "any open database";
}

/* An index beside its own table is of no other's. */
static enum status is_of_another(const struct index_search *search,
				 const struct answer_index *index, struct message *message)
{
	const char *table = index->source.layout.table;

	if (search->shown)
		return message_set(message, STATUS_FAILED,
				   "%.300s: the index in it is of the table '%.100s' beside it, "
				   "not of that in %.300s; make one with connbits-index LOG "
				   "CATALOGUE --into INDEX",
				   database_words(search->database, index->database_name), table,
				   database_words(search->database, index->shown));
	return message_set(message, STATUS_FAILED,
			   "the table '%.100s' of %.100s has no index among the open files; that "
			   "in %.100s is of the table beside it, and asked by its name: "
			   "bitmap('...', '%.100s')",
			   table, index->shown, index->database_name, index->database_name);
}

/* A bitmap of the wrong rows is worse than none. */
static enum status log_must_fit(const struct index_search *search, struct answer_index *index,
				struct message *message)
{
	const char *table = index->source.layout.table;
	struct index_fit fit;
	struct message cause;
	enum status status;

	if (index->source.reading == INDEX_READING_DIFFERED)
		return message_set(message, STATUS_FAILED,
				   "the index was made of rows one of which read differently by "
				   "page than through SQLite; have connbits-index make it anew");
	if (!index->shown && !index->source.inside)
		return STATUS_OK;
	if (!index->shown)
		return message_set(message, STATUS_FAILED,
				   "the index no longer fits its log: the table '%.200s' is gone; "
				   "bring it up to date with connbits-index",
				   table);
	if (sqlite3_stricmp(index->shown, "temp") == 0)
		return message_set(message, STATUS_FAILED,
				   "a temporary table or view '%.100s' stands in the place of the "
				   "log's; name the database whose index is meant: bitmap('...', "
				   "'%.100s')",
				   table, index->database_name);
	if (index->source.inside && sqlite3_stricmp(index->shown, index->database_name) != 0)
		return is_of_another(search, index, message);
	status = log_hold(search->database, index, message);
	if (status != STATUS_OK)
		return status;
	status = index_fit_answer(search->database, index->shown, &index->source, &fit, &cause);
	if (status == STATUS_OK && !fit.rebuild)
		return log_first_find(search->database, index, message);
	if (status != STATUS_OK && message_is_passing(&cause)) {
		*message = cause;
		return status;
	}
	/* It may well fit: nothing can be told from here. */
	if (status == STATUS_USAGE)
		return message_set(message, STATUS_FAILED, "%s", cause.text);
	return message_wrap(message, STATUS_FAILED, status == STATUS_OK ? 0 : cause.code,
			    "the index no longer fits its log: %.400s; bring it up to date with "
			    "connbits-index",
			    status == STATUS_OK ? fit.rebuild_why : cause.text);
}

/* Of an index of a file of its own, asked for by name: any table that it fits is its. */
static enum status named_must_fit(struct index_search *search, struct answer_index *index,
				  bool *fits, struct message *reason, struct message *message)
{
	const char *name;
	struct message other = {.code = 0};
	size_t tables = 0;
	enum status status = STATUS_OK;

	*fits = false;
	for (int i = 0;
	     status == STATUS_OK && !*fits && (name = sqlite3_db_name(search->database, i)); i++) {
		if (sqlite3_stricmp(name, "temp") == 0)
			continue;
		status = shown_set(search->database, name, index, message);
		if (status != STATUS_OK || !index->shown)
			continue;
		*fits = log_must_fit(search, index, tables++ ? &other : reason) == STATUS_OK;
		if (!*fits && message_is_passing(&other))
			*reason = other;
		if (!*fits && message_is_passing(reason))
			break;
	}
	if (status == STATUS_OK && tables == 0)
		*fits = log_must_fit(search, index, reason) == STATUS_OK;
	return status;
}

/* Finds whose rows the answers of an index would be taken for, and holds it against them. */
static enum status index_must_fit(struct index_search *search, struct answer_index *index,
				  bool *fits, struct message *reason, struct message *message)
{
	sqlite3 *database = search->database;
	enum status status;

	if (search->shown)
		status = shown_set(database, search->shown, index, message);
	else if (!index->named)
		status = table_resolve(database, index->source.layout.table, true, &index->shown,
				       message);
	else if (index->source.inside)
		status = shown_set(database, index->database_name, index, message);
	else
		return named_must_fit(search, index, fits, reason, message);
	*fits = status == STATUS_OK && log_must_fit(search, index, reason) == STATUS_OK;
	return status;
}

/* Reads the index in that database of the table that is looked for, or of the one that it has. */
static enum status source_find(struct index_search *search, struct answer_index *index, bool *found,
			       struct message *message)
{
	enum status status =
		snapshot_hold(search->database, index->database_name, &index->snapshot, message);

	if (status == STATUS_OK)
		status = index_source_read(search->database, index->database_name, search->table,
					   &index->source, found, message);
	if (status == STATUS_OK && *found && !search->table) {
		search->table = strdup(index->source.layout.table);
		if (!search->table)
			status = message_out_of_memory(message);
	}
	if (status == STATUS_OK)
		status = index_has_several(search->database, index->database_name, &index->several,
					   message);
	return status;
}

/*
 * Takes the index in a database if it is the one. A reason why it is not is
 * noted, and so is what makes it unreadable: another may serve.
 */
static enum status candidate_try(struct index_search *search, const char *name,
				 struct answer_index *index, bool *taken, struct message *message)
{
	struct message reason = {.code = 0};
	bool finished;
	bool found = false;
	enum status status;

	*taken = false;
	if (index_is_finished(search->database, name, &finished, &reason) != STATUS_OK)
		return refuse(search, &reason, message);
	if (!finished)
		return STATUS_OK;
	*index = (struct answer_index){.named = search->wanted != NULL,
				       .log_first = INT64_MIN,
				       .database_name = strdup(name)};
	if (!index->database_name)
		return message_out_of_memory(message);
	status = source_find(search, index, &found, message);
	if (status == STATUS_OK && found)
		status = index_must_fit(search, index, taken, &reason, message);
	else if (status == STATUS_OK)
		message_set(&reason, STATUS_FAILED,
			    "the index has no table '%.200s'; add it with connbits-index LOG "
			    "CATALOGUE --table",
			    search->table);
	if (status == STATUS_OK && !*taken)
		status = refuse(search, &reason, message);
	if (!*taken)
		answer_index_free(index);
	return status;
}

enum status answer_index_find(sqlite3 *database, const char *wanted, const char *shown,
			      const char *table, struct answer_index *index,
			      struct message *message)
{
	struct index_search search = {.database = database, .wanted = wanted, .shown = shown};
	const char *name;
	bool taken = false;
	enum status status = STATUS_OK;

	*index = (struct answer_index){0};
	if (table && !(search.table = strdup(table)))
		return message_out_of_memory(message);
	for (int i = 0; status == STATUS_OK && !taken && (name = sqlite3_db_name(database, i)); i++)
		if (wanted ? sqlite3_stricmp(name, wanted) == 0
			   : sqlite3_stricmp(name, "temp") != 0)
			status = candidate_try(&search, name, index, &taken, message);
	if (status == STATUS_OK && !taken && search.refused) {
		*message = search.refusal;
		status = STATUS_FAILED;
	} else if (status == STATUS_OK && !taken) {
		status = message_set(
			message, STATUS_FAILED,
			"no finished index in %.400s; make one with connbits-index LOG CATALOGUE, "
			"or name the file that has it (--into, ATTACH)",
			database_words(database, wanted));
	}
	free(search.table);
	return status;
}

void answer_index_let(struct answer_index *index, unsigned which)
{
	if (which & ANSWER_HOLD_INDEX) {
		sqlite3_finalize(index->snapshot);
		index->snapshot = NULL;
	}
	if (which & ANSWER_HOLD_LOG) {
		sqlite3_finalize(index->log_snapshot);
		index->log_snapshot = NULL;
	}
}

void answer_index_rest(struct answer_index *index)
{
	answer_index_let(index, ANSWER_HOLD_INDEX | ANSWER_HOLD_LOG);
}

enum status answer_index_hold(sqlite3 *database, struct answer_index *index, unsigned which,
			      bool *same, struct message *message)
{
	enum status status = STATUS_OK;

	*same = true;
	if (which & ANSWER_HOLD_INDEX)
		status = snapshot_hold(database, index->database_name, &index->snapshot, message);
	if (status == STATUS_OK && which & ANSWER_HOLD_INDEX)
		status = index_source_is_current(database, index->database_name, &index->source,
						 same, message);
	if (status == STATUS_OK && which & ANSWER_HOLD_LOG)
		status = log_hold(database, index, message);
	return status;
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && sqlite3_stricmp(a, b) == 0);
}

enum status answer_index_resume(sqlite3 *database, struct answer_index *index, bool *same,
				struct message *message)
{
	char *shown = NULL;
	enum status status =
		snapshot_hold(database, index->database_name, &index->snapshot, message);

	*same = false;
	/* Another table may have taken the name's place. */
	if (status == STATUS_OK && !index->named)
		status = table_resolve(database, index->source.layout.table, true, &shown, message);
	if (status == STATUS_OK && (index->named || same_name(shown, index->shown)))
		status = index_source_is_current(database, index->database_name, &index->source,
						 same, message);
	if (!*same)
		answer_index_rest(index);
	free(shown);
	return status;
}

void answer_index_free(struct answer_index *index)
{
	answer_index_rest(index);
	free(index->database_name);
	free(index->shown);
	index_source_free(&index->source);
	*index = (struct answer_index){0};
}
