#include "job_state.h"

#include "database/database.h"
#include "database/database_open.h"
#include "database/table.h"
#include "index/index_cleanup.h"
#include "log/notes_writer.h"

enum status job_drop_table(struct job *job, const char *table)
{
	const struct layout layout = {.table = (char *)table};
	enum status status =
		index_write_source_forget(index_file_database(job->file), table, job->message);

	/* Its triggers too: nobody would deal with what they note. */
	if (status == STATUS_OK)
		status = notes_remove(job->options->log_path, &layout, job->options->stop,
				      job->message);
	return status;
}

enum status job_drop_missing(struct job *job)
{
	struct index_tables tables = {0};
	sqlite3 *log = NULL;
	enum status status = index_tables_read(index_file_database(job->file), "main", true,
					       &tables, job->message);

	if (status == STATUS_OK)
		status = database_open(job->options->log_path, DATABASE_READ, &log, job->message);
	for (size_t i = 0; status == STATUS_OK && i < tables.count; i++) {
		enum table_kind kind;

		status = table_find(log, "main", tables.names[i], &kind, NULL, job->message);
		if (status == STATUS_OK && kind == TABLE_MISSING)
			status = job_drop_table(job, tables.names[i]);
	}
	sqlite3_close(log);
	index_tables_free(&tables);
	return status;
}

void job_clear_up(struct job *job)
{
	const struct index_kept kept = {.table =
						job->layout.table ? job->layout.table : job->table};
	struct message ignored;

	/* The index is complete; what cannot be removed now is removed by the next job. */
	index_cleanup_run(index_file_database(job->file), job->index_path, &kept, &job->gate,
			  job->options->stop, &ignored);
}
