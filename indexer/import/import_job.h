/*
 * What connbits-import does: files and folders into a log, one after the other, then
 * retention.
 */
#ifndef CONNBITS_IMPORT_IMPORT_JOB_H
#define CONNBITS_IMPORT_IMPORT_JOB_H

#include "import_file.h"
#include "retention.h"

struct import_job {
	const char *log_path;
	const char *const *paths; /* "-" is standard input; a folder stands for its files */
	size_t path_count;
	struct import_file_options files;
	int64_t keep; /* seconds; 0: all rows stay */
	/*
	 * Told of each file once it is through. failure: NULL, or why the file could not be
	 * read, or not to its end; of a folder's files of other formats too, which are left_out.
	 */
	void (*report)(void *context, const char *path, const struct import_file_report *report,
		       bool left_out, const struct message *failure);
	void *report_context;
};

struct import_summary {
	uint64_t files;
	uint64_t known; /* of which nothing had come */
	uint64_t failed;
	uint64_t rows;
	struct retained_rows retained;
	uint64_t faults[FAULT_COUNT];
};

/*
 * Runs it. A file that fails does not keep the others out: STATUS_FAILED then, with what
 * the first one's message was.
 */
enum status import_job_run(const struct import_job *job, struct import_summary *summary,
			   struct message *message);

#endif
