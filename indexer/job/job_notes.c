#include "job_state.h"

#include <stdio.h>

#include "database/database.h"
#include "database/database_open.h"
#include "log/notes_reader.h"
#include "log/notes_writer.h"

static enum status triggers_installed(struct job *job, bool *installed)
{
	sqlite3 *log;
	enum status status =
		database_open(job->options->log_path, DATABASE_READ, &log, job->message);

	if (status == STATUS_OK)
		status = notes_installed(log, "main", &job->layout, installed, job->message);
	sqlite3_close(log);
	return status;
}

enum status job_notes_begin(struct job *job)
{
	const struct job_options *options = job->options;
	bool installed = false;
	enum status status = triggers_installed(job, &installed);

	if (status == STATUS_OK && !installed)
		status =
			notes_install(options->log_path, &job->layout, options->stop, job->message);
	if (status == STATUS_OK)
		status = notes_begin(options->log_path, &job->layout, &job->notes.round,
				     job->message);
	if (installed && job->found.source.tracked)
		return status;
	snprintf(job->notes.missed_why, sizeof(job->notes.missed_why), "%s",
		 job->found.source.tracked
			 ? "the triggers that noted changes of the log are gone or not as they were"
			 : "--track: what changed before its triggers were there is not known");
	return status;
}

/* Mark and notes as of one moment: whoever takes the notes changes the mark first. */
static enum status notes_read(struct job *job, sqlite3 *log, bool *damaged)
{
	struct notes_watch watch;
	enum status status = database_execute(log, "BEGIN", job->message);

	if (status == STATUS_OK)
		status = notes_watch_read(log, "main", &job->log.layout, &watch, job->message);
	if (status == STATUS_OK)
		status = notes_segments(log, &job->log.layout, &job->notes.segments,
					&job->notes.segment_count, damaged, job->message);
	if (status == STATUS_OK)
		snprintf(job->notes.mark, sizeof(job->notes.mark), "%s", watch.mark);
	return status;
}

enum status job_notes_read(struct job *job)
{
	sqlite3 *log = NULL;
	bool damaged = false;
	enum status status = notes_advance(job->options->log_path, &job->log.layout,
					   job->log.empty ? 0 : job->log.last, false, job->message);

	if (status == STATUS_OK)
		status = database_open(job->options->log_path, DATABASE_READ, &log, job->message);
	if (status == STATUS_OK)
		status = notes_read(job, log, &damaged);
	sqlite3_close(log);
	if (status != STATUS_OK || *job->notes.missed_why || job->fit.rebuild)
		return status;
	if (damaged)
		snprintf(job->notes.missed_why, sizeof(job->notes.missed_why),
			 "what triggers noted of the log is damaged");
	else if (!index_source_marked(&job->found.source, job->notes.mark))
		snprintf(job->notes.missed_why, sizeof(job->notes.missed_why),
			 "what triggers noted of the log went to another index meanwhile");
	return STATUS_OK;
}

/*
 * The index fits a log with the old mark and one with the new mark, until the
 * log has it: a job may be killed in between.
 */
enum status job_notes_mark(struct job *job, int64_t source)
{
	sqlite3 *database = index_file_database(job->file);
	bool marked = false;
	char *mark = NULL;
	enum status status =
		index_write_mark_begin(database, source, job->notes.mark, &mark, job->message);

	if (status == STATUS_OK)
		status = notes_mark(job->options->log_path, &job->log.layout, job->notes.mark, mark,
				    &marked, job->message);
	if (status == STATUS_OK && !marked)
		status =
			message_set(job->message, STATUS_FAILED,
				    "%s: a job for another index of it has taken what triggers "
				    "noted, or it was put back from a copy, while it was read; run "
				    "again",
				    job->options->log_path);
	if (status == STATUS_OK)
		status = index_write_mark_settle(database, mark, job->message);
	if (status == STATUS_OK)
		snprintf(job->notes.mark, sizeof(job->notes.mark), "%s", mark);
	sqlite3_free(mark);
	job->notes.marked = true;
	return status;
}

enum status job_notes_end(struct job *job, int64_t source)
{
	const struct job_options *options = job->options;
	const struct layout *layout = &job->log.layout;
	enum status status = STATUS_OK;

	if (options->no_track)
		return notes_remove(options->log_path, layout, options->stop, job->message);
	if (!job->notes.tracked)
		return STATUS_OK;
	/* As long as there are notes the query side refuses: the mark comes before they go. */
	if (job->notes.marked)
		status = job_notes_mark(job, source);
	if (status == STATUS_OK)
		status = notes_advance(options->log_path, layout,
				       job->log.empty ? 0 : job->log.last, true, job->message);
	if (status == STATUS_OK)
		status = notes_release(options->log_path, layout, job->notes.round, options->stop,
				       job->message);
	return status;
}
