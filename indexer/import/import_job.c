#include "import_job.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "database/database.h"
#include "database/database_open.h"
#include "import_ledger.h"

enum { FOLDERS_DEEP = 16 };

struct job_run {
	const struct import_job *job;
	struct import_summary *summary;
	sqlite3 *log;
	enum status status; /* of the files: the first failure's */
	struct message message;
};

static bool stop_asked_for(const struct job_run *run)
{
	return run->job->files.stop && *run->job->files.stop;
}

static void file_import(struct job_run *run, const char *path, bool of_folder)
{
	struct import_file_report report;
	struct message message;
	const enum status status =
		import_file_run(run->log, path, &run->job->files, &report, &message);
	/* A format was never found: no reason to fail where nobody named the file. */
	const bool left_out = status != STATUS_OK && of_folder && report.unknown;

	run->summary->files++;
	run->summary->rows += report.rows;
	run->summary->known += status == STATUS_OK && (report.known || report.empty);
	for (int fault = 0; fault < FAULT_COUNT; fault++)
		run->summary->faults[fault] += report.faults[fault];
	run->summary->failed += status != STATUS_OK && !left_out;
	if (status != STATUS_OK && !left_out && run->status == STATUS_OK) {
		/* Nobody has named a file of a folder wrongly. */
		run->status = of_folder ? STATUS_FAILED : status;
		run->message = message;
	}
	if (run->job->report)
		run->job->report(run->job->report_context, path, &report, left_out,
				 status == STATUS_OK ? NULL : &message);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A folder that cannot be read, or not to its bottom, keeps no other out. */
static void folder_fail(struct job_run *run, const char *folder, const char *why)
{
	const struct import_file_report report = {0};
	struct message message;

	message_set(&message, STATUS_FAILED, "%s: %s", folder, why);
	run->summary->failed++;
	if (run->status == STATUS_OK) {
		run->status = STATUS_FAILED;
		run->message = message;
	}
	if (run->job->report)
		run->job->report(run->job->report_context, folder, &report, false, &message);
}

static enum status folder_import(struct job_run *run, const char *folder, int depth,
				 struct message *message);

/* A file or folder in a folder; what a link stands for in one is no folder. */
static enum status entry_import(struct job_run *run, const char *path, int depth,
				struct message *message)
{
	struct stat found;
	struct stat itself;

	if (stat(path, &found) != 0 || lstat(path, &itself) != 0 || stop_asked_for(run))
		return STATUS_OK;
	if (S_ISREG(found.st_mode))
		file_import(run, path, true);
	return S_ISDIR(itself.st_mode) ? folder_import(run, path, depth + 1, message) : STATUS_OK;
}

/* The files of a folder and its folders, by their names. */
static enum status folder_import(struct job_run *run, const char *folder, int depth,
				 struct message *message)
{
	struct dirent **entries = NULL;
	const int count =
		depth > FOLDERS_DEEP ? 0 : scandir(folder, &entries, is_visible, alphasort);
	enum status status = STATUS_OK;

	if (depth > FOLDERS_DEEP)
		folder_fail(run, folder, "is left out, more than 16 folders deep");
	else if (count < 0)
		folder_fail(run, folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *path = NULL;

		if (status == STATUS_OK && asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
			status = message_out_of_memory(message);
		else if (status == STATUS_OK)
			status = entry_import(run, path, depth, message);
		free(path);
		free(entries[i]);
	}
	free((void *)entries);
	return status;
}

static enum status paths_import(struct job_run *run, struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < run->job->path_count; i++) {
		const char *path = run->job->paths[i];
		struct stat found;

		if (stop_asked_for(run))
			break;
		if (strcmp(path, "-") != 0 && stat(path, &found) == 0 && S_ISDIR(found.st_mode))
			status = folder_import(run, path, 0, message);
		else
			file_import(run, path, false);
	}
	return status;
}

enum status import_job_run(const struct import_job *job, struct import_summary *summary,
			   struct message *message)
{
	struct job_run run = {.job = job, .summary = summary};
	enum status status;

	*summary = (struct import_summary){0};
	/* Retention alone makes no log. */
	status = database_open(job->log_path, job->path_count ? DATABASE_CREATE : DATABASE_WRITE,
			       &run.log, message);
	if (status == STATUS_OK)
		status = import_ledger_open(run.log, message);
	if (status == STATUS_OK)
		status = paths_import(&run, message);
	if (status == STATUS_OK && job->keep && !stop_asked_for(&run))
		status = retention_run(run.log, ((int64_t)time(NULL) - job->keep) * 1000000,
				       &summary->retained, message);
	sqlite3_close(run.log);
	if (status == STATUS_OK && run.status != STATUS_OK) {
		*message = run.message;
		return run.status;
	}
	return status;
}
