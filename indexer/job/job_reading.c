#include "job_state.h"

#include <string.h>

#include "index/index_writer.h"

void job_reading_settle(struct job *job, enum index_reading known)
{
	job->log.read = job->options->read;
	if (job->log.read == LOG_READ_BEST && known != INDEX_READING_ANY)
		job->log.read = LOG_READ_SQL;
	job->reading = known == INDEX_READING_ANY || job->options->read == LOG_READ_PAGES
			       ? INDEX_READING_ANY
			       : INDEX_READING_SQL;
}

/* Whatever was read by page may be wrong: the next job reads all rows again. */
static void differed_note(struct job *job)
{
	sqlite3 *database = index_file_database(job->file);
	struct message ignored;

	if (!database ||
	    index_write_reading(database, 0, INDEX_READING_DIFFERED, &ignored) != STATUS_OK)
		return;
	/* A new file, too, has to remember it. */
	index_file_keep(job->file);
}

enum status job_reading_end(struct job *job, enum status status)
{
	const struct index_source *found = &job->found.source;

	if (!job->file || job->options->check)
		return status;
	if (status == STATUS_FAILED && job->message->code == LOG_READ_DIFFERS)
		differed_note(job);
	if (status == STATUS_OK && found->layout.table && !job->summary->built &&
	    found->reading != job->reading)
		status = index_write_reading(index_file_database(job->file), found->id,
					     job->reading, job->message);
	return status;
}
