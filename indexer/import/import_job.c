#include "import_job.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "database/database.h"
#include "database/database_open.h"
#include "import_ledger.h"
#include "retention.h"

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
	const bool left_out = status != STATUS_OK && of_folder && !report.format;

	run->summary->files++;
	run->summary->rows += report.rows;
	run->summary->known += status == STATUS_OK && (report.known || report.empty);
	for (int fault = 0; fault < FAULT_COUNT; fault++)
		run->summary->faults[fault] += report.faults[fault];
	run->summary->failed += status != STATUS_OK && !left_out;
	if (status != STATUS_OK && !left_out && run->status == STATUS_OK) {
		run->status = status;
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

/* The files of a folder by their names; its folders are left out. */
static enum status folder_import(struct job_run *run, const char *folder, struct message *message)
{
	struct dirent **entries;
	const int count = scandir(folder, &entries, is_visible, alphasort);
	enum status status = STATUS_OK;

	if (count < 0)
		return message_set(message, STATUS_FAILED, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		const size_t size = strlen(folder) + strlen(entries[i]->d_name) + 2;
		char *path = status == STATUS_OK ? malloc(size) : NULL;
		struct stat found;

		if (path)
			snprintf(path, size, "%s/%s", folder, entries[i]->d_name);
		else if (status == STATUS_OK)
			status = message_out_of_memory(message);
		if (path && stat(path, &found) == 0 && S_ISREG(found.st_mode) &&
		    !stop_asked_for(run))
			file_import(run, path, true);
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
			status = folder_import(run, path, message);
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
	status = database_open(job->log_path, DATABASE_CREATE, &run.log, message);
	if (status == STATUS_OK)
		status = import_ledger_open(run.log, message);
	if (status == STATUS_OK)
		status = paths_import(&run, message);
	if (status == STATUS_OK && job->keep && !stop_asked_for(&run))
		status = retention_run(run.log, ((int64_t)time(NULL) - job->keep) * 1000000,
				       &summary->removed, message);
	sqlite3_close(run.log);
	if (status == STATUS_OK && run.status != STATUS_OK) {
		*message = run.message;
		return run.status;
	}
	return status;
}
