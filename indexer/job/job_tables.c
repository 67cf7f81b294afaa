#include "job_tables.h"

#include <stdlib.h>
#include <unistd.h>

#include "database/database_open.h"
#include "index/index_format.h"
#include "index/index_reader.h"

/* The finished tables. What cannot be read is for the job itself to complain about. */
static void tables_find(const struct job_options *options, struct index_tables *tables)
{
	const char *path = options->index_path ? options->index_path : options->log_path;
	struct message ignored;
	sqlite3 *database;

	*tables = (struct index_tables){0};
	if (options->catalogue_path || options->table || access(path, F_OK) != 0)
		return;
	database_recover(path);
	if (database_open(path, DATABASE_READ, &database, &ignored) == STATUS_OK)
		index_tables_read(database, "main", false, tables, &ignored);
	sqlite3_close(database);
}

static bool has_table(const struct index_tables *tables, const char *table)
{
	for (size_t i = 0; i < tables->count; i++)
		if (!table || sqlite3_stricmp(tables->names[i], table) == 0)
			return true;
	return false;
}

/* Whether nothing is stored of the table that the options are about. */
static bool is_new(const struct job_options *options)
{
	const char *path = options->index_path ? options->index_path : options->log_path;
	struct index_tables tables = {0};
	struct message ignored;
	sqlite3 *database;
	int format = -1;
	bool has = true;

	if (access(path, F_OK) != 0)
		return true;
	if (database_open(path, DATABASE_READ, &database, &ignored) != STATUS_OK)
		return false;
	if (index_format_read(database, "main", &format, &ignored) == STATUS_OK && format == 0)
		has = false;
	else if (format == INDEX_FORMAT &&
		 index_tables_read(database, "main", true, &tables, &ignored) == STATUS_OK)
		has = has_table(&tables, options->table);
	index_tables_free(&tables);
	sqlite3_close(database);
	return !has;
}

static bool shipped_applies(const struct table_options *options)
{
	const struct job_options *index = &options->index;

	return options->shipped && !index->catalogue_path && !options->verify && !index->forget &&
	       is_new(index);
}

/* One table, or with NULL the one that there is. */
static enum status table_run(const struct table_options *options, const char *table,
			     table_tell tell, void *context)
{
	struct job_options index = options->index;
	struct table_result result = {.table = table, .status = STATUS_OK};
	const bool verify = options->verify && !index.check;
	enum status status;

	if (table)
		index.table = table;
	result.shipped = !table && shipped_applies(options);
	if (result.shipped)
		index.catalogue_path = options->shipped;
	result.catalogue = index.catalogue_path;
	if (!verify || index.catalogue_path) {
		result.status =
			job_run(&index, &result.summary, &result.diagnostics, &result.message);
		result.indexed = result.status == STATUS_OK;
	}
	if (result.status == STATUS_OK && verify)
		result.status = verify_run(
			index.log_path, index.index_path,
			*result.summary.table ? result.summary.table : index.table,
			options->verify_rows, index.read, &result.verified, &result.message);
	diagnostics_sort(&result.summary.warnings);
	status = tell(context, &result);
	free(result.summary.set_changes);
	diagnostics_free(&result.summary.warnings);
	diagnostics_free(&result.diagnostics);
	return status;
}

static bool is_stopped(const struct job_options *options)
{
	return options->stop && *options->stop;
}

enum status job_tables_run(const struct table_options *options, table_tell tell, void *context,
			   struct message *message)
{
	struct index_tables tables;
	enum status worst = STATUS_OK;

	message->text[0] = '\0';
	tables_find(&options->index, &tables);
	if (tables.count <= 1)
		worst = table_run(options, NULL, tell, context);
	for (size_t i = 0; tables.count > 1 && i < tables.count && !is_stopped(&options->index);
	     i++) {
		const enum status status = table_run(options, tables.names[i], tell, context);

		worst = status > worst ? status : worst;
	}
	if (tables.count > 1 && is_stopped(&options->index) && worst == STATUS_OK)
		worst = message_set(message, STATUS_FAILED, "interrupted; run again for the rest");
	index_tables_free(&tables);
	return worst;
}
