#include "job.h"

#include <stdio.h>

#include "database.h"
#include "track.h"
#include "tracked.h"

static enum status triggers_installed(struct job *job, bool *installed)
{
	sqlite3 *log;
	enum status status =
		database_open(job->options->log_path, DATABASE_READ, &log, job->message);

	if (status == STATUS_OK)
		status = tracked_installed(log, "main", &job->layout, installed, job->message);
	sqlite3_close(log);
	return status;
}

enum status job_track_begin(struct job *job)
{
	bool installed = false;
	enum status status = triggers_installed(job, &installed);

	if (status == STATUS_OK && !installed)
		status = track_install(job->options->log_path, &job->layout, job->message);
	if (status == STATUS_OK)
		status = track_begin(job->options->log_path, &job->layout, &job->round,
				     job->message);
	if (installed && job->stored.tracked)
		return status;
	snprintf(job->untracked, sizeof(job->untracked), "%s",
		 job->stored.tracked
			 ? "the triggers that noted changes of the log are gone or not as they were"
			 : "--track: what changed before its triggers were there is not known");
	return status;
}

enum status job_track_notes(struct job *job)
{
	sqlite3 *log = NULL;
	enum status status = track_advance(job->options->log_path, &job->source.layout,
					   job->source.empty ? 0 : job->source.last, job->message);

	if (status == STATUS_OK)
		status = database_open(job->options->log_path, DATABASE_READ, &log, job->message);
	if (status == STATUS_OK)
		status = tracked_segments(log, &job->source.layout, &job->noted, &job->noted_count,
					  job->message);
	sqlite3_close(log);
	return status;
}

static enum status log_mark_read(struct job *job, struct tracked_watch *watch)
{
	sqlite3 *log;
	enum status status =
		database_open(job->options->log_path, DATABASE_READ, &log, job->message);

	if (status == STATUS_OK)
		status = tracked_watch_read(log, "main", &job->source.layout, watch, job->message);
	sqlite3_close(log);
	return status;
}

/*
 * The index fits a log with the old mark and one with the new mark, until the
 * log has it: a job may be killed in between.
 */
enum status job_track_mark(struct job *job, int64_t source)
{
	sqlite3 *database = store_database(job->store);
	struct tracked_watch watch;
	char *mark = NULL;
	enum status status = log_mark_read(job, &watch);

	if (status == STATUS_OK)
		status = commit_mark_begin(database, source, watch.mark, &mark, job->message);
	if (status == STATUS_OK)
		status =
			track_mark(job->options->log_path, &job->source.layout, mark, job->message);
	if (status == STATUS_OK)
		status = commit_mark_settle(database, mark, job->message);
	sqlite3_free(mark);
	job->marked = true;
	return status;
}

enum status job_track_end(struct job *job, int64_t source)
{
	enum status status;

	if (job->options->no_track)
		return track_remove(job->options->log_path, &job->source.layout, job->message);
	if (!job->tracked)
		return STATUS_OK;
	status = track_release(job->options->log_path, &job->source.layout, job->round,
			       job->message);
	if (status == STATUS_OK && job->marked)
		status = job_track_mark(job, source);
	return status;
}
